// Puts the controls under the head of the page, and draws.
for (const by of breakdowns) addList(by);
if (tools.childElementCount) {
  tools.append(told);
  document.querySelector("section")?.before(tools);
}
for (const [id, spec] of Object.entries(specs)) draw(id, spec);

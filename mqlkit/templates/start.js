// Puts the controls under the head of the page, and draws.
addGrains();
for (const by of breakdowns) addList(by);
if (tools.childElementCount) {
  tools.append(told);
  document.querySelector("section")?.before(tools);
}
for (const [id, spec] of Object.entries(specs)) draw(id, shownIn(id, spec, page.grain));

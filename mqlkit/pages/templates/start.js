// Puts the controls under the head of the page, and draws.
addGrains();
for (const by of breakdowns) addList(by);
if (tools.childElementCount) {
  tools.append(told);
  document.querySelector("section")?.before(tools);
}

// One after the other, so that the first can be read while the last is drawn.
(async () => {
  for (const [id, spec] of Object.entries(specs)) {
    await draw(id, shownIn(id, spec, page.grain));
    await new Promise((next) => { setTimeout(next); });
  }
})();

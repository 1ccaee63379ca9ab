// Adds the controls below the header and draws the charts.
addGrains();
for (const by of breakdowns) addList(by);
if (tools.childElementCount) {
  tools.append(state);
  document.querySelector("section")?.before(tools);
}

// One at a time, so that the first can be read while the others are drawn.
(async () => {
  for (const [id, spec] of Object.entries(specs)) {
    await draw(id, spec);
    await new Promise((next) => { setTimeout(next); });
  }
})();

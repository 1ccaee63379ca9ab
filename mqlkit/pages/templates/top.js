// "Run All" goes to the last cell and stays there: back to the one that has the panel. Until the
// reader moves, what is drawn below may not push it away. The element is not on the page yet.
setTimeout(() => {
  const cell = element.closest(".jp-Cell"), pane = element.closest(".jp-WindowedPanel-outer");
  if (!cell || !pane) return;
  pane.style.overflowAnchor = "none";
  for (const moved of ["wheel", "pointerdown", "keydown"]) {
    pane.addEventListener(moved, () => { pane.style.overflowAnchor = ""; }, { once: true });
  }
  cell.scrollIntoView();
}, 100);

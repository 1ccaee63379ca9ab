// "Run All" scrolls to the last cell: scroll back to the cell with the panel. Until the reader
// scrolls, drawing below it does not move it. The element is not on the page yet.
setTimeout(() => {
  const cell = element.closest(".jp-Cell"), pane = element.closest(".jp-WindowedPanel-outer");
  if (!cell || !pane) return;
  pane.style.overflowAnchor = "none";
  for (const moved of ["wheel", "pointerdown", "keydown"]) {
    pane.addEventListener(moved, () => { pane.style.overflowAnchor = ""; }, { once: true });
  }
  cell.scrollIntoView();
}, 100);

// The handles of the widget library's slider have no name for screen readers: set it here.
const label = (left) => {
  const handles = document.querySelectorAll(".mk-panel .noUi-handle");
  handles.forEach((handle) => {
    const words = handle.closest(".widget-slider").querySelector("label");
    handle.setAttribute("aria-label", words.textContent);
  });
  if (!handles.length && left) setTimeout(label, 100, left - 1);
};
label(100);
// Vega reports a click by an event that does not bubble, and widgets only receive events that do.
// The page has one listener for all open notebooks.
const root = document.documentElement;
if (!root.dataset.mkListens) {
  root.dataset.mkListens = "yes";
  document.addEventListener("input", (event) => {
    if (!event.bubbles && event.target.closest(".mk-input")) {
      event.target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }, true);
  // A redrawn table stays open or closed.
  const opened = new Map();
  const title = (table) => table.querySelector("summary").textContent;
  document.addEventListener("toggle", ({ target }) => {
    if (target.matches("details.mk-table")) opened.set(title(target), target.open);
  }, true);
  const reopen = (table) => { table.open = opened.get(title(table)) ?? table.open; };
  new MutationObserver((changes) => {
    const added = changes.flatMap((change) => [...change.addedNodes]);
    for (const node of added.filter((n) => n.querySelectorAll)) {
      node.querySelectorAll("details.mk-table").forEach(reopen);
    }
  }).observe(document.body, { childList: true, subtree: true });
}
// Reports the width available for charts to the panel: at first, and 400 ms after the last change.
// A notebook in a hidden tab has no width.
const watchRoom = (left) => {
  const input = element.closest(".jp-OutputArea")?.querySelector(".mk-room input");
  if (!input) return left && setTimeout(watchRoom, 100, left - 1);
  const area = input.closest(".jp-OutputArea-output");
  const report = () => {
    const room = String(area.clientWidth);
    if (room === "0" || input.value === room) return;
    input.value = room;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  let timer;
  new ResizeObserver(() => { clearTimeout(timer); timer = setTimeout(report, 400); }).observe(area);
};
watchRoom(100);

// The slider of the widget library says nothing to a screen reader: its handle gets its label here.
const label = (left) => {
  const handles = document.querySelectorAll(".mk-panel .noUi-handle");
  handles.forEach((handle) => {
    const words = handle.closest(".widget-slider").querySelector("label");
    handle.setAttribute("aria-label", words.textContent);
  });
  if (!handles.length && left) setTimeout(label, 100, left - 1);
};
label(100);
// Vega tells the panel of a click by an event that ends at its element; widgets hear of those only
// that rise above it. The page keeps one listener, whatever number of notebooks is open.
const root = document.documentElement;
if (!root.dataset.mkHears) {
  root.dataset.mkHears = "yes";
  document.addEventListener("input", (event) => {
    if (!event.bubbles && event.target.closest(".mk-ear")) {
      event.target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }, true);
  // A table that is drawn again is as open as the one before it.
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
// The panel is told how much room there is for charts: once it stands, and when that has changed
// and come to rest. A notebook that nobody looks at has none.
const watchRoom = (left) => {
  const ear = element.closest(".jp-OutputArea")?.querySelector(".mk-room input");
  if (!ear) return left && setTimeout(watchRoom, 100, left - 1);
  const area = ear.closest(".jp-OutputArea-output");
  const tell = () => {
    const room = String(area.clientWidth);
    if (room === "0" || ear.value === room) return;
    ear.value = room;
    ear.dispatchEvent(new Event("input", { bubbles: true }));
  };
  let rest;
  new ResizeObserver(() => { clearTimeout(rest); rest = setTimeout(tell, 400); }).observe(area);
};
watchRoom(100);

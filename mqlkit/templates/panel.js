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

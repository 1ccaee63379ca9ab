// Draws each chart with Vega's interpreter, because the page's policy forbids eval.
const page = JSON.parse(document.getElementById("charts").textContent);
const specs = page.charts;
const unpacked = ({ columns, rows }) =>
  rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
const unpack = (spec) => {
  for (const [name, part] of Object.entries(spec.datasets)) spec.datasets[name] = unpacked(part);
};
for (const spec of Object.values(specs)) {
  unpack(spec);
  for (const part of Object.values(spec.usermeta?.grains ?? {})) if (part) unpack(part);
}
// Names such as "constructor" have a word joiner behind them, which is not shown.
const plain = (name) => name?.replace(/\u2060$/, "");
const drawn = new Map();

// Draws or redraws a chart. The highlighted value stays highlighted.
const draw = async (id, spec) => {
  const place = document.querySelector(`#${id} .plot`);
  try {
    drawn.get(id)?.finalize();
    place.removeAttribute("data-drawn");
    const result = await vegaEmbed(place, spec, { ast: true, actions: false, renderer: "svg" });
    drawn.set(id, result);
    result.view.addEventListener("click", (_, item) => pickFrom(spec, item));
    markPicked();
    place.setAttribute("data-drawn", "yes");
  } catch (error) {
    console.error(`chart ${id} could not be drawn: ${error}`);
  }
};

// Leaves a chart without anything drawn.
const clear = (id) => {
  drawn.get(id)?.finalize();
  document.querySelector(`#${id} .plot`).replaceChildren();
};

// Charts are redrawn for the width of the paper: text in scaled-down charts would be too small.
const onPaper = (is) => {
  document.body.classList.toggle("paper", is);
  window.dispatchEvent(new Event("resize"));
};
window.addEventListener("beforeprint", () => onPaper(true));
window.addEventListener("afterprint", () => onPaper(false));

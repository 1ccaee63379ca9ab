// Draws every chart of the page, with Vega's interpreter, since the page allows no eval.
const page = JSON.parse(document.getElementById("charts").textContent);
const specs = page.charts;
const unpacked = ({ columns, rows }) =>
  rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
for (const spec of Object.values(specs)) {
  for (const [name, part] of Object.entries(spec.datasets)) spec.datasets[name] = unpacked(part);
}
const drawn = new Map();

// Draws a chart, or draws it anew; what has been picked out stays so.
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

// Charts take the width of paper too: a scaled-down screen chart has type nobody can read.
const onPaper = (is) => {
  document.body.classList.toggle("paper", is);
  window.dispatchEvent(new Event("resize"));
};
window.addEventListener("beforeprint", () => onPaper(true));
window.addEventListener("afterprint", () => onPaper(false));

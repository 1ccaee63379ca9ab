// Draws every chart of the page, with Vega's interpreter, since the page allows no eval.
const specs = JSON.parse(document.getElementById("charts").textContent);
for (const [id, spec] of Object.entries(specs)) {
  const place = document.querySelector(`#${id} .plot`);
  vegaEmbed(place, spec, { ast: true, actions: false, renderer: "svg" }).then(
    () => place.setAttribute("data-drawn", "yes"),
    (error) => console.error(`chart ${id} could not be drawn: ${error}`),
  );
}

// Charts take the width of paper too: a scaled-down screen chart has type nobody can read.
const onPaper = (is) => {
  document.body.classList.toggle("paper", is);
  window.dispatchEvent(new Event("resize"));
};
window.addEventListener("beforeprint", () => onPaper(true));
window.addEventListener("afterprint", () => onPaper(false));

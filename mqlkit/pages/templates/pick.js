// Highlights the selected value of a breakdown in each chart and table that contains it.
let picked = { by: "", name: "" };
const breakdowns = [...new Set(Object.values(specs).map((s) => s.usermeta?.by).filter(Boolean))];
const tools = document.createElement("div");
tools.className = "tools";
tools.setAttribute("role", "group");
tools.setAttribute("aria-label", "What this page shows");
const state = document.createElement("span");
state.setAttribute("role", "status");

const marksOf = (figure) => [...figure.querySelectorAll(".plot svg .role-mark > *")]
  .filter((mark) => mark.__data__?.datum?.name !== undefined);

// The cells of each table column that holds values of a breakdown.
const columnsOf = (by) => [...document.querySelectorAll(".mk-table table")].flatMap((table) => {
  const heads = [...table.querySelectorAll("thead th")];
  const at = heads.findIndex((h) => h.textContent.toLowerCase() === by.toLowerCase());
  return at < 0 ? [] : [[...table.querySelectorAll("tbody tr")].map((row) => row.cells[at])];
});

function markPicked() {
  let places = 0;
  for (const [id, spec] of Object.entries(specs)) {
    if (!spec.usermeta?.by) continue;
    const marks = marksOf(document.getElementById(id));
    const isIn = (mark) => plain(mark.__data__.datum.name) === picked.name;
    const isKnown = spec.usermeta.by === picked.by && marks.some(isIn);
    places += isKnown;
    for (const mark of marks) mark.classList.toggle("dim", isKnown && !isIn(mark));
  }
  for (const by of breakdowns) {
    for (const cells of columnsOf(by)) {
      const isIn = (cell) => picked.by === by && cell?.textContent === picked.name;
      places += cells.some(isIn);
      for (const cell of cells) cell?.parentNode.classList.toggle("picked", isIn(cell));
    }
  }
  for (const list of tools.querySelectorAll("select[data-by]")) {
    list.value = list.dataset.by === picked.by ? picked.name : "";
  }
  state.textContent = picked.name ? `Highlighted in ${places} charts and tables` : "";
}

function pick(by, name) {
  const isSame = picked.by === by && picked.name === name;
  picked = isSame || !name ? { by: "", name: "" } : { by, name };
  markPicked();
}

function pickFrom(spec, item) {
  const name = item?.datum?.name;
  if (spec.usermeta?.by && typeof name === "string") pick(spec.usermeta.by, plain(name));
}

// A list for each breakdown, for use with the keyboard.
const labeled = (text, control) => {
  const label = document.createElement("label");
  label.append(text, control);
  return label;
};
const addList = (by) => {
  const rows = Object.values(specs).filter((s) => s.usermeta?.by === by)
    .flatMap((s) => Object.values(s.datasets ?? {}).flat());
  const cells = columnsOf(by).flat().filter(Boolean);
  const names = [...rows.map((r) => plain(r.name)), ...cells.map((c) => c.textContent)];
  const known = [...new Set(names.filter((n) => n && n !== "–" && !/^\(other |^\(all\)$/.test(n)))];
  const list = document.createElement("select");
  list.dataset.by = by;
  list.append(new Option("all", ""), ...known.sort((a, b) => a.localeCompare(b)).map((n) => new Option(n, n)));
  list.addEventListener("change", () => { picked = { by: "", name: "" }; pick(by, list.value); });
  tools.append(labeled(by[0].toUpperCase() + by.slice(1), list));
  for (const cell of cells) cell.addEventListener("click", () => pick(by, cell.textContent));
};

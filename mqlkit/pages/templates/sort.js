// Sorts a table by the column whose heading is clicked; a second click reverses the order.
const HOURS = { minute: 1 / 60, hour: 1, day: 24 };

// Numbers are right-aligned texts: 1,234; €98.02; −3.5%; 26.3–29.6%; 3.0 days.
const figure = (text) => {
  const number = text.replace(/[^\d.,\-−–]/g, "").replace(/[−]/, "-").replace(/,/g, "");
  const unit = /(minute|hour|day)s?$/.exec(text)?.[1];
  return parseFloat(number.replace(/^–/, "")) * (unit ? HOURS[unit] : 1);
};

const sorted = (rows, at, isUp) => {
  const key = (row) => row.cells[at].textContent.trim();
  const isFigure = rows.some((row) => !row.cells[at].classList.contains("mk-text"));
  const inOrder = (a, b) => isFigure ? figure(key(a)) - figure(key(b)) : key(a).localeCompare(key(b));
  // Buckets and lags sort in the order of the page, which their names do not show.
  const isOrdered = at === 0 && "ordered" in rows[0].closest("table").dataset;
  const asMade = (a, b) => a.dataset.row - b.dataset.row;
  const compare = isOrdered ? asMade : inOrder;
  const isKept = (row) => "total" in row.dataset;
  const isNothing = (row) => ["", "–"].includes(key(row));
  return rows.toSorted((a, b) => isKept(a) - isKept(b) || isNothing(a) - isNothing(b)
    || (isUp ? compare(a, b) : compare(b, a)) || asMade(a, b));
};

for (const table of document.querySelectorAll(".mk-table table")) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.querySelectorAll("thead th")];
  if (rows.length < 3 || rows.some((row) => row.cells.length !== heads.length)) continue;
  rows.forEach((row, i) => { row.dataset.row = i; });
  heads.forEach((head, at) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const isUp = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
      body.append(...sorted(rows, at, isUp));
    });
  });
}

// Charts by bucket in coarser buckets. The rows of each grain are those of a report of that grain.
const WORDS = { half: "half-year" };
const inWords = (grain) => WORDS[grain] ?? grain;

// The slider of a chart keeps its position.
const asSet = (id, params) => {
  const view = drawn.get(id)?.view;
  return params?.map((param) => ({ ...param, value: view?.signal(param.name) ?? param.value }));
};

async function showGrain(wanted) {
  for (const [id, spec] of Object.entries(specs)) {
    const grains = spec.usermeta?.grains;
    if (!grains) continue;
    const parts = wanted === page.grain ? {} : grains[wanted];
    if (parts) {
      const shown = { ...spec, ...parts };
      await draw(id, { ...shown, params: asSet(id, shown.params) });
      describe(id, shown.description);
    } else {
      clear(id);
      describe(id, `There is nothing to show by ${inWords(wanted)}.`);
    }
  }
}

const describe = (id, words) => {
  const figure = document.getElementById(id);
  figure.setAttribute("aria-label", words);
  figure.querySelector("figcaption").textContent = words;
};

const addGrains = () => {
  const coarser = Object.values(specs).flatMap((s) => Object.keys(s.usermeta?.grains ?? {}));
  if (!coarser.length) return;
  const list = document.createElement("select");
  const names = [page.grain, ...new Set(coarser)];
  list.append(...names.map((name) => new Option(inWords(name), name)));
  list.addEventListener("change", () => showGrain(list.value));
  tools.append(labeled("Charts by", list));
};

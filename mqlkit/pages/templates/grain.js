// Charts by bucket, in coarser buckets: counts are added, shares are recomputed from counts.
const Z95 = 1.959963984540054;
const WORDS = { half: "half-year" };
let grain = page.grain;

const wilson = (hits, n) => {
  if (!n) return [null, null];
  const share = hits / n, z = Z95 * Z95;
  const center = share + z / (2 * n);
  const spread = Z95 * Math.sqrt(share * (1 - share) / n + z / (4 * n * n));
  const ends = [-1, 1].map((side) => (center + side * spread) / (1 + z / n));
  return [hits === 0 ? 0 : ends[0], hits === n ? 1 : ends[1]];
};

const isKnown = (value) => value !== null && value !== undefined;
const sum = (rows, name) =>
  rows.every((row) => isKnown(row[name])) ? rows.reduce((all, row) => all + row[name], 0) : null;

// Merges the rows of a bucket into one. Columns without a rule cannot be added and stay empty.
const added = (rows, [bucket, when], rules) => {
  const row = { bucket, when };
  for (const name of rules.keys ?? []) row[name] = rows[0][name];
  if ("rank" in rows[0]) row.rank = rows[0].rank;
  for (const name of rules.sum ?? []) row[name] = sum(rows, name);
  for (const name of rules.last ?? []) row[name] = rows.at(-1)[name];
  for (const name of rules.any ?? []) row[name] = rows.some((r) => r[name]);
  for (const [share, n, low, high] of rules.shares ?? []) {
    const hits = rows.reduce((all, r) => all + (r[n] ? Math.round(r[share] * r[n]) : 0), 0);
    row[n] = sum(rows, n);
    row[share] = row[n] ? hits / row[n] : null;
    [row[low], row[high]] = wilson(hits, row[n]);
  }
  for (const [ratio, top, bottom] of rules.ratios ?? []) {
    row[top] = sum(rows, top);
    row[bottom] = sum(rows, bottom);
    row[ratio] = row[bottom] && isKnown(row[top]) ? row[top] / row[bottom] : null;
  }
  return row;
};

const coarser = (rows, places, rules) => {
  const groups = new Map();
  for (const row of rows) {
    const place = places[row.bucket];
    const key = JSON.stringify([place[0], ...(rules.keys ?? []).map((name) => row[name])]);
    if (!groups.has(key)) groups.set(key, { place, rows: [] });
    groups.get(key).rows.push(row);
  }
  return [...groups.values()].map((group) => added(group.rows, group.place, rules));
};

// The longest table of a chart has every bucket; the others are subsets of its rows.
const inGrain = (spec, wanted) => {
  const rules = spec.usermeta.adds, places = page.buckets[wanted];
  const tables = Object.entries(spec.datasets);
  const [, longest] = tables.reduce((a, b) => (b[1].length > a[1].length ? b : a));
  const rows = coarser(longest, places, rules);
  const datasets = tables.map(([name, part]) => {
    const kept = new Set(part.map((row) => places[row.bucket][0]));
    return [name, rows.filter((row) => kept.has(row.bucket))];
  });
  return drawable({
    ...spec, datasets: Object.fromEntries(datasets), description: described(rules, rows, wanted),
  });
};

// Vega logs a warning for an empty layer.
const drawable = (spec) => ({
  ...spec,
  layer: spec.layer?.filter((layer) => {
    const rows = spec.datasets[(layer.data ?? spec.data).name];
    const field = layer.encoding.y?.field;
    return !field || rows.some((row) => isKnown(row[field]));
  }),
});

// Costs are precomputed for each grain and lag, so the slider keeps its position.
const costsInGrain = (id, spec, wanted) => {
  const { grains } = spec.usermeta;
  const now = { grain: wanted, lag: drawn.get(id)?.view.signal("lag") };
  const parts = Object.entries(spec.datasets).map(([name, rows]) =>
    [name, rows.filter((row) => row.grain === wanted)]);
  return drawable({
    ...spec,
    datasets: Object.fromEntries(parts),
    params: spec.params.map((param) => ({ ...param, value: now[param.name] ?? param.value })),
    description: wanted === page.grain ? spec.description
      : grains.words.replace("{grain}", WORDS[wanted] ?? wanted),
  });
};

const shownIn = (id, spec, wanted) => {
  if (spec.usermeta?.grains) return costsInGrain(id, spec, wanted);
  return spec.usermeta?.adds && wanted !== page.grain ? inGrain(spec, wanted) : spec;
};

const described = (rules, rows, wanted) => {
  const known = rows.map((row) => row[rules.span]).filter(isKnown);
  const isShare = (rules.shares ?? []).some(([name]) => name === rules.span);
  const text = (x) => isShare ? `${Math.round(100 * x)}%` : Math.round(x).toLocaleString("en");
  const texts = {
    "{grain}": WORDS[wanted] ?? wanted,
    "{span}": known.length ? `${text(Math.min(...known))} to ${text(Math.max(...known))}` : "none",
    "{{": "{",
    "}}": "}",
  };
  return rules.words.replace(/\{\{|\}\}|\{grain\}|\{span\}/g, (found) => texts[found]);
};

const describe = (id, words) => {
  const figure = document.getElementById(id);
  figure.setAttribute("aria-label", words);
  figure.querySelector("figcaption").textContent = words;
};

async function showGrain(wanted) {
  grain = wanted;
  for (const [id, spec] of Object.entries(specs)) {
    if (!spec.usermeta?.adds && !spec.usermeta?.grains) continue;
    const shown = shownIn(id, spec, wanted);
    await draw(id, shown);
    describe(id, shown.description);
  }
}

const addGrains = () => {
  // A grain with the same buckets shows nothing new.
  const fewer = Object.entries(page.buckets).filter(([, places]) =>
    new Set(Object.values(places).map(([label]) => label)).size < Object.keys(places).length);
  if (!fewer.length) return;
  const list = document.createElement("select");
  list.append(...[page.grain, ...fewer.map(([name]) => name)].map((name) => new Option(WORDS[name] ?? name, name)));
  list.addEventListener("change", () => showGrain(list.value));
  tools.append(labeled("Charts by", list));
};

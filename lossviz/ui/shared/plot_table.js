// The picture as a table, for people who can't see it: a row a sequence, a column a timestep, and the sum in one sentence.

const TABLE_AFTER_MS = 400; // after the last picture: it need not follow every key

/** What Plotly's text says, without its tags. */
const plainText = (text) => unescaped(text.replace(/<br>/g, ", ").replace(/<[^>]*>/g, ""));

const element = (name, text = "", attributes = {}) => Object.assign(document.createElement(name), { textContent: text, ...attributes });

/** The heatmaps that can be selected in, as one table, with the numbers of the model; null where there is none. */
function tableOf(grids, annotations, model) {
  if (!grids.length) return null;
  const [first] = grids;
  const drawn = annotations?.find(({ name }) => name === "divisor")?.text;
  const sum = drawn && (model?.line()?.join("") ?? drawn);
  const table = element("table");
  table.append(element("caption", plainText([grids.map(({ name }) => name).join(", "), sum].filter(Boolean).join(": "))));
  const head = table.createTHead().insertRow();
  head.append(element("th", "sequence", { scope: "col" }), ...first.x.at.map((t) => element("th", `timestep ${t}`, { scope: "col" })));
  const body = table.createTBody();
  first.y.at.forEach((b, row) => {
    const line = body.insertRow();
    line.append(element("th", String(b), { scope: "row" }));
    first.x.at.forEach((t, column) => {
      const target = first.words?.[row]?.[column]?.split("<br>")[0].split(", first choice")[0];
      const numbers = grids.map((grid) => `${grid.name} ${numberIn(grid, [b, t], model)}`);
      line.append(element("td", [target && plainText(target), ...numbers].filter(Boolean).join(", ")));
    });
  });
  return table;
}

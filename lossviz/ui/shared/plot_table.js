// The picture as a table, for people who can't see it: a row per sequence, a column per timestep, and the sum in one sentence.

const TABLE_AFTER_MS = 400; // after the last picture: it need not follow every key
const MOST_CELLS = 8192; // an overview of more has none: each of its cells is several timesteps, and the detail has one
const CELLS_AT_ONCE = 256; // 8,000 in one go would keep the browser from the next key for a third of a second

/** What Plotly's text says, without its tags. */
const plainText = (text) => unescaped(text.replace(/<br>/g, ", ").replace(/<[^>]*>/g, ""));

const element = (name, text = "", attributes = {}) => Object.assign(document.createElement(name), { textContent: text, ...attributes });

/** Waits until the browser has nothing else to do, or a while has passed. Safari can't tell. */
const idle = () => new Promise((resolve) => (globalThis.requestIdleCallback ?? setTimeout)(() => resolve(), { timeout: 200 }));

class Table {
  constructor(root) {
    this.root = root;
    this.turn = 0; // of the picture that is written: a newer one ends the older one's turn
  }

  /** Marks what is there as old, and writes what `ask` gives once the picture rests. */
  soon(ask) {
    this.root.ariaBusy = "true";
    clearTimeout(this.waits);
    const turn = ++this.turn;
    this.waits = setTimeout(() => this.write(turn, ask()), TABLE_AFTER_MS);
  }

  stop() {
    clearTimeout(this.waits);
    this.turn += 1;
  }

  /** Writes the heatmaps that can be selected in, with the numbers of the model; a table of the same size keeps the cells that say so already. */
  async write(turn, { grids, annotations, model, isSure }) {
    const [first] = grids;
    if (!first || first.x.at.length * first.y.at.length > MOST_CELLS) this.root.replaceChildren();
    else {
      const [rows, columns] = [first.y.at, first.x.at];
      const table = this.sized(rows, columns);
      const drawn = annotations?.find(({ name }) => name === "divisor")?.text;
      const sum = drawn && (model?.line()?.join("") ?? drawn);
      put(table.caption, plainText([grids.map(({ name }) => name).join(", "), sum].filter(Boolean).join(": ")));
      for (let row = 0, written = 0; row < rows.length; row += 1, written += columns.length) {
        if (written >= CELLS_AT_ONCE) {
          await idle();
          written = 0;
        }
        if (turn !== this.turn) return;
        const { cells } = table.tBodies[0].rows[row] ?? emptyRow(table, rows[row], columns);
        columns.forEach((_, column) => put(cells[column + 1], cellWords(grids, row, column, model)));
      }
    }
    if (isSure) this.root.ariaBusy = null;
  }

  /** The table of these sequences and timesteps: the one that is there, or a new one without rows. */
  sized(rows, columns) {
    const size = `${rows}: ${columns}`;
    const [old] = this.root.children;
    if (old && this.size === size) return old;
    const table = element("table");
    table.createCaption();
    const head = table.createTHead().insertRow();
    head.append(element("th", "sequence", { scope: "col" }), ...columns.map((t) => element("th", `timestep ${t}`, { scope: "col" })));
    table.createTBody();
    this.root.replaceChildren(table);
    this.size = size;
    return table;
  }
}

function emptyRow(table, b, columns) {
  const line = table.tBodies[0].insertRow();
  line.append(element("th", String(b), { scope: "row" }), ...columns.map(() => element("td")));
  return line;
}

/** What a cell says: its target, and the number of each heatmap. */
function cellWords(grids, row, column, model) {
  const [first] = grids;
  const target = first.words?.[row]?.[column]?.split("<br>")[0].split(", first choice")[0];
  const numbers = grids.map((grid) => `${grid.name} ${numberIn(grid, [first.y.at[row], first.x.at[column]], model)}`);
  return [target && plainText(target), ...numbers].filter(Boolean).join(", ");
}

function put(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}

// Where the cells of a heatmap are: between the numbers [b, t] of a cell, its place in the arrays, and its pixels.

/** One heatmap to select in: its axes, the numbers of its rows and columns, and its values. */
class Grid {
  constructor(trace, plot) {
    const columns = trace.z[0]?.length ?? 0;
    this.name = trace.name ?? "";
    this.part = trace.meta?.part ?? ""; // of the equation: "loss", "weight" or "kept"
    this.z = trace.z;
    [this.xgap, this.ygap] = [trace.xgap ?? 0, trace.ygap ?? 0];
    this.words = Array.isArray(trace.text?.[0]) ? trace.text : null; // of each cell, as Plotly writes it
    this.x = new Side(plot, axisName(trace.xaxis, "x"), [...(trace.x ?? Array(columns).keys())]);
    this.y = new Side(plot, axisName(trace.yaxis, "y"), [...(trace.y ?? Array(trace.z.length).keys())]);
    this.subplot = (trace.xaxis ?? "x") + (trace.yaxis ?? "y");
  }

  /** [row, column] of the values under a cell [b, t], or null when the cell is not in this grid. */
  position([b, t]) {
    const [row, column] = [nearest(this.y.at, b), nearest(this.x.at, t)];
    return row === null || column === null ? null : [row, column];
  }

  /** The cell [b, t] under a point in pixels of the plot, or null. */
  cellAt(left, top) {
    const [column, row] = [nearest(this.x.at, valueAt(this.x.axis, left)), nearest(this.y.at, valueAt(this.y.axis, top))];
    return row === null || column === null ? null : [this.y.at[row], this.x.at[column]];
  }
}

/** The columns or rows of a grid: their numbers, and the axis as it is now (plotly.js makes new ones at every zoom). */
class Side {
  constructor(plot, name, at) {
    Object.assign(this, { plot, name, at });
  }
  get axis() {
    return this.plot._fullLayout[this.name];
  }
}

const axisName = (id, letter) => letter + "axis" + (id ?? letter).slice(1);
const step = (at) => (at.length > 1 ? at[1] - at[0] : 1);
// A vertical axis counts pixels from the top and values from the bottom.
const ends = (axis) => (axis._id[0] === "y" ? [axis.range[1], axis.range[0]] : axis.range).map(Number);

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&#35;": "#", "&#36;": "$" };

/** Text as it was before lossviz.figures escaped it. */
const unescaped = (text) => text.replace(/&(?:lt|gt|amp|#35|#36);/g, (entity) => ENTITIES[entity]);

const clamp = (value, range) => Math.min(Math.max(value, Math.min(...range)), Math.max(...range));

function nearest(at, value) {
  const index = Math.round((value - at[0]) / step(at));
  return index >= 0 && index < at.length ? index : null;
}

function valueAt(axis, pixel) {
  const [from, to] = ends(axis);
  return from + ((pixel - axis._offset) / axis._length) * (to - from);
}

function pixelOf(axis, value) {
  const [from, to] = ends(axis);
  return ((value - from) / (to - from)) * axis._length;
}

/** What to relayout to see the axes as the figure was sent. */
function home(layout) {
  const axes = Object.entries(layout).filter(([name]) => /^[xy]axis\d*$/.test(name));
  return Object.fromEntries(
    axes.map(([name, { range, autorange }]) => (range ? [name + ".range", [...range]] : [name + ".autorange", autorange ?? true])),
  );
}

function svg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** What a grid shows in a cell, in words: as the model has it now, else as it was drawn. */
function numberIn(grid, cell, model) {
  const [row, column] = grid.position(cell);
  const value = model?.in(grid.part, cell) ?? Number(grid.z[row]?.[column] ?? NaN);
  return Number.isNaN(value) ? "no number" : String(+value.toPrecision(4));
}

/** The selected cell in words, for people who can't see it; "" where none is. */
function wordsOf(grids, cell, model) {
  if (!cell || !grids.length) return "";
  const values = grids.flatMap((grid) => (grid.position(cell) ? [`${grid.name} ${numberIn(grid, cell, model)}`.trim()] : []));
  return `Sequence ${cell[0]}, timestep ${cell[1]}: ${values.join(", ")}`;
}

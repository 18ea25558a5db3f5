// What the user's hand changes in the picture: the mask, a length, a weight, a target, its logit. Each change is a step that can
// be undone. It names its cell, the batch, and the value that was shown there (docs/decisions/0019).

const END_PX = 7;
const DOUBLE_MS = 400;
const LETTERS = { w: "weights", t: "targets", enter: "targets", l: "logits" };

class Hand {
  constructor(view, input) {
    Object.assign(this, { view, last: 0, pending: [], preview: [], note: "", field: new Field(this, input) });
  }

  /** What may be edited, and why not otherwise; forgets the steps that the server has made. */
  take(hand) {
    this.can = hand;
    this.pending = hand ? this.pending.filter(({ number, batch }) => number > hand.done && batch === hand.batch) : [];
  }

  /** The server's model with the steps that were made since. */
  get base() {
    return this.pending.reduce((model, { edits }) => model.after(edits), this.view.truth);
  }

  /** The same, with what the hand is doing now. */
  get shown() {
    return this.preview.length ? this.base.after(this.preview) : this.base;
  }

  /** How the last step changed the number, in words. */
  get words() {
    if (this.preview.length) return stepWords(this.base.number(), this.shown.number());
    if (!this.pending.length) return this.can?.step;
    const before = this.pending.slice(0, -1).reduce((model, { edits }) => model.after(edits), this.view.truth);
    return stepWords(before.number(), this.base.number());
  }

  allows(field) {
    return this.can?.why?.[field] === "";
  }

  /** Says over the picture why a field can't be edited, until the next press or key. */
  refuse(field) {
    this.note = this.can?.why?.[field] ?? "";
    if (!this.note) return;
    this.view.say(this.note);
    this.view.terms.write();
  }

  forget() {
    const had = this.note;
    this.note = "";
    if (had) this.view.terms.write();
  }

  step(step) {
    this.preview = [];
    this.last = Math.max(Date.now(), this.last + 1);
    this.pending.push({ edits: [], ...step, number: this.last, batch: this.can.batch });
    this.view.refresh();
    this.view.tellNow(); // a click on another page may be on its way
  }

  /** Several entries become one step; what is so already makes none. */
  make(edits) {
    const news = edits.filter(({ value, held }) => value !== held);
    if (news.length) this.step({ edits: news });
    else this.show([]);
  }

  show(edits) {
    this.preview = edits;
    this.view.refresh();
  }

  weight(cell, value) {
    const { base } = this;
    return { field: "weights", index: cell, value, held: base.masked[base.at(cell)] };
  }

  length(row, value) {
    return { field: "lengths", index: [row], value, held: this.base.lengths[row] };
  }

  get readsByLength() {
    return this.allows("lengths") && this.base.mask !== "weights";
  }

  /** What makes a classifier read a timestep: its length, or where weights say what counts, no weight after it. */
  reading([row, timestep]) {
    const { base } = this;
    if (this.readsByLength) return [this.length(row, timestep + 1)];
    const own = this.weight([row, timestep], 1);
    const edits = [{ ...own, value: own.held || 1 }];
    for (let later = timestep + 1; later < base.corner[1] + base.columns; later++) edits.push(this.weight([row, later], 0));
    return edits;
  }

  /** Why a classifier can't be made to read another timestep of that row, as a name in `why`; or "". */
  unread(row) {
    if (!this.allows("reads")) return "reads";
    const { base } = this;
    return !this.readsByLength && base.goesOn[row - base.corner[0]] ? "goes_on" : "";
  }

  // Mouse

  /** Whether the hand takes this press: at a row's end, or in the mask. */
  press(event, grid, cell) {
    if (!this.can) return false;
    this.forget();
    const row = this.rowOfEnd(event, grid);
    if (row !== null) this.pull(event, grid, row);
    else if (grid.part !== "weight" || !cell) return false;
    else if (this.can.reads && !this.unread(cell[0])) this.reach(event, grid, cell);
    else if (!this.can.reads && this.allows("weights")) this.brush(event, grid, cell);
    else {
      this.refuse(this.can.reads ? this.unread(cell[0]) : "weights");
      return false;
    }
    event.preventDefault(); // no mouse event follows, so plotly.js does not pan
    globalThis.Plotly.Fx.unhover(this.view.plot);
    return true;
  }

  /** The row whose end is under the pointer, or null. */
  rowOfEnd(event, grid) {
    const { shown, plot } = this.view;
    if (!this.allows("lengths") || shown?.mask === "weights" || !/weight|kept/.test(grid.part)) return null;
    const { left, top } = plot.getBoundingClientRect();
    const row = grid.y.at[nearest(grid.y.at, valueAt(grid.y.axis, event.clientY - top))];
    if (row === undefined) return null;
    const end = pixelOf(grid.x.axis, clamp(Math.trunc(shown.lengths[row]), [0, this.view.truth.timesteps]) - 0.5) + grid.x.axis._offset;
    const cell = pixelOf(grid.x.axis, 1) - pixelOf(grid.x.axis, 0);
    return Math.abs(event.clientX - left - end) <= Math.min(END_PX, Math.max(cell / 3, 3)) ? row : null;
  }

  /** The timestep under the pointer, of a grid that may end before it; fractions count from a cell's middle. */
  timestepUnder({ clientX }, grid) {
    return valueAt(grid.x.axis, clientX - this.view.plot.getBoundingClientRect().left);
  }

  pull(event, grid, row) {
    const ends = (move) => {
      return [this.length(row, clamp(Math.round(this.timestepUnder(move, grid) + 0.5), [0, this.view.truth.timesteps]))];
    };
    this.follow((move) => this.show(ends(move)), (move) => this.make(ends(move)));
  }

  /** A classifier reads the timestep of that row that is under the pointer. */
  reach(event, grid, cell) {
    const ends = [grid.x.at[0], grid.x.at.at(-1)];
    const to = (move) => [cell[0], clamp(Math.round(this.timestepUnder(move, grid)), ends)];
    this.show(this.reading(cell));
    this.follow((move) => this.show(this.reading(to(move))), (move) => {
      this.view.select(to(move));
      this.make(this.reading(to(move)));
    });
  }

  brush(event, grid, cell) {
    const before = this.pressed;
    this.pressed = { cell: String(cell), time: event.timeStamp, edit: this.weight(cell, 0) };
    if (before?.cell === String(cell) && event.timeStamp - before.time < DOUBLE_MS) {
      this.pressed = null;
      this.step({ undo: "undo", edits: [{ ...before.edit, value: before.edit.held }] }); // the first of two clicks
      this.field.open("weights", cell);
      return;
    }
    const value = this.pressed.edit.held === 0 ? 1 : 0;
    const painted = new Map([[String(cell), this.weight(cell, value)]]);
    this.show([...painted.values()]);
    this.follow((move) => {
      const to = this.view.cellUnder(move, grid);
      if (!to || painted.has(String(to))) return;
      painted.set(String(to), this.weight(to, value));
      this.show([...painted.values()]);
    }, () => {
      this.view.select(cell);
      this.make([...painted.values()]);
    });
  }

  follow(move, release) {
    const stop = new AbortController();
    const { signal } = stop;
    const end = (event) => {
      stop.abort();
      release(event);
    };
    window.addEventListener("pointermove", move, { signal });
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, end, { signal });
  }

  /** Shows by the pointer's form what a press would do. */
  hover(event, grid) {
    const { root } = this.view;
    const end = grid && this.can && this.rowOfEnd(event, grid) !== null;
    root.classList.toggle("at-end", Boolean(end));
    root.classList.toggle("on-mask", !end && grid?.part === "weight" && this.allows(this.can?.reads ? "reads" : "weights"));
  }

  /** Opens the field of a cell; whether there is one. */
  openAt(grid, cell) {
    if (!this.can || !cell || !grid) return false;
    return this.field.open(grid.part === "weight" ? "weights" : "targets", cell);
  }

  // Keys

  /** Whether the hand takes this key. */
  key(event) {
    const { cell } = this.view;
    if (!this.can) return false;
    this.forget();
    const control = event.ctrlKey || event.metaKey;
    const letter = event.key.toLowerCase();
    if (control && (letter === "z" || letter === "y")) this.step({ undo: letter === "z" && !event.shiftKey ? "undo" : "redo" });
    else if (control || event.altKey || !cell || this.view.shown?.at(cell) === undefined) return false;
    else if (event.key === " ") this.toggle(cell);
    else if (event.shiftKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) this.shift(cell[0], event.key === "ArrowLeft" ? -1 : 1);
    else if (letter in LETTERS) this.field.open(LETTERS[letter], cell);
    else return false;
    return true;
  }

  toggle(cell) {
    if (this.can.reads) return this.unread(cell[0]) ? this.refuse(this.unread(cell[0])) : this.make(this.reading(cell));
    if (!this.allows("weights")) return this.refuse("weights");
    this.make([this.weight(cell, this.weight(cell, 0).held === 0 ? 1 : 0)]);
  }

  shift(row, by) {
    if (!this.allows("lengths")) return this.refuse("lengths");
    const { held } = this.length(row, 0);
    this.make([this.length(row, clamp(Math.trunc(held) + by, [0, this.view.truth.timesteps]))]);
  }
}

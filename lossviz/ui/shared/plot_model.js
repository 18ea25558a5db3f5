// The numbers of a batch as the browser holds them, and what follows from another mask, target or logit. The server's numbers win.

/** What the cells show, their weights and targets, and how the number is made of them. A model never changes. */
class Model {
  /** As `lossviz.figures.live_equation` describes it. `batch` names the batch, `mask` what its mask comes from. */
  constructor(live) {
    Object.assign(this, live, { known: float64(live.values), weight: float64(live.weights), renamed: new Map() });
    Object.assign(this, { targets: live.labels.ids, timestep: live.timestep && new Timestep(live.timestep) });
    if (live.reads) Object.assign(this, { real: float64(live.reads.real), goesOn: live.reads.goes_on });
    [this.rows, this.columns] = this.shape;
    this.judge();
  }

  /** Where a cell [b, t] is in the arrays; undefined for a cell that is not shown. */
  at([b, t]) {
    const [row, column] = [b - this.corner[0], t - this.corner[1]];
    const inside = row >= 0 && column >= 0 && row < this.rows && column < this.columns;
    return inside ? row * this.columns + column : undefined;
  }

  /** The model after some entries were set: what needs logits that are not here stays as it is until the server has said it. */
  after(edits) {
    const { known, weight, real, goesOn, lengths, targets } = this;
    const copies = Object.entries({ known, weight, real, goesOn, lengths, targets }).map(([name, array]) => [name, array?.slice()]);
    const next = Object.assign(Object.create(Model.prototype), this, Object.fromEntries(copies), { renamed: new Map(this.renamed) });
    for (const { field, index, value } of edits) {
      if (field === "weights") {
        next.mask = "weights"; // a batch that has weights declares them
        next.masked[next.at(index)] = value;
      } else if (field === "lengths") {
        next.lengths[index[0]] = value;
        if (next.mask === "weights") continue;
        next.mask = "lengths";
        next.fill();
      } else {
        if (field === "targets") next.aim(index, classNamed(this.labels, value));
        else next.learn(index, next.timestep?.with(index[2], value));
        continue;
      }
      next.waits = this.under_mask === "other";
    }
    if (next.reads) next.read();
    next.judge();
    return next;
  }

  /** Sets a target; what was typed may be for the server alone to read. */
  aim(cell, target) {
    if (target === undefined || this.at(cell) === undefined) return;
    this.targets[this.at(cell)] = target;
    this.learn(cell, this.timestep?.aimedAt(target));
  }

  /** Takes what is new of the timestep whose logits are here, with the loss that follows; of another one nothing follows. */
  learn([b, t], timestep) {
    const at = this.at([b, t]);
    if (at === undefined || !timestep?.isAt([b, t])) return;
    const { arithmetic, target } = timestep;
    if (!arithmetic) return; // what the server makes of a target that is no class
    this.known[at] = arithmetic.loss;
    if (target !== this.timestep.target) this.renamed.set(at, target);
    this.timestep = timestep;
  }

  /** What a cell says in place of its token once its target was changed here; undefined where the token stands. */
  word(at) {
    const target = this.renamed.get(at);
    const { are_drawn, pad_id, drawn } = this.labels;
    if (target === undefined || !are_drawn) return undefined;
    return target === pad_id && this.masked[at] === 0 ? "·" : (drawn[target] ?? this.token(target));
  }

  /** The token of a class, or its id. */
  token(target) {
    return this.labels.classes?.[target] ?? String(target);
  }

  /** While lengths say what counts, the losses of a sequence whose length can't be are no numbers. The largest weight, 1 at least, shades the mask. */
  judge() {
    this.largest = this.weight.reduce((most, weight) => Math.max(most, weight), 1);
    const odd = (length) => !(length >= 0 && length <= this.timesteps && length === Math.trunc(length));
    const judged = this.mask === "lengths" && this.under_mask === "weighted";
    const rows = judged ? this.lengths.slice(this.corner[0], this.corner[0] + this.rows).map(odd) : [];
    this.value = rows.includes(true) ? this.known.map((value, at) => (rows[Math.floor(at / this.columns)] ? NaN : value)) : this.known;
  }

  /** The weights of the mask: of a classifier, before one timestep of each sequence is read. */
  get masked() {
    return this.real ?? this.weight;
  }

  /** Fills the mask from the lengths. */
  fill() {
    const ends = Array.from({ length: this.rows }, (_, row) => Math.trunc(this.lengths[row + this.corner[0]]));
    for (let at = 0; at < this.masked.length; at++)
      this.masked[at] = Number((at % this.columns) + this.corner[1] < ends[Math.floor(at / this.columns)]);
    if (this.reads) this.goesOn = ends.map((end) => Math.min(end, this.timesteps) > this.corner[1] + this.columns);
  }

  /** A classifier's weights: 1 at the last timestep of each sequence that the mask keeps. */
  read() {
    this.weight.fill(0);
    for (let row = 0; row < this.rows; row++) {
      const kept = this.real.subarray(row * this.columns, (row + 1) * this.columns);
      const last = kept.findLastIndex((weight) => weight !== 0);
      if (last >= 0 && !this.goesOn[row]) this.weight[row * this.columns + last] = 1;
    }
  }

  /** What is left of a cell: exactly 0 where the weight is 0, since 0 × NaN is NaN; undefined where only the server can tell. */
  kept(at) {
    if (this.weight[at] === 0) return 0;
    if (this.waits) return undefined;
    return this.under_mask === "weighted" ? this.weight[at] * this.value[at] : this.value[at];
  }

  /** What a part of the equation shows in a cell; undefined where the model can't tell. */
  in(part, cell) {
    const at = this.at(cell);
    if (at === undefined || !part) return undefined;
    if (part !== "kept") return part === "loss" ? this.value[at] : this.weight[at];
    return this.weight[at] === 0 ? NaN : this.kept(at);
  }

  /** What is left of each row and of each column that is shown, and in all, over the whole batch. */
  sums() {
    const [rows, columns] = [this.outside.rows.map(read), this.outside.columns.map(read)];
    let total = read(this.outside.total.sum);
    for (let at = 0; at < this.value.length; at++) {
      rows[Math.floor(at / this.columns)] += this.kept(at);
      columns[at % this.columns] += this.kept(at);
      total += this.kept(at);
    }
    return { rows, columns, total };
  }

  /** The numerator, the divisor and the number, how many timesteps count, and what divides a cell's group before; null where only the server can tell. */
  number() {
    const by = this.divisor;
    if (!by) return null;
    const count = by.axis === null ? 1 : by.groups;
    const group = (at) => (by.axis === null ? 0 : by.labels[by.axis ? at % this.columns : Math.floor(at / this.columns)]);
    const [sums, own] = [new Float64Array(count), new Float64Array(count)];
    let { sum, weights, nonzero, first } = this.outside.total;
    for (let at = 0; at < this.value.length; at++) {
      if (this.weight[at] === 0) continue;
      sums[group(at)] += this.kept(at);
      own[group(at)] += this.weight[at];
      nonzero += 1;
      first += Number((at % this.columns) + this.corner[1] === 0);
    }
    weights = read(weights) + own.reduce((a, b) => a + b, 0);
    const means = by.axis === null ? [read(sum) + sums[0]] : [...sums].map((total, group) => quotient(total, own[group]));
    const numerator = means.reduce((a, b) => a + b, 0);
    const filled = by.axis === null ? 0 : own.filter((weight) => weight !== 0).length;
    const divisor = by.weights * weights + by.nonzero * nonzero + by.first * first + by.filled * filled + by.constant;
    const each = by.axis === null ? () => 1 : (at) => own[group(at)];
    return { numerator, divisor, value: quotient(numerator, divisor), counting: nonzero, each };
  }

  /** "13.8000 ÷ ", "11", " timesteps that count = ", "1.2545", " nats": every second piece is bold. */
  line() {
    const found = this.number();
    if (!found) return null;
    const plain = this.weight.every((weight) => weight === 0 || weight === 1);
    const words = this.words[plain ? (found.divisor === 1 ? "one" : "ones") : "other"];
    return [`${written(found.numerator)}${this.words.means} ÷ `, exactly(found.divisor), ` ${words} = `, written(found.value), " nats"];
  }
}

/** base64 of float64 → numbers */
function float64(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = letters.charCodeAt(at);
  return new Float64Array(bytes.buffer);
}

const read = (number) => number ?? NaN;

/** A divisor of 0 gives 0, as tf.math.divide_no_nan does, except that NaN stays NaN. */
function quotient(numerator, divisor) {
  return divisor === 0 && !Number.isNaN(numerator) ? 0 : numerator / divisor;
}

/** The step from one number to the next in words: "1.2545 → 0.9667, + 4 timesteps"; "" where nothing changed. */
function stepWords(before, after) {
  if (!before || !after) return "";
  const more = after.counting - before.counting;
  const [from, to] = [written(before.value), written(after.value)];
  if (from === to && !more) return "";
  const count = more ? `, ${more > 0 ? "+" : "−"} ${Math.abs(more)} timestep${Math.abs(more) === 1 ? "" : "s"}` : "";
  return `${from} → ${to}${count}`;
}

// Numbers as text, as lossviz.digits writes them.

function written(value, digits = 4) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+∞" : "−∞";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size !== 0 && (size < 0.5 * 10 ** -digits || size >= 1e12)) return sign + general(size, 3);
  return sign + (size >= 1e5 ? size.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 }) : size.toFixed(digits));
}

/** In the few characters that a cell has; only an exact 0 is written as one. */
function compact(value, digits = 2) {
  const size = Math.abs(value);
  if (!(size > 0 && size < 0.5 * 10 ** -digits)) return written(value, digits);
  const [mantissa, exponent] = size.toExponential(0).split("e-");
  return `${value < 0 ? "−" : ""}${mantissa}e−${exponent}`;
}

/** A divisor with the digits that it has. */
function exactly(value) {
  const [, whole, rest] = general(Math.abs(value), 10).match(/^(\d+)(.*)$/) ?? ["", String(Math.abs(value)), ""];
  return (value < 0 ? "−" : "") + whole.replace(/\B(?=(\d{3})+$)/g, ",") + rest;
}

/** As Python's "%.{digits}g" */
function general(value, digits) {
  if (!Number.isFinite(value) || value === 0) return value === 0 ? "0" : String(value);
  const exponent = Number(value.toExponential(digits - 1).split("e")[1]);
  if (exponent >= -4 && exponent < digits) return String(Number(value.toPrecision(digits)));
  const [mantissa] = value.toExponential(digits - 1).split("e");
  const power = `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  return `${mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa}e${power}`;
}

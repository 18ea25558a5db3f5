// The selected timestep as the browser holds it: its loss follows from its logits, under another target or another logit.

const LONG_WORD = 80; // the server sends so much of a token: a longer one may be another

/** The logits of one timestep and its target. It never changes. */
class Timestep {
  /** As `lossviz.figures.live_equation` describes it. */
  constructor(sent) {
    Object.assign(this, sent, { z: float64(sent.logits) });
  }

  isAt(cell) {
    return String(cell) === String(this.cell);
  }

  aimedAt(target) {
    return Object.assign(Object.create(Timestep.prototype), this, { target });
  }

  /** With another logit, as exactly as the batch holds it; undefined where it is too large, which the server refuses. */
  with(place, typed) {
    const value = this.held(typed);
    if (!Number.isFinite(value)) return undefined;
    const z = this.z.slice();
    z[this.is_sigmoid ? 1 : place] = value; // of a sigmoid's pair (0, z)
    return Object.assign(Object.create(Timestep.prototype), this, { z });
  }

  /** A number as a float of the batch: rounded to its digits, to the even one of two that are as near. */
  held(value) {
    if (value === 0 || !Number.isFinite(value)) return value;
    const { digits, lowest, largest } = this.float;
    const unit = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), lowest) - digits);
    const units = value / unit;
    const whole = Math.abs(units % 1) === 0.5 ? 2 * Math.round(units / 2) : Math.round(units);
    return Math.abs(whole * unit) <= largest ? whole * unit : Math.sign(value) * Infinity;
  }

  /** The logit that a hand may edit: the target's, or a sigmoid's only one. */
  get logit() {
    return this.z[this.is_sigmoid ? 1 : this.target];
  }

  /** log Σ exp(z − max) − (z of the target − max), part by part; undefined where the target is no class. */
  get arithmetic() {
    const { z, target } = this;
    if (z[target] === undefined) return undefined;
    const top = z.indexOf(z.reduce((one, other) => Math.max(one, other)));
    // Σ exp(z − max) = 1 + rest: log1p keeps the digits of losses far below 1e-16.
    const rest = z.reduce((sum, value, place) => (place === top ? sum : sum + Math.exp(value - z[top])), 0);
    const total = Math.log1p(rest);
    const loss = total - (z[target] - z[top]);
    return { total, logit: this.logit, largest: z[top], loss, probability: Math.exp(-loss) };
  }
}

/** The class of a typed token, of an id, or of both, "tea (4)", as the server reads it; undefined where only the server can. */
function classNamed({ classes, is_named }, text) {
  if (is_named && (!classes || text.length >= LONG_WORD)) return undefined;
  if (is_named) {
    const both = /^(.*) \((\d{1,18})\)$/s.exec(text);
    if (both && classes[Number(both[2])] === both[1]) return Number(both[2]);
    const place = classes.indexOf(text);
    if (place >= 0) return place;
  }
  const id = /^[+-]?\d{1,18}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(id) ? id : undefined;
}

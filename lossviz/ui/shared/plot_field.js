// The field that opens over a cell: its weight, its target (a token or an id), or the logit of its target.

const TITLES = { weights: "Weight", targets: "Target", logits: "Logit of the target" };
const LEAST_PX = { weights: 56, targets: 110, logits: 96 };

class Field {
  constructor(hand, input) {
    Object.assign(this, { hand, input, editing: null });
    input.addEventListener("keydown", (event) => this.type(event));
    input.addEventListener("blur", () => this.commit());
  }

  /** Opens over an entry's place in the picture; says why where it can't be edited. Whether the wish was heard. */
  open(field, cell) {
    const { hand, input } = this;
    const { shown, paint, plot, grids, terms } = hand.view;
    if (!hand.allows(field)) {
      hand.refuse(field);
      return true;
    }
    hand.view.select(cell);
    const at = shown.at(cell);
    const values = { weights: shown.weight[at], targets: shown.targets[at], logits: terms.logit(cell) };
    const held = values[field];
    if (held === undefined) return true; // the server has not said it yet
    const name = field === "targets" ? shown.token(held) : String(held);
    const words = name === String(held) ? name : `${name} (${held})`;
    this.editing = { field, index: field === "logits" ? [...cell, hand.can.reads ? 0 : shown.targets[at]] : cell, held, words };
    globalThis.Plotly.Fx.unhover(plot);
    const grid = grids.find(({ part }) => part === (field === "weights" ? "weight" : "loss")) ?? grids[0];
    const { x, y, width, height } = field === "logits" ? terms.place() : paint.placed(grid, shown, at);
    const wide = Math.max(width, LEAST_PX[field] * hand.view.scale);
    Object.assign(input, { hidden: false, value: words });
    input.setAttribute("aria-label", `${TITLES[field]} of sequence ${cell[0]}, timestep ${cell[1]}`);
    input.removeAttribute("aria-invalid");
    const left = Math.min(x, plot.clientWidth - wide);
    Object.assign(input.style, { left: `${left}px`, top: `${y + height / 2}px`, width: `${wide}px` });
    input.focus({ preventScroll: true });
    input.select();
    return true;
  }

  type(event) {
    event.stopPropagation();
    if (event.key === "Escape") this.editing = null;
    else if (event.key !== "Enter") return;
    event.preventDefault();
    if (this.commit()) this.hand.view.root.focus({ preventScroll: true });
  }

  /** Takes what was typed; false where it is no number, and the field stays. */
  commit() {
    const { editing, input } = this;
    const text = input.value.trim();
    const value = editing?.field === "targets" ? text : Number(text.replace(",", "."));
    const isNew = editing && text !== editing.words;
    const isBad = isNew && (text === "" || !(editing.field === "targets" || Number.isFinite(value)));
    if (isBad && document.activeElement === input) {
      input.setAttribute("aria-invalid", "true");
      return false;
    }
    this.editing = null;
    input.hidden = true;
    if (!isNew || isBad) return true;
    const { field, index, held } = editing;
    this.hand.make([{ field, index, value, held: Number.isFinite(held) ? held : String(held) }]); // JSON knows no NaN and no ∞
    return true;
  }
}

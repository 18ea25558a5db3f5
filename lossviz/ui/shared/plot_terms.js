// The arithmetic of the selected cell in one line over the picture. Terms and cells light each other.

class Terms {
  constructor(view, line) {
    Object.assign(this, { view, line, sent: null });
    line.addEventListener("pointerover", ({ target }) => this.light(target.closest("[data-part]")?.dataset.part));
    line.addEventListener("pointerleave", () => this.light());
    line.addEventListener("dblclick", ({ target }) => {
      if (target.closest("[data-part=logit]")) view.hand.field.open("logits", view.cell);
    });
  }

  /** Writes the line of the selected cell: the server's terms, or until they come those that the model knows. */
  write() {
    const { cell, shown, truth, root, hand } = this.view;
    if (hand.note) {
      root.classList.add("has-terms");
      this.line.replaceChildren(hand.note);
      return;
    }
    const at = cell && shown?.has_terms ? shown.at(cell) : undefined;
    const sent = cell && String(this.sent?.cell) === String(cell) ? this.sent : null;
    const isNew = !sent || (at !== undefined && shown !== truth);
    const known = isNew && at !== undefined ? knownTerms(shown, cell) : {};
    const all = sent?.terms ?? Object.entries(SIGNS).map(([part, sign]) => ({ part, sign }));
    const terms = all.map((term) => ({ ...term, value: term.part in known ? known[term.part] : term.value }));
    const certain = terms.filter(({ value }) => value !== undefined);
    root.classList.toggle("has-terms", certain.length > 0);
    const target = shown?.renamed.get(at);
    const word = target === undefined ? sent?.word : shown.token(target).slice(0, 40);
    const head = certain.length ? [this.head(cell, word)] : [];
    this.line.replaceChildren(...head, ...certain.map((term) => this.term(term)));
  }

  /** The logit that may be edited in a cell: as the model has it, else as the server said it of the target that still stands. */
  logit(cell) {
    const { shown, truth } = this.view;
    const at = shown.at(cell);
    if (shown.timestep?.isAt(cell)) return shown.timestep.target === shown.targets[at] ? shown.timestep.logit : undefined;
    if (String(this.sent?.cell) !== String(cell) || shown.targets[at] !== truth.targets[at]) return undefined;
    const said = this.sent.terms.find(({ part }) => part === "logit")?.value ?? undefined;
    return said === undefined ? undefined : Number(said);
  }

  /** Where it stands, in pixels of the picture. */
  place() {
    const [box, { left, top }] = [this.line.querySelector("[data-part=logit]"), this.view.plot].map((part) => part.getBoundingClientRect());
    return { x: box.left - left, y: box.top - top, width: box.width, height: box.height };
  }

  head([b, t], word) {
    const head = document.createElement("b");
    head.textContent = word ? `${word} (${b}, ${t})` : `(${b}, ${t})`;
    return head;
  }

  term({ sign, value, name = "", part, after = "" }) {
    const term = document.createElement("span");
    const number = document.createElement("b");
    const digits = { weight: 4, own: 10, divisor: 10 }[part];
    number.textContent = digits ? general(value, digits) : written(Number(value ?? NaN)); // JSON knows no NaN and no ∞: those are text
    term.append(`${sign} `, number, after);
    term.title = name;
    term.dataset.part = part;
    return term;
  }

  /** Lights a part of the picture and its terms; none by default. */
  light(part = "") {
    const { root, paint } = this.view;
    if ((root.dataset.lit ?? "") === part) return;
    root.dataset.lit = part;
    for (const term of this.line.querySelectorAll("span")) term.classList.toggle("lit", part !== "" && term.dataset.part === part);
    const bold = paint.bold("divisor");
    for (const piece of bold) piece.classList.remove("lit");
    if (/^(own|divisor|number)$/.test(part)) bold[part === "number" ? bold.length - 1 : 0]?.classList.add("lit");
  }

  /** The selected cell under the pointer lights its term. */
  point(grid, cell) {
    const here = cell && String(cell) === String(this.view.cell);
    this.light(here ? grid.part : "");
  }
}

const SIGNS = { loss: "loss", weight: "× weight", kept: "=", divisor: "÷", number: "=" };

/** The terms of a cell that follow from the model; undefined are those that only the server can tell. */
function knownTerms(model, cell) {
  const at = model.at(cell);
  if (model.under_mask !== "weighted") return { weight: model.weight[at] };
  const [found, kept] = [model.number(), model.kept(at)];
  const [own, divisor] = [found?.each(at), found?.divisor];
  const before = model.timestep?.isAt(cell) ? model.timestep.arithmetic : {};
  const number = found ? quotient(kept, own * divisor) : undefined;
  return { ...before, loss: model.value[at], weight: model.weight[at], kept, own, divisor, number };
}

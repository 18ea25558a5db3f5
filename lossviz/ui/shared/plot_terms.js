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
    const known = isNew && at !== undefined ? this.known(shown, at) : {};
    const all = sent?.terms ?? Object.entries(SIGNS).map(([part, sign]) => ({ part, sign }));
    const terms = all.filter(({ part, value }) => value !== undefined || known[part] !== undefined);
    root.classList.toggle("has-terms", terms.length > 0);
    const head = terms.length ? [this.head(cell, sent?.word)] : [];
    this.line.replaceChildren(...head, ...terms.map((term) => this.term(term, known[term.part] ?? term.value)));
  }

  /** The terms that follow from the model. */
  known(model, at) {
    if (model.under_mask !== "weighted") return { weight: model.weight[at] };
    const found = model.number();
    const plain = found && model.divisor.axis === null;
    const kept = model.kept(at);
    const result = plain ? { divisor: found.divisor, number: quotient(kept, found.divisor) } : {};
    return { loss: model.value[at], weight: model.weight[at], kept, ...result };
  }

  /** The target's logit in a cell, once the server has said it. */
  logit(cell) {
    return String(this.sent?.cell) === String(cell) ? this.sent.terms.find(({ part }) => part === "logit") : undefined;
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

  term({ sign, name = "", part, after = "" }, value) {
    const term = document.createElement("span");
    const number = document.createElement("b");
    const whole = part === "weight" || part === "divisor";
    number.textContent = whole ? general(value, part === "weight" ? 4 : 10) : written(value ?? NaN);
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
    if (part === "divisor" || part === "number") bold[part === "divisor" ? 0 : bold.length - 1]?.classList.add("lit");
  }

  /** The selected cell under the pointer lights its term. */
  point(grid, cell) {
    const here = cell && String(cell) === String(this.view.cell);
    this.light(here ? grid.part : "");
  }
}

const SIGNS = { loss: "loss", weight: "× weight", kept: "=", divisor: "÷", number: "=" };

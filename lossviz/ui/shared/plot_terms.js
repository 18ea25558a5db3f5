// The arithmetic of the selected cell in one line over the picture. Terms and cells light each other.

const PARTS = ["loss", "weight", "kept"]; // of the three heatmaps, in their order

class Terms {
  constructor(view, line) {
    Object.assign(this, { view, line, sent: null });
    line.addEventListener("pointerover", ({ target }) => this.light(target.closest("[data-part]")?.dataset.part));
    line.addEventListener("pointerleave", () => this.light());
  }

  /** Writes the line of the selected cell: the server's terms, or until they come those that the model knows. */
  write() {
    const { cell, shown, truth, root } = this.view;
    const at = cell ? shown?.at(cell) : undefined;
    const sent = cell && String(this.sent?.cell) === String(cell) ? this.sent : null;
    const isNew = !sent || (at !== undefined && shown !== truth);
    const known = isNew && at !== undefined ? this.known(shown, at) : {};
    const terms = sent?.terms ?? (at === undefined ? [] : ["loss", "weight", "kept", "divisor", "number"].map((part) => ({ part, sign: SIGNS[part] })));
    const rest = terms.filter(({ part, value }) => value !== undefined || known[part] !== undefined);
    root.classList.toggle("has-terms", rest.length > 0);
    this.line.replaceChildren(...(rest.length ? [this.head(cell, sent?.word)] : []), ...rest.map((term) => this.term(term, known[term.part] ?? term.value)));
  }

  /** The terms that follow from the model. */
  known(model, at) {
    const found = model.number();
    const plain = found && model.divisor.axis === null;
    const kept = model.kept(at);
    const result = plain ? { divisor: found.divisor, number: quotient(kept, found.divisor) } : {};
    return { loss: model.loss[at], weight: model.weight[at], kept, ...result };
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
    for (const piece of paint.note("divisor")?.text?.querySelectorAll("tspan") ?? []) piece.classList.remove("lit");
    const bold = [...(paint.note("divisor")?.text?.querySelectorAll("tspan") ?? [])].filter((piece) => /bold/.test(piece.getAttribute("style") ?? piece.getAttribute("font-weight")));
    if (part === "divisor" || part === "number") bold[part === "divisor" ? 0 : bold.length - 1]?.classList.add("lit");
  }

  /** The selected cell under the pointer lights its term. */
  point(grid, cell) {
    const here = cell && String(cell) === String(this.view.cell);
    this.light(here ? PARTS[this.view.grids.indexOf(grid)] : "");
  }
}

const SIGNS = { loss: "loss", weight: "× weight", kept: "=", divisor: "÷", number: "=" };

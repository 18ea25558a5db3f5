// Draws one Plotly figure and keeps one selected cell. The server sends the figure; a move of the selection is drawn
// here at once and told to the server afterwards. Text from the figure is drawn by plotly.js or set by textContent.

const SEND_EVERY_MS = 120;
const CONFIG = {
  displaylogo: false,
  doubleClick: false, // plotly.js 4.1 leaves axes that match another one zoomed; View.listen resets them all
  modeBarButtons: [["toImage"], ["zoom2d", "pan2d", "resetScale2d"]],
};
const views = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".lossviz-plot");
  if (!views.has(root)) views.set(root, new View(root));
  const view = views.get(root);
  view.update(component);
  return () => {
    view.destroy();
    views.delete(root);
  };
}

class View {
  constructor(root) {
    this.root = root;
    const [plot, layer, overlay, line, field, error, live] = root.children;
    Object.assign(this, { plot, overlay, error, live, paint: new Paint(layer, plot), hand: new Hand(this, field), terms: new Terms(this, line) });
    this.table = new Table(root.parentElement.querySelector(".lossviz-plot-table"));
    this.cell = null; // what is outlined here
    this.number = 0; // of the last event of the user
    this.sent = 0; // when it was sent
    this.grids = [];
    this.painted = 0; // cells that plotly.js has yet to draw
    this.pictures = { drawn: 0, shown: 0 }; // by plotly.js; by plotly.js or at once
    this.truth = this.drawn = this.shown = null; // models: the server's; of plotly.js's picture; what the user sees
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("pointerdown", (event) => this.press(event), true);
    root.addEventListener("pointermove", (event) => {
      const grid = this.gridUnder(event);
      this.hand.hover(event, grid);
      if (!event.target.closest(".lossviz-plot-terms")) this.terms.point(grid, grid && this.cellUnder(event, grid));
    });
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(root);
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.timer);
    clearTimeout(this.telling);
    this.table.stop();
    this.resized.disconnect();
    globalThis.Plotly?.purge(this.plot);
  }

  /** Takes what the server sent. While one picture is drawn, only the newest of the others waits. */
  async update({ data, setStateValue }) {
    this.setStateValue = setStateValue;
    this.waiting = unpack(data);
    if (this.drawing) return;
    this.drawing = true;
    while (this.waiting && !this.gone) {
      const next = this.waiting;
      this.waiting = null;
      try {
        await this.draw(next);
        this.fail(null);
      } catch (error) {
        this.fail(error);
      }
    }
    this.drawing = false;
  }

  async draw(sent) {
    this.describe(sent);
    const Plotly = await library(sent.library);
    if (!sent.selectable) await nextFrame(); // the picture that people look at comes first
    if (this.gone) return;
    const isNew = sent.digest !== this.digest;
    const figure = isNew ? sent.figure() : null;
    this.hand.take(sent.live?.hand);
    this.root.classList.toggle("has-hand", Boolean(sent.live));
    this.root.classList.toggle("reads-one", Boolean(sent.live?.reads));
    this.root.classList.toggle("is-stage", sent.live?.has_terms === false);
    this.terms.sent = sent.terms;
    this.truth = sent.live ? new Model(sent.live) : null;
    if (this.truth) this.truth.says = figure ? wordsIn(figure, this.truth) : this.drawn.says;
    if (isNew) {
      // Where the same cells stay, what changed is on the screen a frame before plotly.js has drawn it.
      const stays = this.truth && this.drawn && this.extent === sent.extent && this.place === sent.live.place;
      if (!stays) this.drawn = this.shown = null;
      else if (this.refresh()) await nextFrame();
      Object.assign(this, { digest: undefined, extent: sent.extent, place: sent.live?.place });
      await this.react(Plotly, sent, figure);
      this.digest = sent.digest;
    } else if (JSON.stringify(sent.shapes) !== JSON.stringify(this.last.shapes)) {
      await Plotly.relayout(this.plot, enlarged({ shapes: sent.shapes }, this.scale)); // what lies over the picture
      this.last = sent;
    }
    this.drawn = this.truth;
    this.refresh();
    // The server's cell counts once it has seen the last event of the user; before that it is an echo of the past.
    if (sent.seen >= this.number) this.show(sent.cell);
  }

  /** Shows the server's numbers with what the hand has done since; returns how many cells plotly.js has yet to draw. */
  refresh() {
    const since = this.shown;
    this.shown = this.truth && this.hand.shown;
    const painted = this.paint.draw(this.drawn, this.shown, this.grids, since, this.hand.words);
    if (painted) this.root.dataset.shown = ++this.pictures.shown;
    if (painted || this.painted) this.tableSoon();
    this.painted = painted;
    this.terms.write();
    return painted;
  }

  async react(Plotly, sent, figure) {
    const scale = scaleOf(this.root);
    const { data, layout } = enlarged(figure, scale);
    Object.assign(WORD, { size: 12 * scale, small: 10.5 * scale, little: 9 * scale, scale });
    this.root.style.setProperty("--lossviz-drawn", scale);
    delete layout.width;
    // Zoom stays while the rows and columns are the same ones, and as long as the figure says.
    const uirevision = `${layout.uirevision ?? ""}: ${sent.extent}`;
    Object.assign(layout, { autosize: true, height: sent.height * scale, uirevision });
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", ...layout.modebar };
    this.home = home(layout);
    // Where axes come or go or the colour bar turns, plotly.js would leave parts of the old picture behind.
    const shape = JSON.stringify([layout.coloraxis?.colorbar?.orientation, Object.keys(layout).filter((key) => /axis/.test(key))]);
    const fresh = shape !== this.shape;
    if (fresh && this.shape) Plotly.purge(this.plot);
    this.shape = shape;
    // Else plotly.js gives a trace with colours of its own those of the trace that was drawn in its place before.
    for (const trace of this.plot._fullData ?? []) delete trace._colorAx;
    await Plotly.react(this.plot, data, layout, { ...CONFIG, toImageButtonOptions: { filename: sent.name } });
    if (fresh) this.listen();
    Object.assign(this, { made: sent.width, scale, last: sent });
    this.tellWidth();
    const select = (trace) => trace.type === "heatmap" && trace.visible === true && trace.meta?.select === true;
    this.grids = sent.selectable ? this.plot._fullData.filter(select).map((trace) => new Grid(trace, this.plot)) : [];
    this.outline();
    this.tableSoon();
    const { pictures } = this;
    Object.assign(this.root.dataset, { drawn: ++pictures.drawn, shown: ++pictures.shown, rev: layout.meta?.rev ?? "" });
  }

  listen() {
    for (const name of ["relayouting", "afterplot"])
      this.plot.on("plotly_" + name, () => {
        this.outline();
        this.paint.draw(this.drawn, this.shown, this.grids, null, this.hand.words);
      });
    this.plot.on("plotly_hover", ({ points }) => this.point(points.find((point) => point.fullData.meta?.select)));
    this.plot.on("plotly_unhover", () => this.point(null));
    this.plot.on("plotly_doubleclick", () => {
      if (this.twice && !this.hand.openAt(...(this.pressed ?? []))) globalThis.Plotly.relayout(this.plot, structuredClone(this.home));
    });
  }

  describe({ label, height, selectable }) {
    this.plot.style.height = `${height * scaleOf(this.root)}px`;
    this.root.setAttribute("aria-label", label);
    this.root.setAttribute("role", selectable ? "application" : "figure");
    if (selectable) {
      this.root.tabIndex = 0;
      this.root.setAttribute("aria-roledescription", "grid of cells; arrow keys move, Escape clears");
    }
  }

  fail(error) {
    this.error.textContent = error ? `This picture could not be drawn: ${error.message || error}.` : "";
    this.error.hidden = !error;
    this.plot.hidden = Boolean(error);
    if (error) this.overlay.replaceChildren();
  }

  /** Tells the server how wide the picture is, since that decides which words fit in its cells. */
  tellWidth() {
    const drawn = this.plot._fullLayout?.width; // asking the page would make it lay itself out again
    const width = drawn && drawn / this.scale; // in the pixels that the server draws for
    if (!this.made || !width || Math.abs(width - this.made) <= 12 || width === this.told) return;
    this.told = width;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.setStateValue("width", width), 150);
  }

  resize() {
    if (!this.pictures.drawn) return;
    if (!this.drawing && Math.abs(scaleOf(this.root) - this.scale) > 0.01) return void this.again();
    if (this.plot.clientWidth && this.plot.clientWidth !== this.plot._fullLayout?.width)
      return void globalThis.Plotly.Plots.resize(this.plot).then(() => this.tellWidth());
    this.tellWidth();
  }

  /** Draws the last picture once more, since the page's type has another size now. */
  async again() {
    this.describe(this.last);
    await this.react(globalThis.Plotly, this.last, this.last.figure());
    this.refresh();
  }

  /** Writes the picture as a table, with the numbers on the screen; where some, or a target's word, are the server's to tell, it stays marked. */
  tableSoon() {
    this.table.soon(() => ({
      grids: this.grids,
      annotations: this.plot.layout?.annotations,
      model: this.shown,
      isSure: !this.hand.pending.length || Boolean(this.shown?.number() && !this.shown.renamed.size),
    }));
  }

  // The selection

  show(cell) {
    this.cell = cell;
    this.root.dataset.cell = cell ?? "";
    this.say(this.hand.note || wordsOf(this.grids, this.cell, this.shown));
    this.terms.write();
    this.outline();
  }

  point(hovered) {
    this.pointed = hovered ? [hovered.y, hovered.x] : null;
    this.outline();
  }

  outline() {
    drawOutlines(this.overlay, this.grids, [[this.pointed, ["pointed"]], [this.cell, ["halo", "line"]]]);
  }

  /** The user moved the selection. */
  choose(cell) {
    this.select(cell);
    this.tell();
  }

  select(place) {
    this.show(place && place.map(Math.floor)); // a cell that covers several timesteps lies at their middle
    revealCell(this.plot, this.grids, this.cell);
  }

  /** A move is sent at once or, in a fast row of moves, a little later. */
  tell() {
    this.number = Math.max(Date.now(), this.number + 1);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), Math.max(0, this.sent + SEND_EVERY_MS - performance.now()));
  }

  tellNow() {
    this.number = Math.max(Date.now(), this.number + 1);
    this.send();
  }

  send() {
    clearTimeout(this.timer);
    this.sent = performance.now();
    this.setStateValue("event", { cell: this.cell, number: this.number, steps: this.hand.pending });
  }

  say(words) {
    this.live.textContent = words;
  }

  gridUnder({ target }) {
    return target.classList?.contains("nsewdrag") ? this.grids.find((grid) => grid.subplot === target.dataset.subplot) : undefined;
  }

  cellUnder({ clientX, clientY }, grid) {
    const { left, top } = this.plot.getBoundingClientRect();
    return grid.cellAt(clientX - left, clientY - top);
  }

  press(event) {
    const grid = this.gridUnder(event);
    this.pressed = grid && [grid, this.cellUnder(event, grid)];
    const { clientX: x, clientY: y } = event;
    // plotly.js takes two quick clicks on two cells for a double click.
    this.twice = !this.at || Math.hypot(x - this.at.x, y - this.at.y) <= 4;
    this.at = { x, y };
    if (!grid || event.button !== 0) return;
    const focus = () => {
      this.root.classList.add("by-mouse");
      this.root.focus({ preventScroll: true });
    };
    if (this.hand.press(event, ...this.pressed)) {
      if (!this.hand.field.editing) focus();
      return;
    }
    const release = (end) => {
      if (Math.hypot(end.clientX - x, end.clientY - y) > 4) return void (this.at = null); // a drag: zoom or pan
      const cell = this.cellUnder(event, grid);
      focus();
      if (cell && String(cell) !== String(this.cell)) this.choose(cell);
    };
    window.addEventListener("pointerup", release, { once: true, capture: true });
  }

  key(event) {
    if (event.target !== this.root) return;
    this.root.classList.remove("by-mouse");
    const grid = this.grids[0];
    if (!grid) return;
    const done = () => {
      event.preventDefault();
      event.stopPropagation();
      globalThis.Plotly.Fx.unhover(this.plot);
    };
    if (this.hand.key(event)) return done();
    if (event.altKey || event.metaKey || event.shiftKey) return;
    const next = event.key === "Escape" ? null : cellByKey(grid, this.cell, event.key, event.ctrlKey);
    if (next === undefined) return;
    done();
    if (event.key === "Enter" || String(next) !== String(this.cell)) this.choose(next);
  }
}

// Draws at once, over the picture of plotly.js, the cells, bars and words in which a newer model differs from it.

const MOTION_MS = 240;
const MOST_MOVES = 64;
const MOST_TILES = 600; // of more cells, those without words are drawn as one shape for each colour
const WORD = { size: 12, small: 10.5, little: 9, scale: 1 };

class Paint {
  constructor(layer, plot) {
    Object.assign(this, { layer, plot, kept: [], hidden: [] });
  }

  /** Takes back what was painted. */
  clear() {
    for (const piece of this.layer.querySelectorAll(":scope > :not(.ghost)")) piece.remove(); // ghosts end by themselves
    for (const [element, children] of this.kept) element.replaceChildren(...children);
    for (const element of this.hidden) element.style.visibility = "";
    this.kept = [];
    this.hidden = [];
  }

  /** Paints the difference of two models; what changed `since` the model before moves there. Returns how much it is. */
  draw(drawn, shown, grids, since, step) {
    this.clear();
    const [batch, mask, left] = ["loss", "weight", "kept"].map((name) => grids.find(({ part }) => part === name));
    if (!drawn || !shown || !(batch || mask || left)) return 0;
    const every = [...shown.value.keys()];
    const changed = every.filter((at) => differs(drawn, shown, at));
    const shaded = drawn.largest === shown.largest ? changed : every;
    const said = changed.filter((at) => !same(drawn.value[at], shown.value[at]) || !sameWord(drawn, shown, at));
    const moved = since && !still() ? changed.filter((at) => since.weight[at] !== shown.weight[at]) : [];
    const landing = new Set(moved.length <= MOST_MOVES ? moved : []);
    if (batch) this.cells(batch, shown, said, (at) => ({ ...this.look(shown, at, shown.value[at]), under: shown.says(at).under }));
    if (mask) this.cells(mask, shown, shaded, (at) => this.shade(shown, at));
    const kept = (at) => (shown.weight[at] === 0 ? this.mark(shown, "pad") : this.look(shown, at, shown.kept(at)));
    if (left) this.cells(left, shown, changed, kept, landing);
    if (changed.length && shown.reads) this.outlineRead(shown, grids);
    if (changed.length) this.sums(drawn, shown, since);
    if (mask && left) for (const at of landing) this.move(shown, at, mask, left);
    if (changed.length) this.rewrite("divisor", shown.line());
    this.write(step);
    return changed.length;
  }

  /** The step from the number before to this one, right of the line with the divisor, or under it. */
  write(words) {
    const found = this.note("divisor");
    if (!words || !found) return;
    const { width, height } = this.plot._fullLayout;
    const [{ scale }, line] = [WORD, (1 - found.note.y) * height];
    const text = svg("text", { class: "step", x: width - 14 * scale, y: line, "font-size": 15 * scale });
    text.textContent = words;
    this.layer.append(text);
    const end = found.note.x * width + (found.text?.getComputedTextLength() ?? 0) + 16 * scale;
    if (end + text.getComputedTextLength() > width - 14 * scale) text.setAttribute("y", line + 19 * scale);
  }

  // Cells

  cells(grid, model, places, looks, landing = new Set()) {
    const frame = this.frame(grid.x.axis, grid.y.axis);
    const shapes = new Map();
    for (const at of places) {
      const look = looks(at);
      if (!look) continue;
      const tile = svg("g", { class: "tile" });
      const { x, y, width, height } = this.box(grid, model, at);
      const { fill, ink, words = "", value = "", size = WORD.size, under = "", corner = "", isRenamed = false } = look;
      if (places.length > MOST_TILES && !words && !value && !corner && !landing.has(at)) {
        shapes.set(fill, `${shapes.get(fill) ?? ""}M${x} ${y}h${width}v${height}h${-width}z`);
        continue;
      }
      tile.append(svg("rect", { x, y, width, height, fill }));
      if (words || value) {
        const text = svg("text", { x: x + width / 2, y: y + height / 2, fill: ink, "font-size": size });
        text.textContent = words && value ? `${words} ` : words;
        if (value) text.append(Object.assign(svg("tspan", { "font-size": WORD.small }), { textContent: value }));
        tile.append(text);
      }
      if (under && words) {
        const apart = 0.65 * WORD.size; // half of plotly.js's line
        tile.lastChild.setAttribute("y", y + height / 2 - apart);
        const line = svg("text", { x: x + width / 2, y: y + height / 2 + apart, fill: ink, "font-size": WORD.little });
        tile.append(Object.assign(line, { textContent: under }));
      }
      if (corner) {
        const sign = svg("text", { class: "corner", x: x + width - 2, y: y + 0.2 * height, fill: ink, "font-size": 7 * WORD.scale });
        tile.append(Object.assign(sign, { textContent: corner }));
      }
      frame.append(tile);
      if (isRenamed) fit(tile.querySelector("text"), words, width - 4);
      if (landing.has(at)) tile.animate([{ opacity: 0 }, { opacity: 0 }, { opacity: 1 }], { duration: MOTION_MS });
    }
    for (const [fill, d] of shapes) frame.append(svg("path", { class: "tile", d, fill }));
  }

  /** The part of the layer that one pair of axes covers. */
  frame(x, y) {
    const frame = svg("svg", { x: x._offset, y: y._offset, width: x._length, height: y._length });
    this.layer.append(frame);
    return frame;
  }

  /** A cell in pixels of its grid, without the gap to its neighbours. */
  box(grid, model, at) {
    const [row, column] = [Math.floor(at / model.columns) + model.corner[0], (at % model.columns) + model.corner[1]];
    const [left, right] = [column - 0.5, column + 0.5].map((value) => pixelOf(grid.x.axis, value));
    const [top, bottom] = [row - 0.5, row + 0.5].map((value) => pixelOf(grid.y.axis, value));
    const { xgap, ygap } = grid;
    return { x: left + xgap / 2, y: top + ygap / 2, width: Math.max(right - left - xgap, 0.5), height: Math.max(bottom - top - ygap, 0.5) };
  }

  /** The same in pixels of the picture. */
  placed(grid, model, at) {
    const { x, y, ...size } = this.box(grid, model, at);
    return { x: x + grid.x.axis._offset, y: y + grid.y.axis._offset, ...size };
  }

  /** A value: its colour on the scale, with its token and its number where the picture has them; null where it is unknown. */
  look(model, at, value) {
    if (value === undefined) return null;
    const place = this.place(model, value);
    if (Number.isNaN(place)) return this.mark(model, "nan");
    if (!Number.isFinite(value)) return this.mark(model, value > 0 ? "plus_inf" : "minus_inf");
    const fill = this.colour(place);
    const { level, token } = model.says(at);
    const ink = model.colours.inks.reduce((one, other) => (contrast(one, fill) >= contrast(other, fill) ? one : other));
    const [low, high] = this.plot.layout.coloraxis.reversescale ? ["▲", "▼"] : ["▼", "▲"];
    const beyond = place > 1 ? high : place < 0 ? low : "";
    const corner = model.says(at).marksClipped ? beyond : "";
    if (!level) return { fill: `rgb(${fill})`, ink, words: corner, size: 9 * WORD.scale };
    const word = model.word(at);
    const said = level > 1 ? inCell(model.quantity, value) : "";
    return { fill: `rgb(${fill})`, ink, words: word ?? token, value: said, corner, isRenamed: word !== undefined };
  }

  mark(model, name) {
    const [fill, ink, glyph] = model.colours.marks[name];
    return { fill, ink, words: model.says(0).glyphs ? glyph : "", size: WORD.small };
  }

  shade(model, at) {
    const { counts, marks } = model.colours;
    const named = this.plot.data.some((trace) => trace.name === "tokens"); // the mask by itself: counts or not
    const share = named ? Number(model.weight[at] !== 0) : model.weight[at] / model.largest;
    const fill = mixed(rgb(marks.pad[0]), rgb(counts), share);
    const ink = share < 0.3 ? marks.pad[1] : marks.nan[1];
    if (named) return { fill: `rgb(${fill})`, ink, words: share ? model.says(at).token : "" };
    const written = this.plot.data.some((trace) => trace.name === "weights");
    return { fill: `rgb(${fill})`, ink, words: written ? general(model.weight[at], 3) : "", size: WORD.small };
  }

  /** How far along the colour scale a value lies: 0 to 1, beyond that where it is clipped, NaN where it has no colour. */
  place({ quantity }, value) {
    const { cmin, cmax, reversescale } = this.plot.layout.coloraxis;
    const at = quantity === "rank" ? (value >= 1 ? Math.log10(value) : NaN) : value;
    const place = (at - cmin) / (cmax - cmin);
    return reversescale ? 1 - place : place;
  }

  colour(where) {
    const { colorscale } = this.plot.layout.coloraxis;
    const place = Math.min(Math.max(where, 0), 1);
    const next = Math.max(1, colorscale.findIndex(([end]) => end >= place));
    const [[from, low], [to, high]] = [colorscale[next - 1], colorscale[next]];
    return mixed(rgb(low), rgb(high), to > from ? (place - from) / (to - from) : 1);
  }

  // Sums

  sums(drawn, shown, since) {
    if (!shown.words.ones) return; // the bars are several results, which the server knows
    const [before, after] = [drawn.sums(), shown.sums()];
    const past = since?.sums();
    for (const [name, side] of [["per sequence", "rows"], ["per timestep", "columns"]]) {
      const trace = this.plot._fullData.find((trace) => trace.name === name && trace.type === "bar");
      if (!trace) continue;
      const [x, y] = [trace.xaxis, trace.yaxis].map((id, at) => this.plot._fullLayout[axisName(id, "xy"[at])]);
      const frame = this.frame(x, y);
      for (let at = 0; at < after[side].length; at++)
        if (!same(before[side][at], after[side][at])) this.bar(frame, trace, [x, y], shown, at, after[side][at], past?.[side][at]);
    }
    this.rewrite("total", [`Σ ${compact(after.total)}`]);
  }

  bar(frame, trace, [x, y], model, at, sum, past) {
    const across = trace.orientation === "h";
    const [along, over, corner] = across ? [x, y, model.corner[0]] : [y, x, model.corner[1]];
    const span = (from, to) => [pixelOf(over, at + corner + from), pixelOf(over, at + corner + to)].sort((a, b) => a - b);
    const put = (rect, [low, high], [from, to], fill) => {
      const [size, place] = across ? [["height", "width"], ["y", "x"]] : [["width", "height"], ["x", "y"]];
      const values = { [size[0]]: high - low, [size[1]]: to - from, [place[0]]: low, [place[1]]: from, fill };
      for (const [name, value] of Object.entries(values)) rect.setAttribute(name, value);
      return rect;
    };
    const words = trace.text?.[at] ? compact(sum) : "";
    const room = across ? 7 * WORD.scale * words.length + 8 : 20 * WORD.scale; // for its number, outside of the bar
    const full = across ? Math.max(along._length - room, 0) : Math.min(room, along._length);
    const end = Number.isFinite(sum) ? pixelOf(along, sum) : full;
    const isCut = across ? end > full + 1 : end < full - 1;
    const [from, to] = [pixelOf(along, 0), isCut ? full : end].sort((a, b) => a - b);
    const bar = put(svg("rect", {}), span(-0.36, 0.36), [from, to], this.barColour(model, sum));
    frame.append(put(svg("rect", {}), span(-0.5, 0.5), [0, along._length], model.colours.page), bar);
    if (isCut) frame.append(this.cutSign(model, across ? [to - 8 * WORD.scale, span(0, 0)[0]] : [span(0, 0)[0], from + 8 * WORD.scale]));
    if (Number.isFinite(past) && past && sum && !still()) {
      bar.style.transformOrigin = across ? "left" : "bottom";
      bar.animate([{ transform: `scale${across ? "X" : "Y"}(${past / sum})` }, { transform: "none" }], { duration: MOTION_MS, easing: "ease-out" });
    }
    if (!words) return;
    const middle = span(0, 0)[0];
    const place = across ? { x: to + 4 * WORD.scale, y: middle, class: "beside" } : { x: middle, y: from - 8 * WORD.scale };
    frame.append(Object.assign(svg("text", { ...place, fill: model.colours.text, "font-size": WORD.size }), { textContent: words }));
  }

  /** A NaN or ∞ is a full bar in the colour of its mark. */
  barColour({ colours: { bar, marks } }, sum) {
    return Number.isFinite(sum) ? bar : marks[Number.isNaN(sum) ? "nan" : sum > 0 ? "plus_inf" : "minus_inf"][0];
  }

  /** Near the end of a bar that is longer than its axis, until plotly.js has drawn a longer axis. */
  cutSign({ colours }, [x, y]) {
    return Object.assign(svg("text", { class: "cut", x, y, fill: colours.page, "font-size": 14 * WORD.scale }), { textContent: "//" });
  }

  /** Outlines what a classifier reads now, in place of what it read. */
  outlineRead(model, grids) {
    for (const { uid, xaxis, yaxis, line } of this.plot._fullData.filter(({ meta }) => meta?.reads)) {
      const grid = grids.find(({ subplot }) => subplot === (xaxis ?? "x") + (yaxis ?? "y"));
      const drawn = this.plot.querySelector(`.scatterlayer .trace${uid}`);
      if (!grid || !drawn) continue;
      drawn.style.visibility = "hidden";
      this.hidden.push(drawn);
      const frame = this.frame(grid.x.axis, grid.y.axis);
      for (const at of model.weight.keys())
        if (model.weight[at] !== 0)
          frame.append(svg("rect", { ...this.box(grid, model, at), class: "read", fill: "none", stroke: line.color, "stroke-width": line.width }));
    }
  }

  // Words of the picture

  /** The annotation of a name, and its text in the page. */
  note(name) {
    const index = (this.plot.layout?.annotations ?? []).findIndex((note) => note.name === name);
    if (index < 0) return null;
    return { note: this.plot.layout.annotations[index], text: this.plot.querySelector(`.annotation[data-index="${index}"] text`) };
  }

  /** The bold pieces of an annotation. */
  bold(name) {
    const pieces = this.note(name)?.text?.querySelectorAll("tspan") ?? [];
    return [...pieces].filter((piece) => getComputedStyle(piece).fontWeight >= 600);
  }

  /** Writes other words into an annotation; every second piece is bold. */
  rewrite(name, pieces) {
    const text = pieces && this.note(name)?.text;
    if (!text) return;
    this.kept.push([text, [...text.childNodes]]);
    text.replaceChildren(
      ...pieces.map((piece, at) => Object.assign(svg("tspan", at % 2 ? { "font-weight": "bold" } : {}), { textContent: piece })),
    );
  }

  // Motion

  /** What begins to count flows into its sum; the mask falls on what does not. */
  move(model, at, mask, left) {
    const [from, to] = [mask, left].map((grid) => this.placed(grid, model, at));
    const counts = model.weight[at] !== 0;
    const rows = this.plot._fullData.find((trace) => trace.name === "per sequence");
    const bars = rows && this.plot._fullLayout[axisName(rows.xaxis, "x")];
    const ghost = svg("rect", { ...to, class: "ghost", fill: counts ? model.colours.bar : model.colours.marks.pad[0] });
    const way = counts ? [0, 0, (bars?._offset ?? to.x) - to.x, 0] : [from.x - to.x, from.y - to.y, 0, 0];
    this.layer.append(ghost);
    const [start, end] = [way.slice(0, 2), way.slice(2)].map(([x, y]) => `translate(${x}px, ${y}px)`);
    const frames = [{ transform: start, opacity: 0.9 }, { transform: end, opacity: counts ? 0.1 : 0.9 }];
    ghost.animate(frames, { duration: MOTION_MS, easing: "ease-in" }).onfinish = () => ghost.remove();
  }
}

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const same = (one, other) => one === other || (Number.isNaN(one) && Number.isNaN(other));

function differs(one, other, at) {
  if (one.weight[at] !== other.weight[at] || !same(one.value[at], other.value[at])) return true;
  return !sameWord(one, other, at);
}

const sameWord = (one, other, at) => one.says(at).token === other.says(at).token && one.word(at) === other.word(at);

/** Cuts the word of a cell, which its value may follow, so that it fits; a single letter stays, as in lossviz.figures. */
function fit(text, word, room) {
  const [, open, inner, close] = word.match(/^(\u2068?)(.*?)(\u2069?)$/s); // what isolates a word that is read from the right
  const [letters, end] = [[...inner], text.firstChild.data.slice(word.length)];
  for (let kept = letters.length - 1; letters.length > 1 && kept >= 0 && text.getComputedTextLength() > room; kept--)
    text.firstChild.data = kept ? `${open}${letters.slice(0, kept).join("")}…${close}${end}` : "";
}

/** What the cells of a figure say: a function from a place to the token, and how much fits: 2 token and number, 1, 0. */
function wordsIn({ data }, model) {
  const [first] = data.filter((trace) => trace.meta?.select);
  const isIn = (trace) => trace.xaxis === first.xaxis && trace.yaxis === first.yaxis;
  const texts = data.find((trace) => /^(values|tokens)$/.test(trace.name) && isIn(trace));
  const glyphs = data.some((trace) => trace.name === "pad" && trace.mode === "text");
  const marksClipped = data.some((trace) => trace.name === "clipped");
  if (!texts) return () => ({ level: 0, token: "", glyphs, marksClipped });
  const [x, y] = [numbers(texts.x), numbers(texts.y)];
  const level = texts.text[0]?.includes("10.5px") ? 2 : 1;
  const found = new Map();
  texts.text.forEach((text, index) => found.set(model.at([y[index], x[index]]), { token: token(text), under: readIn(text) }));
  return (at) => ({ level, token: "", ...found.get(at), glyphs, marksClipped });
}

/** The token that a cell's text begins with, which lossviz.figures has escaped. */
function token(text) {
  return unescaped(text.split(/<(?:span|br)/)[0].trim());
}

/** What stands under it in small, which a decoder read. */
function readIn(text) {
  return unescaped(text.match(/<br><span[^>]*>(.*)<\/span>$/)?.[1] ?? "");
}

/** A value as its figure writes it in a cell (lossviz.figures.QUANTITIES). */
function inCell(quantity, value) {
  if (quantity === "rank") return value.toFixed(0);
  if (quantity === "share") return `${(100 * value).toFixed(1)}%`;
  return compact(value, quantity === "gradient_norm" ? 3 : 2);
}

/** An array of a figure, which plotly.py may write as base64. */
function numbers(array) {
  if (!array?.bdata) return array;
  const bytes = Uint8Array.from(atob(array.bdata), (letter) => letter.charCodeAt(0)).buffer;
  return { f4: (b) => new Float32Array(b), f8: (b) => new Float64Array(b), i4: (b) => new Int32Array(b) }[array.dtype](bytes);
}

const rgb = (colour) =>
  colour.startsWith("#") ? [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)) : colour.match(/\d+/g).slice(0, 3).map(Number);
const mixed = (from, to, share) => from.map((channel, at) => Math.round(channel + (to[at] - channel) * share));

/** The contrast of an ink on a ground (WCAG 2.2). */
function contrast(ink, ground) {
  const linear = (channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const [high, low] = [light(rgb(ink)), light(ground)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

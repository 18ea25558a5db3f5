// Figures are drawn for type of 12 px; where the page's own type is larger, theirs is as well: in projector mode, and
// where a reader's browser is set to large type.

const PIXELS = new Set([
  "size", "standoff", "ticklen", "tickwidth", "linewidth", "gridwidth", "zerolinewidth", "thickness", "outlinewidth", "xpad", "ypad",
  "xshift", "yshift", "borderwidth", "borderpad", "arrowwidth", "xgap", "ygap", "height",
]);
const SIDES = new Set(["margin", "pad"]); // l, r, t and b are pixels in these
const TYPE = 16; // pixels, as browsers come

/** By how much a plot is enlarged: the page's type, times what the style sheet says of this plot. */
function scaleOf(root) {
  const own = Number(getComputedStyle(root).getPropertyValue("--lossviz-scale")) || 1;
  return (own * parseFloat(getComputedStyle(document.documentElement).fontSize)) / TYPE;
}

/** A figure, or a part of one, with everything that is measured in pixels enlarged; shapes in data stay. */
function enlarged(part, scale, name = "") {
  if (scale === 1 || part === null) return part;
  if (typeof part === "string") return part.includes("font-size:") ? part.replace(/font-size:([\d.]+)px/g, (_, size) => `font-size:${size * scale}px`) : part;
  if (typeof part !== "object") return part;
  if (Array.isArray(part)) return /^(annotations|shapes|data|text)$/.test(name) ? part.map((one) => enlarged(one, scale, name)) : part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, larger(key, value, scale, name, part)]));
}

function larger(key, value, scale, name, part) {
  if (key === "len" && part.lenmode === "pixels") return value * scale;
  const isSize = PIXELS.has(key) || SIDES.has(name) || (key === "width" && name === "line") || (name === "annotations" && /^a[xy]$/.test(key));
  if (isSize && typeof value === "number") return value * scale;
  if (isSize && Array.isArray(value)) return value.map((one) => one * scale);
  return enlarged(value, scale, key);
}

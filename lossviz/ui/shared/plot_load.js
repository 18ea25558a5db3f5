// What the browser gets: plotly.js itself, once, and the figures as bytes.

/** plotly.js, loaded once for the page however many plots there are. */
function library(url) {
  globalThis.lossvizLibrary ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => {
      script.remove();
      globalThis.lossvizLibrary = undefined;
      reject(new Error("plotly.js did not load. Reload the page"));
    };
    document.head.append(script);
  });
  return globalThis.lossvizLibrary;
}

/** bytes = header length (uint32) | header (JSON) | figure (JSON); shapes in the header are the figure's. */
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const text = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
  const header = JSON.parse(text(4, 4 + length));
  const figure = () => {
    const { data, layout } = JSON.parse(text(4 + length));
    return { data, layout: header.shapes ? { ...layout, shapes: header.shapes } : layout };
  };
  return { ...header, figure };
}

/** After the browser has painted what is drawn so far. */
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

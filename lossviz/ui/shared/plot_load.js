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

/** bytes = header length (uint32) | header (JSON) | figure (JSON) */
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const text = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
  return { ...JSON.parse(text(4, 4 + length)), figure: () => JSON.parse(text(4 + length)) };
}

/** After the browser has painted what is drawn so far. */
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

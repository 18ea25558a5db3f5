// What Streamlit's pages leave out for people who can't see them, or use no mouse: a number belongs to its label, long
// code is scrolled by keys, and the focus stays where a button took itself away.

const METRIC = "[data-testid=stMetric]:not([role])";
const HISTORY = ".st-key-edits";
const STAGES = ".st-key-stage_bar";
const FORMULA = ".katex-display:not([tabindex])";
const DROP = "[data-testid=stFileUploaderDropzone][role=presentation]";
let number = 0;

export default function () {
  if (globalThis.lossvizSemantics) return;
  globalThis.lossvizSemantics = true;
  let waiting = false;
  const tidy = () => {
    waiting = false;
    for (const metric of document.querySelectorAll(METRIC)) tie(metric);
    for (const code of document.querySelectorAll("[data-testid=stCode] pre:not([tabindex])")) code.tabIndex = 0;
    for (const formula of document.querySelectorAll(FORMULA)) if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    for (const place of document.querySelectorAll(DROP)) place.setAttribute("role", "group"); // it has a name
    refocus();
  };
  const soon = () => {
    if (!waiting) requestAnimationFrame(tidy);
    waiting = true;
  };
  document.addEventListener("focusin", ({ target }) => ([last, inHistory] = [target, Boolean(target.closest(HISTORY))]));
  new MutationObserver(soon).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });
  soon();
}

let last = null; // what had the focus
let inHistory = false; // whether it stood among the buttons of the steps; once it is taken out of the page, it can't be asked
let projecting = false; // whether the stages of the equation were there before

/** A metric is a group named by its label: "Divided by timesteps that count: 11". */
function tie(metric) {
  const label = metric.querySelector("[data-testid=stMetricLabel] [data-testid=stMarkdownContainer]");
  if (!label) return;
  label.id ||= `lossviz-label-${++number}`;
  metric.setAttribute("role", "group");
  metric.setAttribute("aria-labelledby", label.id);
}

/** After the last undo its button is off, and the focus would be at the top of the page: the next one takes it. */
function refocus() {
  const on = document.querySelector(`${STAGES} button:not(:disabled)`);
  if (on && !projecting) on.focus(); // in a field, PageDown does nothing
  projecting = Boolean(on);
  const lost = document.activeElement === document.body || document.activeElement?.disabled;
  if (!lost || !inHistory || (last.isConnected && !last.disabled)) return;
  document.querySelector(`${HISTORY} button:not(:disabled)`)?.focus({ preventScroll: true });
}

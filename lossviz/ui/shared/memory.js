// Keeps one text in the browser's own storage, says which step is on the screen, and moves the focus to its heading.
// The server says what it wants to keep (`write`) and what it has read (`seen`): a text that is neither was written by
// another tab, and goes to the server first, which merges the two.

const PATIENCE_MS = 10000; // a loaded machine is slow
const known = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".lossviz-memory");
  const view = known.get(root) ?? {};
  known.set(root, view);
  keep(view, data, setStateValue);
  if (view.step !== data.step) {
    const arrived = view.step !== undefined;
    view.step = data.step;
    root.textContent = data.announced;
    if (arrived) focus(data.heading, data.title, performance.now() + PATIENCE_MS);
  }
}

function keep(view, { store, write, seen }, setStateValue) {
  try {
    const stored = localStorage.getItem(store) ?? "";
    if (seen === null || (stored !== view.kept && stored !== seen && stored !== write)) {
      if (view.told !== stored) setStateValue("stored", stored);
      view.told = stored;
      return;
    }
    if (stored !== write) localStorage.setItem(store, write);
    view.kept = write;
    view.told = undefined;
  } catch {
    if (!view.refused) setStateValue("refused", true);
    view.refused = true;
  }
}

/** The heading of the new step is drawn in the same run, but perhaps a moment later. */
function focus(selector, title, until) {
  const heading = document.querySelector(selector);
  if (heading && heading.textContent.trim() === title) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: false });
  } else if (performance.now() < until) {
    setTimeout(() => focus(selector, title, until), 60);
  }
}

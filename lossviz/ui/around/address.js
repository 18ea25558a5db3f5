// Copies the address or says why that can't be, begins anew, and keeps one entry a page in the browser's history.

const TOO_LONG = "This view is too long for a link. Download the batch to keep it.";
const CHANGED = "lossviz-address";
const isTooLong = () => new URL(location.href).searchParams.get("view") === "too-long"; // as ui/link.py writes it

/** Streamlit makes an entry whenever the view changes; Back would have to be pressed once for each choice. */
function oneEntryAPage() {
  if (globalThis.lossvizOneEntryAPage) return;
  globalThis.lossvizOneEntryAPage = true;
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  const changed = () => dispatchEvent(new Event(CHANGED));
  history.replaceState = (state, unused, url) => {
    replace(state, unused, url);
    changed();
  };
  history.pushState = (state, unused, url) => {
    const samePage = new URL(url ?? location.href, location.href).pathname === location.pathname;
    (samePage ? replace : push)(state, unused, url);
    changed();
  };
}

export default function ({ parentElement }) {
  oneEntryAPage();
  const [copy, reset, words] = parentElement.querySelector(".address").children;
  const say = () => {
    copy.disabled = isTooLong();
    if (isTooLong() || words.textContent === TOO_LONG) words.textContent = isTooLong() ? TOO_LONG : "";
  };
  say();
  removeEventListener(CHANGED, globalThis.lossvizAddress); // that of the run before
  addEventListener(CHANGED, (globalThis.lossvizAddress = say));
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      words.textContent = "Link copied.";
    } catch {
      words.textContent = "The browser does not let us copy: take the link from the address bar.";
    }
  };
  // The first page, without a view, in a session of its own.
  reset.onclick = () => location.assign(location.pathname.replace(/[^/]*$/, ""));
}

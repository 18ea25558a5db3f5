// Copies the address, begins anew, and keeps one entry a page in the browser's history.

const TOO_LONG = "This view is too long for a link. Download the batch to keep it.";

/** Streamlit makes an entry whenever the view changes; Back would have to be pressed once for each choice. */
function oneEntryAPage() {
  if (globalThis.lossvizOneEntryAPage) return;
  globalThis.lossvizOneEntryAPage = true;
  const push = history.pushState.bind(history);
  history.pushState = (state, unused, url) => {
    const samePage = new URL(url ?? location.href, location.href).pathname === location.pathname;
    return samePage ? history.replaceState(state, unused, url) : push(state, unused, url);
  };
}

export default function ({ parentElement }) {
  oneEntryAPage();
  const [copy, reset, words] = parentElement.querySelector(".address").children;
  copy.onclick = async () => {
    if (!new URL(location.href).searchParams.has("view")) {
      words.textContent = TOO_LONG;
      return;
    }
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

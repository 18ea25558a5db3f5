"""Screenshots of every page in every size and theme, to be looked at: `make screens`.

They lie in tests/artifacts/screens/ as SCENE-THEME-SIZE.png, with one sheet of all sizes. Names choose scenes:
`make screens SCENES="explore learn"`. What is cut off is printed, and asserted in test_accessibility.py.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page

import lossviz
from lossviz.ui.link import pack
from tests.browser import steps
from tests.browser.harness import ARTIFACTS, ROOT, chromium, server

FOLDER = ARTIFACTS / "screens"
DRAWN = "[data-testid=stMain] [data-testid=stElementContainer]"
SIZES = {
    "1024x768": (1024, 768),
    "1280x800": (1280, 800),
    "1920x1080": (1920, 1080),
    "150%": (853, 533),  # of 1280 × 800: what a page at that zoom has to fill
    "200%": (640, 400),
}
GOLDEN = {"door": "Sample", "sample": "golden"}

# Words that end in an ellipsis or at an edge, with what they are in: nothing that a reader needs may be cut.
CLIPPED = """() => {
  const seen = [];
  for (const element of document.querySelectorAll('[data-testid=stMain] *, [data-testid=stSidebar] *')) {
    const style = getComputedStyle(element);
    if (!['hidden', 'clip'].includes(style.overflowX) || !element.textContent.trim()) continue;
    if (element.closest('canvas, svg, .js-plotly-plot, .katex-mathml, [aria-hidden=true], [data-testid=stCode], ' +
        '[data-testid=stDataFrame], [data-collapsed=true]'))
      continue;
    const { width, height } = element.getBoundingClientRect();
    if (width < 2 || height < 2 || element.scrollWidth <= element.clientWidth + 1) continue;
    seen.push(element.textContent.trim().slice(0, 60));
  }
  return [...new Set(seen)];
}"""


@dataclass(frozen=True)
class Scene:
    """A page as somebody sees it: where it is, what the link says, and what was done there before the picture.

    Attributes:
        path: of the page; `view`: what its link says, or `query`: its whole address.
        prepare: what is done there first.
        of_a_run: whether the app was opened on a recorded run.
    """

    path: str
    view: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    prepare: Callable[[Page], object] = bool
    of_a_run: bool = False


def cell(page: Page) -> None:
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    steps.click_cell(page, 1, 2)


SCENES = {
    "explore": Scene(""),
    "explore-golden": Scene("", GOLDEN),
    "explore-cell": Scene("", GOLDEN, prepare=cell),
    "explore-flags": Scene("", GOLDEN | {"reduction": "sequence_loss", "flag_sum_over_batch": True}),
    "explore-typed": Scene("", {"door": "Type"}),
    "explore-model": Scene("", {"door": "Model"}),
    "doctor": Scene("doctor"),
    "doctor-bad": Scene("doctor", {"door": "Sample", "sample": "PAD02-divided-by-padding/bad"}),
    "reductions": Scene("reductions", GOLDEN),
    "identify": Scene("identify", GOLDEN),
    "identify-answer": Scene("identify", GOLDEN | {"identify_number": "0.92"}),
    "runs-none": Scene("runs"),
    "compare-samples": Scene("compare"),
    "runs": Scene("runs", of_a_run=True),
    "compare": Scene("compare", of_a_run=True),
    "learn": Scene("learn", query="chapter=2&step=2"),
    "train": Scene("train"),
    "learn-teacher": Scene("learn", query="chapter=2&step=3&teacher=1&stop=2"),
    "projector": Scene("", GOLDEN | {"projector": True}),
    "projector-number": Scene("", {"door": "Sample", "sample": "alice-trained", "projector": True, "stage": "number"}),
    "projector-identify": Scene("identify", GOLDEN | {"identify_number": "0.92", "projector": True}),
}


def opened(page: Page, address: str, scene: Scene) -> Page:
    """Show a scene, at rest."""
    query = scene.query or (f"view={pack(scene.view)}" if scene.view else "")
    page.goto(f"{address}/{scene.path}?{query}")
    page.wait_for_selector(DRAWN, state="attached", timeout=steps.FIRST_PAGE_MS)
    settled(page)
    scene.prepare(page)
    return page


def settled(page: Page) -> None:
    """Wait until the page stays the same for a moment: TensorFlow comes late, and pictures fade in."""
    before = None
    for _ in range(170):
        page.wait_for_timeout(350)
        steps.idle(page)
        now = page.evaluate("document.documentElement.outerHTML.length")
        if now == before:
            return
        before = now
    raise AssertionError("the page did not come to rest in a minute")


def cut(page: Page) -> list[str]:
    """The words that are clipped, and whether the page is wider than its window."""
    clipped: list[str] = page.evaluate(CLIPPED)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return clipped + ["the page is wider than the window"] * bool(wide)


@contextmanager
def recorded_run() -> Iterator[Path]:
    """A run of 60 steps, in which the third sequence gets worse after step 400."""
    pool = np.random.default_rng(0).integers(1, 9, (8, 9))
    random = np.random.default_rng(1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        with lossviz.Recorder(path, every=10, queue_size=100, vocabulary=list("abcdefghi")) as recorder:
            for step in range(0, 600, 10):
                losses = random.gamma(2, 0.2 + np.exp(-step / 200), pool.shape)
                losses[2] *= 3 if step > 400 else 1
                order = random.permutation(8)
                recorder.step(
                    step=step,
                    targets=pool[order],
                    losses=losses[order],
                    lengths=(3 + np.arange(8) % 6)[order],
                    reported=losses.mean(),
                )
        yield path


def main(wanted: list[str]) -> None:
    """Make the screenshots of the scenes whose names begin with one of these, or of all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    names = [name for name in SCENES if not wanted or name.startswith(tuple(wanted))]
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        plain = stack.enter_context(server(ROOT / "app.py"))
        of_run = ""
        if any(SCENES[name].of_a_run for name in names):
            of_run = stack.enter_context(server(ROOT / "app.py", LOSSVIZ_FILE=str(stack.enter_context(recorded_run()))))
        for theme in ("light", "dark"):
            context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
            for name in names:
                page = context.new_page()
                page.set_viewport_size({"width": 1280, "height": 800})
                opened(page, of_run if SCENES[name].of_a_run else plain, SCENES[name])
                _take(page, name, theme)
                page.close()
            context.close()


def _take(page: Page, name: str, theme: str) -> None:
    """One picture a size, and a sheet of them; dark, of the first screen at 1280 × 800 and the whole page."""
    made = []
    sizes = SIZES if theme == "light" else {"1280x800": SIZES["1280x800"]}
    for size, (width, height) in sizes.items():
        page.set_viewport_size({"width": width, "height": height})
        settled(page)
        path = FOLDER / f"{name}-{theme}-{size}.png"
        page.screenshot(path=path)
        made.append(path)
        print(f"{name} {theme} {size}: {cut(page) or 'all of it is there'}", flush=True)
    if theme == "light":
        _sheet(made).save(FOLDER / f"{name}.png")


def _sheet(paths: list[Path]) -> Image.Image:
    pictures = [Image.open(path).convert("RGB") for path in paths]
    rows: list[list[Image.Image]] = [pictures[:2], pictures[2:3], pictures[3:]]
    width = max(sum(picture.width for picture in row) + 10 * len(row) for row in rows)
    heights = [max(picture.height for picture in row) + 10 for row in rows]
    sheet = Image.new("RGB", (width, sum(heights)), "#888888")
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for picture in row:
            sheet.paste(picture, (left, top))
            left += picture.width + 10
        top += height
    return sheet


if __name__ == "__main__":
    main(sys.argv[1:])

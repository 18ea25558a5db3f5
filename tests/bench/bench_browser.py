"""How long a user waits in a real browser, written into docs/benchmarks.md: `python -m tests.bench.bench_browser`.

Latency is the time from the key event to the frame after the new picture, of the whole app: the edited batch is
analyzed again, every panel is written again. All pages are open at once and take turns, so that a busy moment hits all
of them.
"""

import argparse
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import Browser, Error, Page

from tests.browser.harness import ROOT, chromium, server

SIZES = ((8, 16), (64, 128), (256, 512))
Sizes = tuple[tuple[int, int], ...]
AT_ONCE, ASKED = 0.7, 1.8  # × the bare page: drawn by the browser itself; computed from the logits
LIMITS = {(8, 16): 120, (64, 128): 200, (256, 512): 400}  # ms, from the issue
CLASSES = 32
BARE = ROOT / "tests" / "bench" / "pages" / "bare.py"
STAND_IN = ROOT / "tests" / "browser" / "apps" / "plot_page.py"
REPORT = ROOT / "docs" / "benchmarks.md"
MARKS = ("<!-- browser -->", "<!-- /browser -->")
PICTURE = ".st-key-explore_equation .lossviz-plot"
NUMBER = ".st-key-explore_number"
SLIDER = "input[type=range]"
WAIT_MS = 120_000

# From the last key to the frame after the next picture, or the next value shown: what is drawn at once is drawn while
# the key is handled, so the page itself has to look. `data-shown` counts pictures, by plotly.js or painted over it.
WATCH = """(counted) => {
  const state = () => { const all = [...document.querySelectorAll(counted)]; const last = all[all.length - 1];
                        return last?.dataset.shown ?? last?.textContent };
  addEventListener('keydown', () => {
    const [pressed, before] = [performance.now(), state()];
    window.found = new Promise((resolve, reject) => {
      const since = () => performance.now() - pressed;
      const look = () => {
        if (since() > 30000) reject(new Error('nothing new was drawn in 30 s'));
        else requestAnimationFrame(state() === before ? look : () => resolve(since()));
      };
      requestAnimationFrame(look);
    });
  }, true);
}"""
ELAPSED = "() => window.found"


def nothing(_: Page, __: int) -> None:
    """No preparation."""


@dataclass
class Case:
    """One page, the control that is pressed in it, and what was measured.

    Attributes:
        prepare: what is done before the key that is measured, given how often it was measured.
        ratio: the goal, as a multiple of the bare page.
    """

    name: str
    page: Page
    control: str
    counted: str
    limit: int | None = None
    key: str = "ArrowUp"
    prepare: Callable[[Page, int], None] = nothing
    ratio: float | None = None
    times: list[float] = field(default_factory=list)

    def measure(self) -> None:
        """Press once and wait for the frame after the new picture."""
        self.page.bring_to_front()
        self.page.locator(self.control).last.focus()
        self.prepare(self.page, len(self.times))
        self.page.keyboard.press(self.key)
        try:
            self.times.append(self.page.evaluate(ELAPSED))
        except Error as problem:
            raise RuntimeError(f"{self.name}, press {len(self.times)}: {problem.message}") from problem
        self.page.wait_for_timeout(600)

    @property
    def median(self) -> float:
        """The middle time in ms, without the first, which warms up."""
        return statistics.median(self.times[1:])


def write_batch(folder: Path, rows: int, timesteps: int, *, says: str = "weights") -> Path:
    """A batch with random logits [rows, timesteps, V] that says with weights or with lengths what counts."""
    random = np.random.default_rng(0)
    lengths = random.integers(timesteps // 2, timesteps + 1, rows)
    path = folder / f"{rows}x{timesteps}-{says}.npz"
    logits = random.normal(0, 3, (rows, timesteps, CLASSES)).astype("float32")
    targets = random.integers(0, CLASSES, (rows, timesteps))
    weights = (np.arange(timesteps) < lengths[:, None]).astype("float64")
    np.savez(path, logits=logits, targets=targets, **{says: {"weights": weights, "lengths": lengths}[says]})
    return path


def watched(browser: Browser, address: str, counted: str) -> Page:
    """A page that is ready to be measured."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    page.wait_for_selector(counted, state="attached")
    page.evaluate(WATCH, counted)
    return page


def app_cases(browser: Browser, address: str, size: tuple[int, int]) -> Iterator[Case]:
    """The hand in the picture, the field of a weight beside it, and a step of the window of a large batch."""
    drawn = f"{PICTURE}[data-drawn]"
    page = watched(browser, address, drawn)
    name = "{} × {}".format(*size)
    page.locator(PICTURE).last.focus()
    page.keyboard.press("Enter")
    weight = ".st-key-explore_cell input[type=number][aria-label=Weight]"
    page.wait_for_selector(weight)
    yield Case(f"app, {name}: mask, by key in the picture", page, PICTURE, drawn, key=" ", ratio=AT_ONCE)
    yield Case(
        f"app, {name}: weight, typed in its cell", page, PICTURE, drawn, key="Enter", prepare=type_weight, ratio=AT_ONCE
    )
    yield Case(
        f"app, {name}: target, typed in its cell", page, PICTURE, drawn, key="Enter", prepare=type_target, ratio=ASKED
    )
    yield Case(
        f"app, {name}: logit, typed over the picture",
        page,
        PICTURE,
        drawn,
        key="Enter",
        prepare=type_logit,
        ratio=ASKED,
    )
    yield Case(f"app, {name}: weight, in the field under the picture", page, weight, drawn, LIMITS[size])
    window = f".st-key-explore_equation {SLIDER}"
    if page.locator(window).count():  # a page of its own: the window moves away from the cell that is edited
        page = watched(browser, address, drawn)
        yield Case(f"app, {name}: slider of the detail window", page, window, drawn, LIMITS[size], "ArrowRight")


def length_case(browser: Browser, address: str, size: tuple[int, int]) -> Case:
    """The end of a sequence, moved by key in the picture."""
    drawn = f"{PICTURE}[data-drawn]"
    page = watched(browser, address, drawn)
    page.locator(PICTURE).last.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".st-key-explore_cell input[type=number][aria-label=Weight]")
    name = "app, {} × {}: length, by key in the picture".format(*size)
    return Case(name, page, PICTURE, drawn, key="Shift+ArrowLeft", ratio=AT_ONCE)


def type_weight(page: Page, turn: int) -> None:
    page.keyboard.press("w")
    page.locator(f"{PICTURE}-field").last.fill(str(0.5 + turn % 2))


def type_target(page: Page, turn: int) -> None:
    page.keyboard.press("t")
    page.locator(f"{PICTURE}-field").last.fill(str(turn % CLASSES))


def type_logit(page: Page, turn: int) -> None:
    page.keyboard.press("l")
    page.locator(f"{PICTURE}-field").last.fill(str(1 + turn % 8))


def measure_latency(browser: Browser, repetitions: int, sizes: Sizes = SIZES) -> list[Case]:
    """All cases in turn, `repetitions` times after one warm-up."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bare = watched(browser, stack.enter_context(server(BARE)), ".st-key-answer [data-testid=stText]")
        cases = [Case("bare page", bare, SLIDER, ".st-key-answer [data-testid=stText]", key="ArrowRight")]
        alone = stack.enter_context(server(STAND_IN))
        for rows, timesteps in sizes:
            page = watched(browser, f"{alone}/?rows={rows}&columns={timesteps}", ".lossviz-plot[data-drawn]")
            name = f"picture alone, {rows} × {timesteps} cells, three times"
            cases.append(Case(name, page, SLIDER, ".lossviz-plot[data-drawn]", key="ArrowRight"))
        for size in sizes:
            batch = write_batch(folder, *size)
            cases += app_cases(browser, stack.enter_context(server(ROOT / "app.py", LOSSVIZ_FILE=str(batch))), size)
        lengths = write_batch(folder, *SIZES[0], says="lengths")
        address = stack.enter_context(server(ROOT / "app.py", LOSSVIZ_FILE=str(lengths)))
        cases.append(length_case(browser, address, SIZES[0]))
        for _ in range(repetitions + 1):
            for case in cases:
                case.measure()
        for case in cases:
            case.page.close()
        return cases


@contextmanager
def fresh_page(browser: Browser) -> Iterator[Page]:
    """A page with an empty cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    try:
        yield page
    finally:
        context.close()


def measure_start(browser: Browser, script: Path, waits: dict[str, Callable[[Page], object]]) -> dict[str, float]:
    """Seconds from the start of the server's process to each thing that a fresh browser shows."""
    start = time.perf_counter()
    seen = {}
    with server(script) as address, fresh_page(browser) as page:
        page.goto(address, wait_until="commit")
        for name, wait in waits.items():
            wait(page)
            seen[name] = time.perf_counter() - start
    return seen


def start_rows(browser: Browser, repetitions: int) -> list[str]:
    """The start of the app and of the bare page, as rows of a table."""
    first = "[data-testid=stElementContainer]:not(:empty)"
    app: dict[str, Callable[[Page], object]] = {
        "first content": lambda page: page.wait_for_selector(f"{first} >> text=/\\w/"),
        "first number": lambda page: page.locator(NUMBER, has_text=re.compile(r"\d")).wait_for(),
        "first picture": lambda page: page.wait_for_selector(f"{PICTURE}[data-drawn]", state="attached"),
    }
    bare = {"bare page: first content": lambda page: page.wait_for_selector(".st-key-answer [data-testid=stText]")}
    runs = [
        measure_start(browser, ROOT / "app.py", app) | measure_start(browser, BARE, bare) for _ in range(repetitions)
    ]
    limits = {"first content": "≤ 2.0"}
    return [
        f"| {name} | {min(run[name] for run in runs):.1f} | {statistics.median(run[name] for run in runs):.1f} "
        f"| {limits.get(name, '')} |"
        for name in runs[0]
    ]


def latency_rows(cases: list[Case]) -> list[str]:
    """Every case as a row of a table; the first is what the others are compared with."""
    return [
        f"| {case.name} | {min(case.times[1:]):.0f} | {case.median:.0f} | {case.median / cases[0].median:.1f} "
        f"| {_goal(case, cases[0])} |"
        for case in cases
    ]


def _goal(case: Case, bare: Case) -> str:
    if case.ratio is None:
        return f"≤ {case.limit} ms" if case.limit else ""
    met = "met" if case.median / bare.median <= case.ratio else "**not met**"
    return f"≤ {case.ratio} × bare, {met}"


def report(cases: list[Case], starts: list[str], repetitions: int, load: float) -> str:
    """Both tables in Markdown."""
    day = time.strftime("%Y-%m-%d", time.gmtime())
    lines = [
        f"{day}, {os.cpu_count()} CPUs, load {load:.1f} before the run, {repetitions} repetitions, V = {CLASSES};",
        "headless Chromium with software rendering.",
        "",
        "| From the key to the frame after the new picture | minimum, ms | median, ms | ÷ bare page | goal |",
        "|---|---:|---:|---:|---:|",
        *latency_rows(cases),
        "",
        "| From the start of the process (warm disk, empty browser cache) | minimum, s | median, s | goal, s |",
        "|---|---:|---:|---:|",
        *starts,
    ]
    return "\n".join(lines)


def write_report(text: str) -> None:
    """Put the tables between their marks."""
    page = REPORT.read_text("utf-8") if REPORT.exists() else "# Benchmarks\n"
    if MARKS[0] not in page:
        page += f"\n## In the browser\n\n{MARKS[0]}\n{MARKS[1]}\n"
    before, rest = page.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    REPORT.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", "utf-8")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--print-only", action="store_true", help="leave docs/benchmarks.md as it is")
    parser.add_argument("--small", action="store_true", help="8 × 16 alone, without the starts; implies --print-only")
    options = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    with chromium() as browser:
        cases = measure_latency(browser, options.repetitions, SIZES[:1] if options.small else SIZES)
        starts = [] if options.small else start_rows(browser, max(options.repetitions - 2, 1))
    text = report(cases, starts, options.repetitions, load)
    print(text)
    if not (options.print_only or options.small):
        write_report(text)


if __name__ == "__main__":
    main()

"""The sliders of two visitors while a third one trains, in a real browser: `python -m tests.bench.bench_theatre`."""

import datetime
import os
import statistics
import time

from playwright.sync_api import Browser, Page, expect

from tests.bench._markdown import table, write_section
from tests.bench.bench_browser import ELAPSED, WATCH
from tests.browser import steps
from tests.browser.harness import ROOT, chromium, server

ROUNDS = 12
TRAIN = ".st-key-train_picture .lossviz-plot[data-drawn]"
FRAMES = "[class*=st-key-train_step] input[type=range]"
SPLIT = ".st-key-split .lossviz-plot[data-drawn]"
PARTS = ".st-key-split input[type=range]"
INTRODUCTION = """## Training beside visitors

`python -m tests.bench.bench_theatre`, {today}, {cpus} CPUs, load average {load} before. From the key on a slider to
the frame after the new picture, of two visitors, {rounds} keys each, while nobody trains and while a third visitor's
*Train it now* runs in its own process; that training took {took:.0f} s. A single key in Streamlit's own bare page takes
70 to 95 ms on this machine.
"""


def new_page(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page.set_default_timeout(steps.FIRST_PAGE_MS)
    return page


def theatre(browser: Browser, address: str, act: int) -> Page:
    page = new_page(browser)
    page.goto(f"{address}/train?act={act}")
    page.wait_for_selector(".st-key-train_question h2")
    steps.idle(page)
    page.keyboard.press("Alt+s")
    page.wait_for_selector(TRAIN, state="attached")
    return steps.idle(page)


def pressed(page: Page, control: str, turn: int) -> float:
    """Press an arrow on the slider; the milliseconds until the next picture is seen."""
    page.bring_to_front()
    page.locator(control).last.focus()
    page.keyboard.press("ArrowLeft" if turn % 2 == 0 else "ArrowRight")
    took: float = page.evaluate(ELAPSED)
    page.wait_for_timeout(200)
    return took


def main() -> None:
    load = f"{os.getloadavg()[0]:.1f}"
    with server(ROOT / "app.py") as address, chromium() as browser:
        trainer = theatre(browser, address, 1)
        frames = theatre(browser, address, 2)
        frames.evaluate(WATCH, TRAIN)
        parts = steps.sample(new_page(browser), address, "golden")
        parts.get_by_role("link", name="Reductions").click()
        parts.wait_for_selector(SPLIT, state="attached")
        steps.idle(parts).evaluate(WATCH, SPLIT)
        sliders = {
            "the frames of an act, on Train": (frames, FRAMES),
            "the parts of a batch, on Reductions": (parts, PARTS),
        }
        for page, control in sliders.values():
            pressed(page, control, 0)
            pressed(page, control, 1)
        alone = {name: [pressed(*one, turn) for turn in range(ROUNDS)] for name, one in sliders.items()}
        trainer.bring_to_front()
        trainer.get_by_role("button", name="Train it now").click()
        expect(trainer.locator(".st-key-train_stop button")).to_be_visible()
        start, beside = time.perf_counter(), {name: [] for name in sliders}
        for turn in range(ROUNDS):
            for name, one in sliders.items():
                beside[name].append(pressed(*one, turn))
        assert trainer.locator(".st-key-train_stop button").is_visible(), "the training ended before the last key"
        trainer.bring_to_front()
        expect(trainer.get_by_text("bit by bit")).to_be_visible(timeout=steps.FIRST_PAGE_MS)
        took = time.perf_counter() - start
    rows = []
    for name, times in beside.items():
        median = statistics.median(times)
        met = "met" if median <= 200 else "**not met**"
        rows.append([name, f"{statistics.median(alone[name]):.0f} ms", f"{median:.0f} ms", f"≤ 200 ms, {met}"])
    text = INTRODUCTION.format(
        today=datetime.date.today().isoformat(), cpus=os.cpu_count(), load=load, rounds=ROUNDS, took=took
    )
    text += "\n" + table(["median", "nobody trains", "one trains", "goal"], rows)
    write_section("theatre", text)
    print(text)


if __name__ == "__main__":
    main()

"""The page Train in a real browser: predicted, played and trained with keys, attached again by a reload."""

import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lossviz.theatre import ACTS, read
from tests.browser import steps
from tests.browser.conftest import Serve, Shot
from tests.browser.harness import ARTIFACTS, PATIENCE_MS, ROOT
from tests.browser.test_learn import forget_missing, pick_by_keyboard, soon, tab_to, until

HEADING = ".st-key-train_question h2"
APP = ROOT / "tests" / "browser" / "apps" / "train_app.py"
GATE = ARTIFACTS / "train-gate"
DRAWN = ".st-key-train_picture .lossviz-plot[data-drawn]"
RIGHT = next(option.text for option in ACTS[0].options if option.right)


def visit(page: Page, address: str, act: int = 1) -> Page:
    page.goto(f"{address}/train?act={act}")
    page.wait_for_selector(HEADING, timeout=steps.FIRST_PAGE_MS)
    return steps.idle(page)


def show(page: Page) -> None:
    page.keyboard.press("Alt+s")
    page.wait_for_selector(DRAWN, state="attached")
    steps.idle(page)


def voice(page: Page, text: str) -> None:
    expect(page.locator(".lossviz-voice")).to_contain_text(text)


def test_act_is_predicted_and_played_with_keys(page: Page, serve: Serve, shot: Shot, console_errors: list[str]) -> None:
    """Frames move by themselves only where the system lets things move; the slider and the cells need no mouse."""
    visit(page, serve(APP))
    assert page.locator(DRAWN).count() == 0
    tab_to(page, ".st-key-train_answer")
    pick_by_keyboard(page, sorted(option.text for option in ACTS[0].options).index(RIGHT))
    page.keyboard.press("Alt+k")
    soon(page, ".st-key-train_feedback", "Right.")
    page.wait_for_selector(DRAWN, state="attached")
    voice(page, "Step 300:")
    expect(page.get_by_role("button", name="Play")).to_be_hidden()
    expect(page.get_by_text("Your system asks for less motion")).to_be_visible()
    page.emulate_media(reduced_motion="no-preference")
    steps.idle(page)
    tab_to(page, ".st-key-train_play")
    page.keyboard.press("Enter")
    expect(page.locator(".lossviz-voice")).to_contain_text(re.compile(r"Step (?!0:|300:)"))
    tab_to(page, ".st-key-train_pause")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    steps.idle(page)
    tab_to(page, "[class*=st-key-train_step]")
    page.keyboard.press("End")
    voice(page, "Step 300:")
    page.keyboard.press("ArrowLeft")
    voice(page, "Step 200:")
    steps.idle(page)
    tab_to(page, ".st-key-train_picture")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    soon(page, ".st-key-train_doors", "Sequence 0, timestep 1")
    page.keyboard.press("Alt+n")
    soon(page, "h2:focus", "Act 2: No mask")
    until(page, "localStorage.getItem('lossviz.train.1').includes('right')")
    page.keyboard.press("Alt+p")
    soon(page, "h2:focus", "Act 1: Stop lost")
    page.get_by_role("link", name="Open this frame of the bug in Explore").click()
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    bug = read(ACTS[0].settings[0]).wrong
    counts = np.arange(bug.losses.shape[2]) < bug.scene.lengths[:, None]
    steps.expect_number(page, f"{bug.losses[-1][counts].astype(float).mean():.4f}")
    forget_missing(console_errors)


def test_training_is_found_again_by_a_reload_and_another_visitor_waits(
    page: Page, dark_page: Page, serve: Serve, shot: Shot, console_errors: list[str]
) -> None:
    """It ends with the recording's numbers, said on the screen; who stops waiting disturbs nobody."""
    GATE.unlink(missing_ok=True)
    other = visit(dark_page, serve(APP), 5)
    show(visit(page, serve(APP)))
    page.get_by_role("button", name="Train it now").click()
    expect(page.locator(".st-key-train_live")).to_contain_text("Training: step")
    show(other)
    other.get_by_role("button", name="Train it now").click()
    expect(other.locator(".st-key-train_live")).to_contain_text("Place 1 in the queue")
    other.get_by_role("button", name="Stop").click()
    expect(other.locator(".st-key-train_live")).to_have_count(0)
    viewer = page.url.partition("live=")[2]
    page.reload()
    expect(page.locator(".st-key-train_live")).to_contain_text("Training: step")
    assert page.url.partition("live=")[2] == viewer
    GATE.touch()
    expect(page.locator(".st-key-train_live")).to_contain_text("Every number is the recording's, bit by bit.")
    expect(page.locator(".st-key-train_live")).to_contain_text(
        "Trained on this machine, 300 steps.", timeout=3 * PATIENCE_MS
    )
    shot(page, "train-live")
    forget_missing(console_errors)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_act_has_names_contrast_and_room(
    scheme: str, request: pytest.FixtureRequest, serve: Serve, shot: Shot, console_errors: list[str]
) -> None:
    """The two heatmaps are on the first screen at 1280 × 720; axe finds nothing; at 200 % nothing is cut off."""
    page: Page = request.getfixturevalue("page" if scheme == "light" else "dark_page")
    page.set_viewport_size({"width": 1280, "height": 720})
    show(visit(page, serve(APP)))
    box = page.locator(".st-key-train_picture .js-plotly-plot").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 720
    found = Axe().run(page, context={"exclude": [["[data-testid=stSidebarNavItems]"]]}).response["violations"]
    assert [(one["id"], [node["html"][:150] for node in one["nodes"]]) for one in found] == []
    shot(page, f"train-{scheme}")
    page.set_viewport_size({"width": 640, "height": 400})  # 1280 × 800 at 200 %
    steps.idle(page)
    until(page, "(e => e.scrollWidth - e.clientWidth)(document.querySelector('[data-testid=stMain]')) <= 1")
    forget_missing(console_errors)

"""A run in a real browser, by keyboard: find the sequence that got worse, open that step, look at it."""

from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.conftest import Shot


def drawn(page: Page, key: str) -> None:
    page.wait_for_selector(f".st-key-{key} .lossviz-plot[data-drawn]", state="attached")
    steps.idle(page)


def test_sequence_that_got_worse_is_found_by_keyboard(page: Page, run_server: str, shot: Shot) -> None:
    steps.visit(page, run_server).get_by_role("link", name="Runs").click()
    drawn(page, "run_strips")
    shot(page, "runs-light")
    steps.choose(page, "Sequences with the", "Largest rise")
    drawn(page, "run_strips")
    page.locator(".st-key-run_strips .lossviz-plot").focus()
    page.keyboard.press("ArrowDown")
    drawn(page, "run_trajectory")
    page.locator(".st-key-run_trajectory .lossviz-plot").focus()
    for key in ("Control+End", "ArrowUp"):
        page.keyboard.press(key)
        steps.idle(page)
    link = page.get_by_role("link", name="Open step 580 in Explore")
    expect(link).to_be_visible()
    link.scroll_into_view_if_needed()
    shot(page, "runs-trajectory-light")
    link.click()
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    expect(page.locator(".st-key-explore_cell")).to_contain_text("timestep 4: target")
    page.get_by_role("link", name="Runs").click()
    drawn(page, "run_by_length")
    bars = page.locator(".st-key-run_by_length .lossviz-plot")
    bars.scroll_into_view_if_needed()
    box = bars.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 0.5 * box["height"])
    expect(page.get_by_role("textbox", name="Length")).to_have_value("8")
    page.keyboard.press("Escape")
    expect(page.get_by_role("textbox", name="Length")).to_have_value("")
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("from the losses").first).to_be_visible()
    drawn(page, "compare_map")
    shot(page, "compare-light")

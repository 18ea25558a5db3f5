"""Projector mode: all grows with the window, one stage of the equation at a time, the number last; the link has it."""

import re

from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.conftest import Shot
from tests.browser.screens import settled

STAGE = "[class*=st-key-stage_] .lossviz-plot"
SMALLEST = f"""() => Math.min(...[...document.querySelectorAll('{STAGE} text')]
    .filter(text => text.textContent.trim()).map(text => parseFloat(getComputedStyle(text).fontSize)))"""
NUMBER = "1.2545"


def type_of(page: Page) -> tuple[float, float]:
    """The smallest words of the picture, and those beside it, in pixels."""
    page.wait_for_selector(f"{STAGE}[data-drawn]", state="attached")
    settled(page)
    words = page.locator(".st-key-stage_heading p").first.evaluate("p => parseFloat(getComputedStyle(p).fontSize)")
    return page.evaluate(SMALLEST), words


def test_projector_shows_one_stage_at_a_time_as_large_as_the_window(page: Page, app_server: str, shot: Shot) -> None:
    steps.visit(page, app_server, door="Sample", sample="golden")
    page.get_by_text("Projector mode").click()
    heading = page.locator(".st-key-stage_heading")
    expect(heading.locator("strong")).to_have_text("batch loss")
    expect(page.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "true")
    at_1280 = type_of(page)
    page.set_viewport_size({"width": 1920, "height": 1080})
    at_1920 = type_of(page)
    assert min(at_1280) >= 18
    assert min(at_1920) >= 24
    assert [round(large / small, 1) for large, small in zip(at_1920, at_1280, strict=True)] == [1.5, 1.5]
    filled = page.locator(STAGE).evaluate("e => e.getBoundingClientRect().bottom / innerHeight")
    assert 0.7 < filled < 0.95
    page.set_viewport_size({"width": 1280, "height": 800})
    for stage in ("× mask", "= unpadded loss", "÷ divisor"):
        expect(page.locator("body")).not_to_contain_text(NUMBER)
        page.keyboard.press("PageDown")
        expect(heading.locator("strong")).to_have_text(stage)
        steps.idle(page)
    expect(page.locator(".st-key-stage_sum .katex-mathml annotation")).to_have_text(
        r"\frac{6.8000 + 2.4000 + 4.6000}{11} = ?"
    )
    expect(page.locator("body")).not_to_contain_text(NUMBER)
    page.get_by_role("button", name="Reveal the number").click()
    expect(page.locator(".st-key-stage_sum .katex-mathml annotation")).to_contain_text(rf"\mathbf{{{NUMBER}}}")
    expect(page).to_have_url(re.compile("view="))
    steps.idle(page)
    shot(page, "projector-light")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(".st-key-stage_heading strong")).to_have_text("= the number")
    other.get_by_role("button", name="Leave projector mode").click()
    other.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    steps.expect_number(other, NUMBER)
    expect(other.get_by_test_id("stSidebar")).to_have_attribute("data-collapsed", "false")

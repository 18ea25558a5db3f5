"""Projector mode: all grows with the window, one stage of the equation at a time, the number last; the link has it."""

import re

from playwright.sync_api import Page, expect

from lossviz import Batch, analyze
from lossviz.edits import Edit, apply_edits
from lossviz.samples import load_sample
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


def test_hand_in_the_projected_mask_is_as_large_as_the_picture(page: Page, app_server: str, shot: Shot) -> None:
    """Drag, brush, double click and keys meet the enlarged cells; the next stages follow; the number stays hidden."""
    batch = Batch.from_arrays(**load_sample("golden"))
    steps.visit(page, app_server, door="Sample", sample="golden")
    page.get_by_text("Projector mode").click()
    heading, edits = page.locator(".st-key-stage_heading"), page.locator(".st-key-edits")
    expect(heading.locator("strong")).to_have_text("batch loss")
    type_of(page)
    plot = page.locator(STAGE)
    expect(plot).not_to_have_class(re.compile("has-hand"))
    page.keyboard.press("PageDown")
    expect(plot).to_have_class(re.compile("has-hand"))
    type_of(page)

    def at(row: int, column: float) -> tuple[float, float]:
        return steps.place(page, row, column, plot=STAGE)

    end = [(one + other) / 2 for one, other in zip(at(2, 1), at(2, 2), strict=True)]
    page.mouse.move(*end)
    expect(plot).to_have_class(re.compile("at-end"))
    page.mouse.down()
    page.mouse.move(*at(2, 3))
    page.mouse.move(*at(2, 4.4))
    page.mouse.up()
    expect(edits).to_contain_text("1 entry differs from the source")
    expect(heading).to_contain_text("14 of 15")
    steps.idle(page)
    page.mouse.move(*at(0, 1))
    page.mouse.down()
    page.mouse.move(*at(0, 2), steps=4)
    page.mouse.up()
    expect(heading).to_contain_text("12 of 15")
    steps.idle(page)
    page.mouse.dblclick(*at(1, 1))
    field = plot.locator(".lossviz-plot-field")
    expect(field).to_have_attribute("aria-label", "Weight of sequence 1, timestep 1")
    (x, y), box = at(1, 1), field.bounding_box()
    assert box is not None
    assert abs(box["y"] + box["height"] / 2 - y) < 2
    assert box["x"] < x < box["x"] + box["width"]
    assert field.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 18
    shot(page, "projector-hand-light")
    field.fill("0")
    field.press("Enter")
    expect(heading).to_contain_text("11 of 15")
    steps.idle(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    expect(heading).to_contain_text("10 of 15")
    steps.idle(page)
    page.keyboard.press("t")
    expect(plot.locator(".lossviz-plot-terms")).to_have_text("Leave projector mode to edit targets and logits.")
    off = [Edit("weights", cell, 0.0) for cell in ((0, 1), (0, 2), (1, 1), (1, 2))]
    after = analyze(apply_edits(batch, [Edit("lengths", (2,), 5), *off]))
    for stage in ("= unpadded loss", "÷ divisor"):
        expect(page.locator("body")).not_to_contain_text(f"{after.value:.4f}")
        page.keyboard.press("PageDown")
        expect(heading.locator("strong")).to_have_text(stage)
        steps.idle(page)
    sums = " + ".join(f"{part:.4f}" for part in after.unpadded_loss.sum(axis=1))
    expect(page.locator(".st-key-stage_sum .katex-mathml annotation")).to_have_text(rf"\frac{{{sums}}}{{10}} = ?")
    edits.get_by_role("button", name="As it came").click()
    expect(page.locator(".st-key-stage_sum .katex-mathml annotation")).to_contain_text("{11} = ?")

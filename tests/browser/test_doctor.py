"""The page Doctor in a real browser: from a rule of the catalogue to a batch, its timesteps, its fix and back."""

import re

from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.conftest import Shot

PICTURE = ".st-key-doctor_equation .lossviz-plot"
SELECTED = f"{PICTURE}-overlay rect.line"


def doctor(page: Page) -> Page:
    """Go to the page by the navigation."""
    page.get_by_role("link", name="Doctor", exact=True).click()
    expect(page.locator(".st-key-doctor_answer")).to_be_visible()
    return steps.idle(page)


def drawn(page: Page) -> None:
    page.wait_for_selector(f"{PICTURE}[data-drawn]", state="attached")
    steps.idle(page)


def outlines(page: Page) -> list[list[list[float]]]:
    """The ends of the outline of each heatmap, as plotly.js draws it: [[left, right], [top, bottom]]."""
    found: list[list[list[float]]] = page.evaluate(
        """plot => document.querySelector(`${plot} .js-plotly-plot`)._fullData
            .filter(trace => trace.name === "highlight")
            .map(({ x, y }) => [x, y].map(ends => [...ends].filter(Number.isFinite))
                .map(ends => [Math.min(...ends), Math.max(...ends)]))""",
        PICTURE,
    )
    return found


def catalogue(page: Page, rule: str) -> None:
    """Unfold the catalogue and choose a rule, by typing its code."""
    page.get_by_text("with a bad and a good batch of each").click()
    picker = page.get_by_role("combobox", name="Rule", exact=True)
    wanted = page.get_by_role("option", name=f"{rule} · ")

    def click(patience: float) -> None:
        if not wanted.is_visible():
            picker.click()
            picker.fill(rule)
        wanted.click(timeout=patience)
        wanted.wait_for(state="hidden", timeout=patience)

    steps.again_if_lost(click)
    expect(picker).to_have_value(re.compile(rf"^{rule} · "))
    for kind in ("bad", "good"):
        page.wait_for_selector(f".st-key-doctor_{kind} .lossviz-plot[data-drawn]", state="attached")
    steps.idle(page)


def expect_metric(page: Page, label: str, value: str) -> None:
    named = page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True))
    metric = named.get_by_test_id("stMetricValue")
    expect(metric).to_have_text(value)


def test_bad_sample_is_opened_shown_repaired_and_undone(page: Page, app_server: str, shot: Shot) -> None:
    """The mask of the inputs: 9.2763 nats over 17 timesteps become 3.6507 over 15."""
    doctor(steps.sample(page, app_server, "golden"))
    shot(page, "doctor-note-light")
    catalogue(page, "SHF05")
    page.get_by_role("button", name="Open this batch").last.scroll_into_view_if_needed()
    shot(page, "doctor-catalogue-light")
    page.get_by_role("button", name="Open this batch").first.click()
    card = page.locator(".st-key-finding_SHF05")
    expect(card).to_contain_text("it trains 2 pads, one in each of 2 padded sequences.")
    expect(card).to_contain_text("Error")
    drawn(page)
    shot(page, "doctor-light")
    assert outlines(page) == [[[3.5, 5.5], [-0.5, 2.5]]] * 3
    expect_metric(page, "Loss now", "0.5457")
    expect_metric(page, "After the fix", "0.2434")
    card.get_by_role("tab", name="PyTorch").click()
    expect(card.get_by_role("tabpanel", name="PyTorch").get_by_test_id("stCode")).to_be_visible()
    page.get_by_role("button", name="Apply the fix").click()
    expect_metric(page, "Before SHF05 was repaired", "0.5457")
    expect_metric(page, "Now", "0.2434")
    expect(page.locator(".st-key-doctor_answer")).to_contain_text("Nothing found: ")
    drawn(page)
    assert outlines(page) == [[[3.5, 5.5], [-0.5, 2.5]]] * 3
    shot(page, "doctor-repaired-light")
    page.get_by_role("button", name="Undo the fix").click()
    expect_metric(page, "Loss now", "0.5457")
    expect(page.get_by_role("button", name="Undo the fix")).to_have_count(0)


def test_badge_leads_to_the_finding_and_its_cell_is_shared(page: Page, app_server: str, shot: Shot) -> None:
    steps.sample(page, app_server, "logits-inf")
    shot(page, "doctor-badge-light")
    page.locator(".st-key-doctor_badge").get_by_role("link", name="2 findings").click()
    expect(page.locator(".st-key-doctor_answer")).to_contain_text("2 errors")
    drawn(page)
    assert outlines(page) == [[[0.5, 1.5], [-0.5, 0.5]]] * 3
    page.mouse.click(*steps.place(page, 0, 2, plot=PICTURE))
    expect(page.locator(".st-key-finding_NUM03")).to_contain_text("Sequence 0, timestep 2: probability")
    expect(page.locator(SELECTED)).to_have_count(3)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(f".st-key-finding_NUM06 {PICTURE}[data-drawn]")).to_be_attached()
    steps.idle(page)
    shot(page, "doctor-two-light")
    assert outlines(page) == [[[-0.5, 0.5], [-0.5, 0.5]]] * 3
    expect(page.locator(SELECTED)).to_have_count(3)
    page.get_by_role("link", name="Explore").click()
    expect(page.locator(".st-key-explore_cell")).to_contain_text("Sequence 0, timestep 2:")


def test_badge_follows_an_edit_on_explore(page: Page, app_server: str) -> None:
    """A target that is no class, put right by hand, is no finding any more."""
    steps.sample(page, app_server, "label-v")
    badge = page.locator(".st-key-doctor_badge")
    expect(badge).to_contain_text("1 finding")
    doctor(page)
    expect(page.locator(".st-key-finding_PAD13")).to_be_visible()
    page.get_by_role("link", name="Explore").click()
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    steps.idle(page)
    steps.click_cell(page, 0, 1)
    target = page.get_by_role("spinbutton", name="Target")
    target.fill("1")
    target.press("Enter")
    expect(badge).to_contain_text("1 note")


def test_doctor_in_the_dark(dark_page: Page, app_server: str, shot: Shot) -> None:
    """The card, the rules that found nothing, and the catalogue stand on the page's own background."""
    doctor(steps.sample(dark_page, app_server, "SHF05-mask-of-the-inputs/bad"))
    drawn(dark_page)
    shot(dark_page, "doctor-dark")
    dark_page.get_by_text("rules passed").click()
    catalogue(dark_page, "SHF04")
    dark_page.get_by_role("button", name="Open this batch").last.scroll_into_view_if_needed()
    shot(dark_page, "doctor-catalogue-dark")
    for plot in ("doctor_equation", "doctor_bad", "doctor_good"):
        paper = dark_page.locator(f".st-key-{plot} .js-plotly-plot .main-svg").first
        assert paper.evaluate("svg => getComputedStyle(svg).backgroundColor") == "rgb(14, 17, 23)"

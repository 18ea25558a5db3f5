"""The Identify page in a real browser: paste the number, read the sentence, see what it counts, take the fix."""

import pytest
from playwright.sync_api import Page, expect

from lossviz.identification import identify
from tests.browser import steps
from tests.browser.conftest import Shot
from tests.golden import golden_batch

QUESTION = ".st-key-identify_question"
CARD, PICTURE = ".st-key-match_1", ".st-key-counted_1 .lossviz-plot"


def visit(page: Page, address: str, **view: object) -> Page:
    """Go to the page by the navigation, on the golden batch, with what a link says."""
    steps.visit(page, address, **{"door": "Sample", "sample": "golden", **view})
    page.get_by_role("link", name="Identify").click()
    page.wait_for_selector(f"{QUESTION} input")
    return steps.idle(page)


def paste(page: Page, text: str) -> None:
    field = page.get_by_role("textbox", name="The loss that your loop printed for this batch")
    field.fill(text)
    field.press("Enter")
    steps.idle(page)


def traces(page: Page, plot: str) -> dict[str, int]:
    """How many points each trace of a picture draws."""
    found: dict[str, int] = page.evaluate(
        """plot => Object.fromEntries(document.querySelector(`${plot} .js-plotly-plot`).data
            .map(({ name, text, z }) => [name, (text ?? z ?? []).length]))""",
        plot,
    )
    return found


def test_pasted_number_is_explained(page: Page, app_server: str, shot: Shot) -> None:
    """0.92 is 13.8 over all 15 positions: the sentence, the card, its cells, and what to write instead."""
    visit(page, app_server)
    expect(page.get_by_text("Paste the loss that your loop printed for this batch.")).to_be_visible()
    shot(page, "identify-empty-light")
    paste(page, "0.92")
    expect(page.locator(".st-key-identify_answer")).to_contain_text("all 15 positions, 4 of them padding")
    card = page.locator(CARD)
    expect(card).to_contain_text("· C05")
    expect(card).to_contain_text("PAD02")
    page.wait_for_selector(f"{PICTURE}[data-drawn]", state="attached")
    drawn = traces(page, PICTURE)
    assert (drawn["words"], drawn["divisor"]) == (11, 4)
    match = identify(golden_batch(), "0.92")[0]
    shown = card.locator(".katex-mathml annotation").first.text_content()
    assert match.formula in shown
    assert r"\frac{13.8}{15} = \mathbf{0.9200}" in shown
    expect(card.locator("code").first).to_have_text(match.fix["TensorFlow"])
    card.get_by_role("tab", name="PyTorch").click()
    expect(card.get_by_text(match.fix["PyTorch"])).to_be_visible()
    shot(page, "identify-light")


def test_card_becomes_the_reduction_of_the_app(page: Page, app_server: str) -> None:
    visit(page, app_server, identify_number="0.92")
    page.get_by_role("button", name="Use this reduction").first.click()
    steps.idle(page)
    page.get_by_role("link", name="Explore").click()
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    steps.expect_number(page, "0.9200")


def test_question_survives_a_page_change_and_a_reload(page: Page, app_server: str, console_errors: list[str]) -> None:
    visit(page, app_server)
    paste(page, "0.92")
    page.get_by_role("link", name="Explore").click()
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    page.get_by_role("link", name="Identify").click()
    expect(page.locator(".st-key-identify_answer")).to_contain_text("all 15 positions")
    steps.idle(page)
    page.reload()
    expect(page.locator(".st-key-identify_answer")).to_contain_text("all 15 positions")
    # Streamlit looks for its server at /identify/ first.
    assert [error for error in console_errors if "404 (Not Found)" not in error] == []
    console_errors.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_folded_cards_and_panels_open(scheme: str, request: pytest.FixtureRequest, app_server: str, shot: Shot) -> None:
    """Looked at in tests/artifacts: what may be chance, how the loop is set up, a second batch."""
    page: Page = request.getfixturevalue("page" if scheme == "light" else "dark_page")
    visit(page, app_server, identify_number="0.9", identify_smoothing=0.1)
    shot(page, f"identify-chance-{scheme}")
    page.get_by_text("Also consistent with").click()
    page.wait_for_selector(".st-key-counted_2 .lossviz-plot[data-drawn]", state="attached")
    steps.idle(page)
    expect(page.locator(".st-key-match_2").get_by_text("Perhaps by chance").first).to_be_visible()
    shot(page, f"identify-folded-{scheme}", whole=True)
    page.get_by_role("button", name="How the loop is set up").click()
    expect(page.get_by_role("spinbutton", name="Label smoothing ε")).to_have_value("0.1")
    shot(page, f"identify-set-up-{scheme}")


def test_answers_in_the_dark(dark_page: Page, app_server: str, shot: Shot) -> None:
    """A number that nothing gives, text that is no number, and a real batch."""
    visit(dark_page, app_server, identify_number="77.123456")
    expect(dark_page.locator(".st-key-identify_answer")).to_contain_text(
        "No formula that lossviz knows gives 77.123456"
    )
    shot(dark_page, "identify-nothing-dark")
    paste(dark_page, "<b>1.25</b>")
    expect(dark_page.get_by_text("This is no number: <b>1.25</b>.")).to_be_visible()
    shot(dark_page, "identify-no-number-dark")
    visit(dark_page, app_server, sample="alice-trained-64", identify_number="0.775001")
    dark_page.wait_for_selector(f"{PICTURE}[data-drawn]", state="attached")
    shot(dark_page, "identify-dark")

"""The page Reductions in a real browser: from a library to the reduction of the app, and a batch cut by hand."""

from playwright.sync_api import Page, expect

from lossviz.ui.link import pack
from tests.browser import steps
from tests.browser.conftest import Shot

DATA_ROW, FIRST_ROW = 35, 53  # pixels of a table: the height of a row, the middle of the first one
SPLIT = ".st-key-split_weights .lossviz-plot"


def reductions(page: Page) -> Page:
    """Go to the page by the navigation, and wait for its last picture."""
    page.get_by_role("link", name="Reductions").click()
    page.wait_for_selector(f"{SPLIT}[data-drawn]", state="attached")
    return steps.idle(page)


def explore(page: Page) -> Page:
    page.get_by_role("link", name="Explore").click()
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    return steps.idle(page)


def choose_row(page: Page, row: int, words: str) -> None:
    """Click into the table, and wait until the convention of that row is shown."""
    x, y = steps.still(page, page.locator("[class*=st-key-conventions_table] canvas").first)
    page.mouse.click(x + 16, y + FIRST_ROW + DATA_ROW * row)
    expect(page.locator(".st-key-convention_card")).to_contain_text(words)


def scroll_down(page: Page) -> None:
    page.mouse.move(1268, 600)
    page.mouse.wheel(0, 5000)
    page.wait_for_timeout(500)


def test_library_is_filtered_and_its_reduction_used(page: Page, app_server: str, shot: Shot) -> None:
    """Keras 3 with sample_weight divides by all 15 positions, and then so does the app."""
    reductions(steps.sample(page, app_server, "golden"))
    shot(page, "reductions-light")
    steps.choose_also(page, "Libraries", "Keras 3")
    choose_row(page, 3, "C05 · Keras 3 with sample_weight")
    shot(page, "reductions-keras-light")
    formula = page.locator(".st-key-convention_card .katex-mathml annotation").text_content()
    assert r"\frac{13.8}{15} = \mathbf{0.9200}" in formula
    page.get_by_role("button", name="Use this reduction").click()
    steps.expect_number(page, "0.9200")
    explore(page)
    steps.expect_number(page, "0.9200")
    expect(page.locator(".st-key-explore_divisor")).to_contain_text("Divided by positions, padding included")
    expect(page.locator(".st-key-explore_divisor [data-testid=stMetricValue]")).to_have_text("15")
    reductions(page)
    expect(page.locator(".st-key-convention_card")).to_contain_text("C05 · Keras 3 with sample_weight")
    assert "/reductions?view=" in page.url


def test_slider_cuts_and_the_sentence_says_why(page: Page, app_server: str, shot: Shot) -> None:
    reductions(steps.sample(page, app_server, "golden"))
    panel = page.locator(".st-key-split")
    expect(panel).to_contain_text("Micro-batch 0 holds 9 timesteps that count and micro-batch 1 holds 2")
    panel.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(panel).to_contain_text("each of the 3 means counts one third")
    expect(panel).to_contain_text("1.4200")
    panel.get_by_role("textbox", name="Or type the cut").fill("0 | 1, 2")
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("a timestep in 0 weighs 1/10, one in 1 weighs 1/12, and not 1/11.")
    expect(panel).to_contain_text("1.2633")
    steps.idle(page)
    scroll_down(page)
    shot(page, "reductions-split-light")
    panel.get_by_role("radio", name="Context-parallel chunks").click()
    expect(panel).to_contain_text("Each timestep must lie in a chunk; timestep 3 lies in none.")


def test_page_change_keeps_what_was_typed_and_selected(page: Page, app_server: str) -> None:
    """There and back: the cell, the outline in all three heatmaps, the filter and the typed cut."""
    steps.sample(page, app_server, "golden")
    steps.click_cell(page, 1, 3)
    reductions(page)
    page.locator(".st-key-split").get_by_role("textbox", name="Or type the cut").fill("1, 2")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-split")).to_contain_text("1.2633")
    explore(page)
    expect(page.locator(".st-key-explore_cell")).to_contain_text("Sequence 1, timestep 3:")
    expect(page.locator(f"{steps.EQUATION}-overlay rect.line")).to_have_count(3)
    steps.click_cell(page, 0, 2)
    reductions(page)
    expect(page.locator(".st-key-split").get_by_role("textbox", name="Or type the cut")).to_have_value("1, 2")
    expect(page.locator(".st-key-split")).to_contain_text("1.2633")


def test_reductions_in_the_dark(dark_page: Page, app_server: str, shot: Shot) -> None:
    """The bars and the split are drawn on the page's own background."""
    reductions(steps.visit(dark_page, app_server))
    shot(dark_page, "reductions-dark")
    scroll_down(dark_page)
    shot(dark_page, "reductions-split-dark")
    for plot in ("conventions", "split_weights"):
        paper = dark_page.locator(f".st-key-{plot} .js-plotly-plot .main-svg").first
        assert paper.evaluate("svg => getComputedStyle(svg).backgroundColor") == "rgb(14, 17, 23)"


def test_link_opens_the_page_with_its_choices(page: Page, app_server: str, console_errors: list[str]) -> None:
    """Streamlit asks for its own files beside the page first, which is an error on the console and no more."""
    word = pack({"door": "Sample", "sample": "golden", "convention": "C07", "split_typed": "0 | 1, 2"})
    page.goto(f"{app_server}/reductions?view={word}")
    page.wait_for_selector(f"{SPLIT}[data-drawn]", state="attached", timeout=steps.FIRST_PAGE_MS)
    steps.idle(page)
    steps.expect_number(page, "1.2545")
    expect(page.locator(".st-key-convention_card .katex-mathml annotation")).to_contain_text(r"\mathbf{1.4200}")
    expect(page.locator(".st-key-split")).to_contain_text("1.2633")
    assert {error for error in console_errors if "404" not in error} == set()
    console_errors.clear()

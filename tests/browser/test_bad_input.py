"""Hostile and broken input in a real browser: nothing runs, nothing is fetched, the page answers in a sentence.

The fixtures fail a test whose page asked anything of another origin or wrote an error to the console.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lossviz.figures._core.text import visible
from lossviz.reductions import reduction_named
from lossviz.samples import load_sample
from tests.browser import steps
from tests.browser.conftest import Shot

SUM = reduction_named("language_model").title
TOKENS = (
    "<script>window.ran=1</script> <img/src=x/onerror=window.ran=1> [x](http://example.org/a) "
    "![x](http://example.org/b.png) \u202eright-to-left zero\u200bwidth $x^2$ :red[x] `a` http://example.org/c "
    "<a/href=javascript:window.ran=1>a</a> www.example.org/d a@example.org :material/home: :smile: "
)


def no_traceback(page: Page) -> None:
    expect(page.locator("[data-testid=stException]")).to_have_count(0)
    assert page.evaluate("window.ran") is None


def test_hostile_tokens_are_typed(page: Page, app_server: str, foreign_requests: list[str], shot: Shot) -> None:
    """In cells, hover, heading, table, list of classes and What differs; then the page still works."""
    steps.visit(page, app_server, door="Type", typed_text=TOKENS, typed_kind="uniform")
    page.get_by_role("textbox", name="Sequences, one per line").fill(TOKENS + "a" * 10_000)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".st-key-explore_divisor")).to_contain_text("16")
    steps.idle(page)
    words = TOKENS.split()
    for timestep, word in enumerate([*words, "a" * 80]):
        steps.click_cell(page, 0, timestep)
        heading = page.locator(".st-key-explore_cell h2").first
        text = (heading.text_content() or "").replace("\u2060", "")  # which keeps links and icons from being made
        assert text == f"Sequence 0, timestep {timestep}: target {visible(word)}"
        assert heading.locator("a, img, [data-testid=stIconMaterial]").count() == 0
    table = page.locator(".st-key-equation .lossviz-plot-table")
    expect(table).to_contain_text("target $x^2$ (7)")  # as it was typed, for people who can't see the picture
    shot(page, "explore-hostile-light", whole=True)
    page.mouse.move(*steps.place(page, 0, 1))
    page.wait_for_timeout(300)
    no_traceback(page)
    assert foreign_requests == []
    links = page.locator(".st-key-explore_cell a[href^=http]")
    expect(links).to_have_count(0)
    steps.choose(page, "Reduction", SUM)
    expect(page.locator(".st-key-explore_divisor")).to_contain_text("nothing")


def test_hostile_sample_is_text(dark_page: Page, app_server: str, foreign_requests: list[str], shot: Shot) -> None:
    steps.sample(dark_page, app_server, "tokens-hostile")
    batch = load_sample("tokens-hostile")
    for row, length in enumerate(batch["lengths"]):
        for timestep in range(int(length)):
            steps.click_cell(dark_page, row, timestep)
    shot(dark_page, "explore-hostile-dark", whole=True)
    no_traceback(dark_page)
    assert foreign_requests == []


def test_upload_of_300_mb_is_refused(page: Page, app_server: str, shot: Shot, tmp_path: Path) -> None:
    """In one sentence, before it is sent; the batch on screen stays."""
    steps.visit(page, app_server)
    steps.door(page, "Open")
    path = tmp_path / "large.npz"
    with path.open("wb") as file:
        file.truncate(300 * 2**20)
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(path)
    expect(page.locator("[data-testid=stFileUploader]")).to_contain_text("File must be 200.0MB or smaller.")
    shot(page, "explore-300-mb-light")
    steps.expect_number(page, "1.6970")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("run.npz", b"PK\x03\x04 and nothing else", "run.npz"),
        ("run.json", b'{"logits": [[[1, 2], [3]]]}', "run.json"),
        ("[x](http:example.org).csv", b"a,b\n1,2\n", "example.org"),
    ],
)
def test_broken_file_is_one_sentence(page: Page, app_server: str, name: str, content: bytes, sentence: str) -> None:
    """And the next file is read."""
    steps.visit(page, app_server)
    steps.door(page, "Open")
    files = page.locator("[data-testid=stFileUploader] input[type=file]")
    files.set_input_files([{"name": name, "mimeType": "", "buffer": content}])
    expect(page.locator(".st-key-explore_source [data-testid=stAlert]")).to_contain_text(sentence)
    steps.idle(page)
    no_traceback(page)
    steps.expect_number(page, "1.6970")


def test_tables_offer_no_csv_of_their_own(page: Page, app_server: str) -> None:
    """Streamlit's file would hold `=cmd|…` as it is; ours, under Save, does not. Its other buttons stay."""
    steps.visit(page, app_server, rows=True)
    page.locator("[data-testid=stDataFrame]").first.hover()
    toolbar = page.locator("[data-testid=stElementToolbar]").first
    expect(toolbar.get_by_role("button", name="Fullscreen")).to_be_visible()
    expect(toolbar.get_by_role("button", name="Download as CSV")).to_have_count(0)
    assert (
        toolbar.locator("button[aria-label^='Download as CSV']").count() == 1
    )  # hidden by our style sheet, as it is named

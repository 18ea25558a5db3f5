"""The Explore page in a real browser: selecting, editing, zooming, opening, linking, and a batch of any size."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from lossviz import Batch, analyze, formats
from lossviz.figures._core.style import MARKS, THEMES
from lossviz.reductions import REDUCTIONS
from lossviz.samples import load_sample
from tests.browser import steps
from tests.browser.conftest import Shot

TITLES = {reduction.name: reduction.title for reduction in REDUCTIONS}
SUM, FLAGS = TITLES["language_model"], TITLES["sequence_loss"]
DATA_ROW, FIRST_ROW, LENGTHS = 35, 52, 190  # pixels of a table: the height of a row, where the first one is


def recorded() -> Batch:
    return Batch.from_arrays(**load_sample("alice-trained"))


def drop(page: Page, *files: tuple[str, bytes]) -> None:
    """Give files to the door, as a drop does."""
    steps.door(page, "Open")
    payload = [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(payload)
    expect(page.get_by_role("button", name=f"Remove {files[0][0]}")).to_be_visible()
    steps.idle(page)


def colour(page: Page, row: int, column: int) -> str:
    """What is drawn in a cell, beside its words."""
    x, y = steps.place(page, row, column)
    picture = page.screenshot(clip={"x": x - 60, "y": y, "width": 1, "height": 1})
    return "#" + bytes(Image.open(io.BytesIO(picture)).convert("RGB").getpixel((0, 0))).hex()


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def type_length(page: Page, row: int, length: int) -> None:
    """Type into the column of lengths."""
    panel = page.locator(".st-key-rows")
    if not panel.locator("canvas").first.is_visible():
        panel.get_by_text("Sequences and their lengths").click()
    table = panel.locator("[data-testid=stDataFrame] canvas").first
    first, *rest = list(str(length))
    editor = page.locator("#portal input.gdg-input")

    def click_and_type(patience: float) -> None:
        table.scroll_into_view_if_needed()  # what opens above pushes it down
        x, y = steps.still(page, table)
        page.mouse.click(x + LENGTHS, y + FIRST_ROW + DATA_ROW * row)
        page.wait_for_timeout(300)
        page.keyboard.press(first)  # opens the table's editor
        editor.wait_for(timeout=patience)

    steps.again_if_lost(click_and_type)
    expect(editor).to_have_value(first)
    for key in rest:
        page.keyboard.press(key)
    expect(editor).to_have_value(str(length))
    page.keyboard.press("Enter")
    expect(editor).to_have_count(0)
    page.wait_for_timeout(400)  # the table waits a moment before it sends
    steps.idle(page)


def test_click_opens_the_arithmetic_and_arrows_move_it(page: Page, app_server: str, shot: Shot) -> None:
    """The numbers are those of the analysis; the cell is outlined in all three heatmaps."""
    steps.visit(page, app_server)
    shot(page, "explore-light")
    analysis = analyze(recorded())
    steps.expect_number(page, f"{analysis.value:.4f}")
    steps.click_cell(page, 2, 4)
    shot(page, "explore-cell-light")
    cell = page.locator(".st-key-explore_cell")
    expect(cell).to_contain_text(f"target {analysis.batch.token(int(analysis.batch.targets[2, 4]))}")
    arithmetic = cell.locator(".katex-mathml annotation")
    assert arithmetic.text_content().strip() == analysis.explain(2, 4).latex
    expect(page.locator(f"{steps.EQUATION}-overlay rect.line")).to_have_count(3)
    page.keyboard.press("ArrowRight")
    expect(cell).to_contain_text("Sequence 2, timestep 5:")
    steps.idle(page)
    assert arithmetic.text_content().strip() == analysis.explain(2, 5).latex
    cell.scroll_into_view_if_needed()
    page.mouse.move(790, 600)
    page.mouse.wheel(0, 2000)
    page.wait_for_timeout(300)
    shot(page, "explore-arithmetic-light")


def test_length_is_edited_in_the_table_and_undone(page: Page, app_server: str) -> None:
    """Number and picture change at once; the view and the selection stay through edit, undo and another reduction."""
    steps.visit(page, app_server)
    batch = recorded()
    before = f"{analyze(batch).value:.4f}"
    after = f"{analyze(batch.replace(lengths=[3, *batch.lengths[1:]])).value:.4f}"
    steps.click_cell(page, 1, 2)
    whole = steps.ranges(page)
    start, end = steps.place(page, 0, 1), steps.place(page, 5, 9)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    page.wait_for_timeout(400)
    moved = steps.ranges(page)
    assert moved != whole
    type_length(page, 0, 3)
    steps.expect_number(page, after)
    expect(page.locator(".st-key-edits")).to_contain_text("1 entry differs from the source")
    assert steps.ranges(page) == moved
    page.get_by_role("button", name="Undo", exact=True).click()
    steps.expect_number(page, before)
    steps.choose(page, "Reduction", SUM)
    steps.expect_number(page, f"{analyze(batch).value * 84:.4f}")
    assert steps.ranges(page) == moved
    steps.choose(page, "Reduction", FLAGS)
    page.get_by_text("sum_over_batch").click()
    steps.expect_number(page, "no number")
    assert steps.ranges(page) == moved
    expect(page.locator(".st-key-explore_cell")).to_contain_text("Sequence 1, timestep 2:")
    assert page.locator(steps.EQUATION).get_attribute("data-cell") == "1,2"


def test_link_restores_the_page_in_a_new_tab(page: Page, app_server: str) -> None:
    """Cell, reduction and edit are there again."""
    steps.visit(page, app_server, door="Sample", sample="golden")
    steps.click_cell(page, 2, 0)
    type_length(page, 2, 1)
    steps.expect_number(page, "1.3200")
    steps.choose(page, "Reduction", SUM)
    steps.expect_number(page, "13.2000")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    steps.expect_number(other, "13.2000")
    expect(other.locator(".st-key-explore_cell")).to_contain_text("Sequence 2, timestep 0:")
    assert other.url == page.url


def test_file_opens_and_other_names_are_asked_about(page: Page, app_server: str, shot: Shot) -> None:
    """A real .npz at once; one whose arrays have other names by a dialog that has chosen what fits.

    Marks have their own colour in whatever picture they come next.
    """
    steps.visit(page, app_server)
    drop(page, ("outside.npz", npz(logits=np.zeros((2, 3, 4), np.float32), targets=np.array([[1, 9, 1]] * 2))))
    steps.expect_number(page, "NaN")
    assert colour(page, 0, 1) == dict(zip([mark.name for mark in MARKS], THEMES["light"].marks, strict=True))["invalid"]
    stream = io.BytesIO()
    formats.write({**recorded().fields()}, stream, "npz")
    drop(page, ("run.npz", stream.getvalue()))
    expect(page.get_by_role("combobox", name="Opened")).to_be_visible()
    steps.expect_number(page, "1.6970")
    odd = npz(a=np.zeros((2, 3, 4), np.float32), b=np.ones((2, 3, 4), np.float32), y=np.ones((2, 3), int))
    drop(page, ("odd.npz", odd))
    steps.expect_number(page, "1.6970")
    shot(page, "explore-names-light")
    page.get_by_role("button", name="Say which array is which").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The file uses other names.")
    steps.idle(page)
    shot(page, "explore-dialog-light")
    steps.choose(page, "logits", "a  (2, 3, 4) float32")
    dialog.get_by_test_id("stBaseButton-primary").click()
    expect(dialog).to_have_count(0)
    steps.expect_number(page, "1.3863")


def test_large_batch_is_shown_as_overview_and_detail(page: Page, app_server: str, shot: Shot, tmp_path: Path) -> None:
    """2,048 × 2,048 cells: a click in the overview and the sliders move the detail, in which a cell can be selected."""
    random = np.random.default_rng(0)
    logits = np.zeros((2048, 2048, 2), np.float16)
    logits[..., 1] = np.repeat(random.normal(size=(2048, 32)), 64, axis=1)
    path = tmp_path / "large.npz"
    lengths = random.integers(600, 2049, 2048)
    np.savez_compressed(path, logits=logits, targets=np.ones((2048, 2048), np.int8), lengths=lengths)
    steps.visit(page, app_server)
    steps.door(page, "Open")
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(path)
    overview = ".st-key-overview .lossviz-plot"
    page.wait_for_selector(f"{overview}[data-drawn]", state="attached")
    steps.idle(page)
    shot(page, "explore-large-light", whole=True)
    expect(page.get_by_text("4,194,304")).to_be_visible()
    page.mouse.click(*steps.place(page, 1000, 1000, plot=overview))
    drawn = page.locator(overview).get_attribute("data-drawn")
    first = page.get_by_role("slider", name=re.compile("First sequence"))
    expect(first).not_to_have_value("0")
    steps.idle(page)
    (left, right), _ = steps.ranges(page)
    assert left < 1000 < right
    first.focus()
    before = int(first.input_value())
    page.keyboard.press("ArrowRight")
    expect(first).to_have_value(str(before + 1))
    steps.idle(page)
    outline = "f => document.querySelector(`${f} .js-plotly-plot`)._fullLayout.shapes.map(({ y0, y1 }) => [y0, y1])"
    assert page.evaluate(outline, overview) == [[before + 0.5, before + 32.5]]
    assert page.locator(overview).get_attribute("data-drawn") == drawn  # only its outline was moved
    assert page.locator(".st-key-overview .lossviz-plot-table table").count() == 0
    expect(page.locator(".st-key-equation .lossviz-plot-table tbody tr")).to_have_count(32)
    steps.click_cell(page, before + 3, round(left) + 3)
    shot(page, "explore-large-detail-light")
    page.keyboard.press("w")
    shapes = page.evaluate(
        """plot => {
            const field = document.querySelector(`${plot}-field`);
            field.value = "2";
            field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
            return document.querySelectorAll(`${plot}-paint .tile`).length;
        }""",
        steps.EQUATION,
    )
    assert 1 < shapes < 6  # every cell of the mask has another shade: one shape for each, or it would take a second


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_to_look_at(request: pytest.FixtureRequest, app_server: str, shot: Shot, scheme: str) -> None:
    """Nothing is wider than the page, in either theme; the screenshots are looked at by people."""
    page: Page = request.getfixturevalue("page" if scheme == "light" else "dark_page")
    steps.visit(page, app_server)
    shot(page, f"explore-{scheme}")
    steps.click_cell(page, 3, 8)
    shot(page, f"explore-cell-{scheme}")
    for name in ("weights-disagree", "logits-nan", "label-v", "weights-254-255"):
        steps.sample(page, app_server, name)
        shot(page, f"explore-{name}-{scheme}", whole=True)
    steps.door(page, "Type")
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    expect(page.get_by_role("combobox", name="Mask")).to_have_value("As the batch says: lengths")
    shot(page, f"explore-typed-{scheme}")
    steps.door(page, "Open")
    shot(page, f"explore-open-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

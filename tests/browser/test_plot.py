"""The plot component in a real browser: what a click and a key select, what stays, what is never run or fetched."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Serve, Shot
from tests.browser.standin import figure

PAGE = Path(__file__).parent / "apps" / "plot_page.py"
PLOT = ".st-key-grid .lossviz-plot"
ROWS, COLUMNS = 8, 16
SUBPLOTS = ("xy", "xy2", "xy3")
RANGES = """() => { const { xaxis, yaxis, yaxis2, yaxis3 } = document.querySelector('.js-plotly-plot')._fullLayout;
                    return [xaxis, yaxis, yaxis2, yaxis3].map(({ range }) => [...range]) }"""
CLICKS = [((0, 0), (0, 0)), ((-0.4, 15.4), (0, 15)), ((7.4, -0.4), (7, 0)), ((7, 15), (7, 15)), ((3, 6), (3, 6))]
KEYS: list[tuple[list[str], tuple[int, int] | None]] = [
    (["Enter"], (0, 0)),
    (["ArrowDown", "ArrowDown", "ArrowRight"], (1, 1)),
    (["Enter", "ArrowUp", "ArrowLeft"], (0, 0)),
    (["Enter", "ArrowDown", "End"], (1, 15)),
    (["Enter", "ArrowDown", "End", "Home"], (1, 0)),
    (["Enter", "Control+End"], (7, 15)),
    (["Enter", "Control+End", "ArrowDown", "ArrowRight", "Control+Home"], (0, 0)),
    (["Enter", *["ArrowRight"] * 12], (0, 12)),
    (["Enter", "ArrowRight", "Escape"], None),
]
UNZOOMED = [[-0.5, 15.5], [7.5, -0.5], [7.5, -0.5], [7.5, -0.5]]


@pytest.fixture
def visit(page: Page, serve: Serve) -> Callable[..., Page]:
    def go(**query: Any) -> Page:
        page.goto(f"{serve(PAGE)}/?{'&'.join(f'{name}={value}' for name, value in query.items())}")
        page.wait_for_selector(f"{PLOT}[data-drawn]", state="attached")
        return page

    return go


def point(page: Page, subplot: str, row: float, column: float, first: tuple[int, int] = (0, 0)) -> tuple[float, float]:
    """The pixel at a place of a heatmap without zoom, from the frame that plotly.js draws around it."""
    box = page.locator(f'{PLOT} rect.nsewdrag[data-subplot="{subplot}"]').bounding_box()
    assert box is not None
    x = box["x"] + (column - first[1] + 0.5) / COLUMNS * box["width"]
    return x, box["y"] + (row - first[0] + 0.5) / ROWS * box["height"]


def press_slider(page: Page, rev: int) -> None:
    page.locator("[data-testid=stSlider] input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f'{PLOT}[data-rev="{rev}"]', state="attached")


def zoom(page: Page) -> list[list[float]]:
    page.mouse.move(*point(page, "xy", 1, 2))
    page.mouse.down()
    page.mouse.move(*point(page, "xy", 5, 9), steps=4)
    page.mouse.up()
    page.wait_for_function(f"({RANGES})()[0][0] > 0")
    ranges: list[list[float]] = page.evaluate(RANGES)
    return ranges


def answer(page: Page, cell: tuple[int, int] | None, run: int) -> None:
    expect(page.locator(".st-key-answer")).to_have_text(f"cell {cell} in run {run}")


@pytest.mark.parametrize("subplot", SUBPLOTS)
def test_click_returns_the_cell(visit: Callable[..., Page], subplot: str) -> None:
    """Any point of a cell gives the cell, corners included, in each of the three heatmaps, by one run."""
    page = visit()
    for run, (place, cell) in enumerate(CLICKS, start=2):
        page.mouse.click(*point(page, subplot, *place))
        answer(page, cell, run)


def test_click_returns_the_numbers_of_rows_and_columns(visit: Callable[..., Page]) -> None:
    """A figure that starts at row 40 and timestep 100 gives those numbers."""
    page = visit(b=40, t=100)
    page.mouse.click(*point(page, "xy3", 42, 115, first=(40, 100)))
    answer(page, (42, 115), run=2)


def test_click_beside_the_heatmaps_selects_nothing(visit: Callable[..., Page]) -> None:
    """Bars are no cells."""
    page = visit()
    box = page.locator(f'{PLOT} rect.nsewdrag[data-subplot="xy4"]').bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 50, box["y"] + 20)
    page.mouse.click(*point(page, "xy", 2, 3))
    answer(page, (2, 3), run=2)


def test_keys_move_the_selection(visit: Callable[..., Page]) -> None:
    """Every key of a fast row of keys counts, on the screen at once and in the app in the end."""
    page = visit()
    page.locator(PLOT).focus()
    for keys, cell in KEYS:
        page.keyboard.press("Escape")
        for key in keys:
            page.keyboard.press(key)
        shown = "" if cell is None else f"{cell[0]},{cell[1]}"
        assert page.locator(PLOT).get_attribute("data-cell") == shown
        expect(page.locator(".st-key-answer")).to_contain_text(f"cell {cell} in run")
    page.wait_for_timeout(500)
    expect(page.locator(".st-key-answer")).to_contain_text("cell None in run")


def test_selection_causes_no_further_runs(visit: Callable[..., Page]) -> None:
    """One click is one run, and the answer of the server starts no other."""
    page = visit()
    page.mouse.click(*point(page, "xy", 2, 3))
    answer(page, (2, 3), run=2)
    page.wait_for_timeout(700)
    answer(page, (2, 3), run=2)


def test_selection_is_outlined_in_three_heatmaps(visit: Callable[..., Page], shot: Shot) -> None:
    """The outline stands around the clicked cell, at the same place of every heatmap."""
    page = visit()
    page.mouse.click(*point(page, "xy", 2, 3))
    outlines = page.locator(f"{PLOT}-overlay rect.line")
    expect(outlines).to_have_count(3)
    for index, subplot in enumerate(SUBPLOTS):
        box = outlines.nth(index).bounding_box()
        assert box is not None
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        assert middle == pytest.approx(point(page, subplot, 2, 3), abs=1.5)
    shot(page, "plot-selected-light")


def test_pointer_is_followed_in_three_heatmaps(visit: Callable[..., Page]) -> None:
    """The cell under the pointer is outlined in all three, thinner than the selected one, until the pointer leaves."""
    page = visit()
    outlines = page.locator(f"{PLOT}-overlay rect.pointed")
    page.mouse.move(*point(page, "xy2", 2, 3))
    expect(outlines).to_have_count(3)
    tops = [page.locator(f'{PLOT} rect.nsewdrag[data-subplot="{name}"]').bounding_box()["y"] for name in SUBPLOTS]
    boxes = [outlines.nth(index).bounding_box() for index in range(3)]
    assert len({round(box["x"]) for box in boxes}) == 1
    assert [round(box["y"] - top) > 0 for box, top in zip(boxes, tops, strict=True)] == [True] * 3
    page.mouse.move(2, 2)
    expect(outlines).to_have_count(0)


def test_selection_follows_the_server(visit: Callable[..., Page]) -> None:
    """A cell that the app chooses replaces the one that the user chose, and a key goes on from there."""
    page = visit()
    page.mouse.click(*point(page, "xy", 6, 9))
    answer(page, (6, 9), run=2)
    page.get_by_role("button", name="Select 1, 2").click()
    answer(page, (1, 2), run=3)
    expect(page.locator(PLOT)).to_have_attribute("data-cell", "1,2")
    page.locator(PLOT).focus()
    page.keyboard.press("ArrowRight")
    answer(page, (1, 3), run=4)


def test_zoom_and_selection_survive_new_data(visit: Callable[..., Page]) -> None:
    """New numbers of the same shape change the numbers only; the drawing is not made anew."""
    page = visit()
    page.mouse.click(*point(page, "xy", 2, 3))
    answer(page, (2, 3), run=2)
    ranges = zoom(page)
    page.evaluate("document.querySelector('.js-plotly-plot .main-svg').dataset.mine = 'kept'")
    press_slider(page, 1)
    assert page.evaluate(RANGES) == ranges
    assert page.evaluate("document.querySelector('.js-plotly-plot .main-svg').dataset.mine") == "kept"
    assert page.locator(PLOT).get_attribute("data-cell") == "2,3"
    expect(page.locator(f"{PLOT}-overlay rect.line")).to_have_count(3)


def test_zoom_ends_with_a_double_click(visit: Callable[..., Page]) -> None:
    """A double click shows all cells again, axes that match another one included."""
    page = visit()
    zoom(page)
    page.mouse.dblclick(*point(page, "xy", 4, 4))
    page.wait_for_function(f"({RANGES})()[0][0] < 0")
    assert page.evaluate(RANGES) == UNZOOMED


def test_click_in_a_zoomed_view_returns_the_cell(visit: Callable[..., Page]) -> None:
    """The cell under the pointer is read from the axes as they are after the zoom."""
    page = visit()
    (left, right), (bottom, top), *_ = zoom(page)
    x, y = point(page, "xy", 4, 8)
    box = page.locator(f'{PLOT} rect.nsewdrag[data-subplot="xy"]').bounding_box()
    assert box is not None
    column = round(left + (x - box["x"]) / box["width"] * (right - left))
    row = round(top + (y - box["y"]) / box["height"] * (bottom - top))
    page.mouse.click(x, y)
    answer(page, (row, column), run=2)


def test_keys_bring_the_selected_cell_into_a_zoomed_view(visit: Callable[..., Page]) -> None:
    """The view moves by as much as is missing, and keeps its size."""
    page = visit()
    (left, right), *_ = zoom(page)
    page.locator(PLOT).focus()
    for key in ("Enter", "End"):
        page.keyboard.press(key)
    page.wait_for_function(f"({RANGES})()[0][1] > 15.4")
    assert page.evaluate(RANGES)[0] == pytest.approx([15.5 - (right - left), 15.5])


def test_selection_is_said_in_words(visit: Callable[..., Page]) -> None:
    """Who can't see the picture hears its name, the cell and its numbers."""
    page = visit()
    plot = page.get_by_role("application", name="Loss of the stand-in")
    plot.focus()
    page.keyboard.press("Enter")
    spoken = page.locator(f"{PLOT}-live")
    loss = f"{figure(ROWS, COLUMNS).data[0].z[0, 0]:.4g}"
    expect(spoken).to_have_text(f"Sequence 0, timestep 0: batch loss {loss}, mask 1, unpadded loss {loss}")
    page.keyboard.press("Escape")
    expect(spoken).to_have_text("")


def test_tokens_in_hover_texts_are_never_run(visit: Callable[..., Page], shot: Shot) -> None:
    """Markup in a token is text; the page fetches nothing from outside and runs nothing."""
    page = visit(
        text="%26lt;script>window.ran=1%26lt;/script>%26lt;img src=https://example.org/x.png onerror=window.ran=1>"
    )
    page.mouse.move(*point(page, "xy", 3, 3))
    expect(page.locator(f"{PLOT} .hovertext")).to_contain_text(
        "<img src=https://example.org/x.png onerror=window.ran=1>"
    )
    shot(page, "plot-hover-markup")
    assert page.evaluate("window.ran") is None


def test_raw_markup_in_hover_texts_is_never_run(visit: Callable[..., Page], foreign_requests: list[str]) -> None:
    """Even text that nobody escaped runs nothing."""
    page = visit(text="<script>window.ran=1</script><img src=https://example.org/x.png onerror=window.ran=1>")
    page.mouse.move(*point(page, "xy", 3, 3))
    expect(page.locator(f"{PLOT} .hovertext")).to_have_count(1)
    page.wait_for_timeout(300)
    assert (page.evaluate("window.ran"), foreign_requests) == (None, [])


def test_drawing_error_is_one_sentence(visit: Callable[..., Page]) -> None:
    """A picture that can't be drawn says so in its place, and the next good one is drawn."""
    page = visit()
    page.evaluate(
        "() => { const { react } = Plotly; Plotly.react = () => { Plotly.react = react; throw new Error('no room') } }"
    )
    page.locator("[data-testid=stSlider] input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("alert")).to_have_text("This picture could not be drawn: no room.")
    press_slider(page, 2)
    expect(page.locator(f"{PLOT}-error")).to_be_hidden()
    expect(page.locator(f"{PLOT}-figure")).to_be_visible()


def test_library_is_fetched_once(visit: Callable[..., Page]) -> None:
    """New data brings the figure only."""
    page = visit()
    press_slider(page, 1)
    count = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('plotly.min.js')).length"
    assert page.evaluate(count) == 1


def test_plot_in_the_dark(dark_page: Page, serve: Serve, shot: Shot) -> None:
    """The outline takes the text colour of the theme."""
    dark_page.goto(serve(PAGE))
    dark_page.wait_for_selector(f"{PLOT}[data-drawn]", state="attached")
    dark_page.locator(PLOT).focus()
    dark_page.keyboard.press("Enter")
    line = dark_page.locator(f"{PLOT}-overlay rect.line").first
    text = dark_page.locator(".st-key-answer [data-testid=stText]")
    stroke = line.evaluate("line => getComputedStyle(line).stroke")
    assert stroke == text.evaluate("text => getComputedStyle(text).color")
    shot(dark_page, "plot-selected-dark")


def test_zoom_ends_where_other_cells_are_shown(visit: Callable[..., Page]) -> None:
    """A window that starts elsewhere is seen whole, even though the last one was zoomed."""
    page = visit(step=4)
    zoom(page)
    press_slider(page, 1)
    assert page.evaluate(RANGES) == [[3.5, 19.5], [7.5, -0.5], [7.5, -0.5], [7.5, -0.5]]

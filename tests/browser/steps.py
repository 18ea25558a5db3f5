"""What a person does on the Explore page, as steps of the browser tests."""

from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as TooLate

from lossviz.ui.link import pack
from tests.browser.harness import PATIENCE_MS

EQUATION = ".st-key-explore_equation .st-key-equation .lossviz-plot"
FIRST_PAGE_MS = 120_000  # TensorFlow is imported by the first page of a server
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def visit(page: Page, address: str, **view: object) -> Page:
    """Open the page, with what a link says, and wait for the picture."""
    page.goto(f"{address}/?view={pack(view)}" if view else address)
    page.wait_for_selector(f"{EQUATION}[data-drawn]", state="attached", timeout=FIRST_PAGE_MS)
    return idle(page)


def sample(page: Page, address: str, name: str) -> Page:
    return visit(page, address, door="Sample", sample=name)


def idle(page: Page) -> Page:
    """Wait until the server has nothing more to say."""
    page.wait_for_timeout(150)
    page.wait_for_selector(IDLE, state="attached")
    return page


def still(page: Page, element: Locator) -> tuple[float, float]:
    """The corner of an element, once it stays where it is: panels open slowly, and tables settle."""
    before = None
    for _ in range(100):
        box = element.bounding_box()
        if box is not None and box == before:
            return box["x"], box["y"]
        before = box
        page.wait_for_timeout(250)
    raise AssertionError("the element did not come to rest in 25 s")


def number(page: Page) -> str:
    return page.locator(".st-key-explore_number [data-testid=stMetricValue]").inner_text()


def expect_number(page: Page, value: str) -> None:
    expect(page.locator(".st-key-explore_number [data-testid=stMetricValue]")).to_have_text(value)


def place(page: Page, row: int, column: float, subplot: str = "xy", plot: str = EQUATION) -> tuple[float, float]:
    """The pixel in the middle of a cell, as the axes are now."""
    found: list[float] = page.evaluate(
        """([plot, subplot, row, column]) => {
            const figure = document.querySelector(`${plot} .js-plotly-plot`);
            const { xaxis: x, yaxis: y } = figure._fullLayout._plots[subplot];
            const down = () => figure.getBoundingClientRect().y + y._offset + y.d2p(row);
            if (down() < 40 || down() > innerHeight - 40) figure.scrollIntoView();
            return [figure.getBoundingClientRect().x + x._offset + x.d2p(column), down()];
        }""",
        [plot, subplot, row, column],
    )
    return found[0], found[1]


def click_cell(page: Page, row: int, column: int) -> None:
    page.mouse.click(*place(page, row, column))
    heading = page.locator(".st-key-explore_cell")
    expect(heading).to_contain_text(f"Sequence {row}, timestep {column}:")
    idle(page)


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list of one choice, which closes at the click that it takes."""

    def click(patience: float) -> None:
        wanted = _unfold(page, label, option, patience)
        wanted.click()
        wanted.wait_for(state="hidden", timeout=patience)

    again_if_lost(click)
    idle(page)


def choose_also(page: Page, label: str, option: str) -> None:
    """Choose from a list of several choices, which stays open: it is closed once the choice is seen to be taken."""
    taken = page.get_by_test_id("stMultiSelect").filter(has_text=label).filter(has_text=option)

    def click(patience: float) -> None:
        if not taken.is_visible():
            _unfold(page, label, option, patience).click()
        taken.wait_for(timeout=patience)

    again_if_lost(click)
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    idle(page)


def again_if_lost(click: Callable[[float], None]) -> None:
    """Click up to three times: Streamlit's lists close when they are drawn again, its tables when they are measured."""
    for _ in range(2):
        with suppress(TooLate):
            return click(5_000)
    return click(PATIENCE_MS)


def _unfold(page: Page, label: str, option: str, patience: float) -> Locator:
    """Open the list, unless it is open, and give the option once it rests: a list moves to its place as it opens."""
    idle(page)
    wanted = page.get_by_role("option", name=option, exact=True)
    if not wanted.is_visible():
        page.get_by_role("combobox", name=label).focus()
        page.keyboard.press("ArrowDown")
    wanted.wait_for(timeout=patience)
    still(page, wanted)
    return wanted


def door(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    idle(page)


def ranges(page: Page) -> list[list[float]]:
    found: list[list[float]] = page.evaluate(
        """plot => { const { xaxis, yaxis } = document.querySelector(`${plot} .js-plotly-plot`)._fullLayout;
                     return [xaxis, yaxis].map(({ range }) => [...range]) }""",
        EQUATION,
    )
    return found

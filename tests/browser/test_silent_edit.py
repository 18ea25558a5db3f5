"""Moving about edits nothing: fast clicks, arrow keys and page changes in a real browser, many times over.

`LOSSVIZ_ROUNDS=50 pytest tests/browser/test_silent_edit.py -s` repeats each walk 50 times and prints how often the
batch came out of it edited; docs/decisions/0019-an-edit-names-its-target.md has the counts.
"""

import os
import random
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps

ROUNDS = int(os.environ.get("LOSSVIZ_ROUNDS", "3"))
KEY_MS = 150
GOLDEN, ALICE = ("golden", "1.2545", (3, 5)), ("alice-trained", "1.6970", (8, 16))
Walk = Callable[[Page, random.Random, tuple[int, int]], None]


def to_page(page: Page, title: str, landmark: str) -> None:
    page.get_by_role("link", name=title, exact=True).click(delay=80)  # as long as a finger presses
    page.wait_for_selector(landmark, state="attached")


def click(page: Page, cell: tuple[int, int]) -> None:
    page.mouse.click(*steps.place(page, *cell))


def there_and_back(page: Page, chance: random.Random, shape: tuple[int, int]) -> None:
    """Select, leave, come back, select another cell, and leave at once."""
    click(page, (1, 3))
    steps.idle(page)
    to_page(page, "Reductions", ".st-key-split")
    steps.idle(page)
    to_page(page, "Explore", f"{steps.EQUATION}[data-drawn]")
    steps.idle(page)
    click(page, (0, 2))
    to_page(page, "Reductions", ".st-key-split")
    steps.idle(page)
    to_page(page, "Explore", f"{steps.EQUATION}[data-drawn]")


def three_clicks(page: Page, chance: random.Random, shape: tuple[int, int]) -> None:
    for _ in range(3):
        click(page, (chance.randrange(shape[0]), chance.randrange(shape[1])))
        page.wait_for_timeout(chance.randrange(300))


def arrow_keys(page: Page, chance: random.Random, shape: tuple[int, int]) -> None:
    click(page, (0, 0))
    for _ in range(12):
        page.keyboard.press(chance.choice(["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]))
        page.wait_for_timeout(KEY_MS)


@pytest.mark.parametrize(
    ("walk", "sample"),
    [(there_and_back, GOLDEN), (three_clicks, GOLDEN), (arrow_keys, GOLDEN), (arrow_keys, ALICE)],
    ids=["there-and-back", "three-clicks", "arrow-keys-golden", "arrow-keys-alice"],
)
def test_moving_about_edits_nothing(page: Page, app_server: str, walk: Walk, sample: tuple) -> None:
    """No entry differs from the source, and the number is the batch's own."""
    name, value, shape = sample
    steps.sample(page, app_server, name)
    chance, edited = random.Random(0), 0
    for _ in range(ROUNDS):
        walk(page, chance, shape)
        steps.idle(page)
        steps.idle(page)
        if page.locator(".st-key-edits").count() or steps.number(page) != value:
            edited += 1
            steps.sample(page, app_server, name)
    print(f"\n{walk.__name__} on {name}: edited in {edited} of {ROUNDS} rounds")
    assert edited == 0
    expect(page.locator(".st-key-edits")).to_have_count(0)
    steps.expect_number(page, value)

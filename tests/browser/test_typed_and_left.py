"""What is typed without Enter and left at once, by a click on another page, is there when one comes back.

`LOSSVIZ_ROUNDS=50 pytest tests/browser/test_typed_and_left.py -s` repeats each 50 times and prints how often it was
lost; docs/decisions/0019-an-edit-names-its-target.md has the counts.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import steps

ROUNDS = int(os.environ.get("LOSSVIZ_ROUNDS", "1"))
LANDMARKS = {
    "Explore": f"{steps.EQUATION}[data-drawn]",
    "Doctor": ".st-key-doctor_answer",
    "Reductions": ".st-key-split",
    "Identify": ".st-key-identify_question",
}
NUMBERS, TEXTS = ("3", "5"), ("one two three\nfour five", "six seven\neight")


@dataclass(frozen=True)
class Field:
    """A field that something is typed into.

    Attributes:
        page: where it is; `leave`: where the click leads.
        show: makes it visible and returns it.
        typed: what is typed, in turn.
        view: what the address says.
    """

    page: str
    leave: str
    show: Callable[[Page], Locator]
    typed: tuple[str, ...] = NUMBERS
    view: Any = None


def weight(page: Page) -> Locator:
    field = page.locator("[class*=st-key-weight] input")
    if not field.count():
        steps.click_cell(page, 1, 3)
    return field


def keyed(name: str, kind: str = "input") -> Callable[[Page], Locator]:
    return lambda page: page.locator(f"[class*=st-key-{name}] {kind}").first


def under(panel: str, name: str) -> Callable[[Page], Locator]:
    """A field in a panel that opens over the page."""

    def show(page: Page) -> Locator:
        field = keyed(name)(page)
        if not field.is_visible():
            page.get_by_role("button", name=panel).click()
        return field

    return show


FIELDS = {
    "weight": Field("Explore", "Reductions", weight),
    "text": Field("Explore", "Doctor", keyed("typed_text", "textarea"), TEXTS, {"door": "Type"}),
    "seed": Field("Explore", "Identify", keyed("typed_seed"), NUMBERS, {"door": "Type"}),
    "sentences": Field(
        "Explore",
        "Reductions",
        keyed("sentences_language-model", "textarea"),
        ("Oh dear.", "Oh me."),
        {"door": "Model"},
    ),
    "constant length": Field("Doctor", "Explore", keyed("max_length"), NUMBERS, {"reduction": "max_length"}),
    "cut": Field("Reductions", "Explore", keyed("split_typed"), ("1, 2", "2, 1")),
    "options of the loop": Field("Reductions", "Doctor", under("Options of the loop", "loop_accumulation_steps")),
    "printed number": Field("Identify", "Doctor", keyed("identify_number"), ("1.2545", "1.5")),
    "set up": Field("Identify", "Explore", under("How the loop is set up", "identify_world_size")),
    "second number": Field("Identify", "Reductions", under("A second batch", "identify_other_number"), ("1.25", "2")),
}


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_typed_and_left_is_kept(page: Page, app_server: str, field: Field) -> None:
    steps.visit(page, app_server, **{"door": "Sample", "sample": "golden"} | (field.view or {}))
    open_page(page, field.page)
    lost = []
    for number in range(ROUNDS):
        typed = field.typed[number % len(field.typed)]
        field.show(page).fill(typed)
        open_page(page, field.leave)
        open_page(page, field.page)
        found = field.show(page)
        steps.idle(page)
        if found.input_value() != typed:
            lost.append((number, typed, found.input_value()))
    print(f"\n{field.page}, {field.show}: lost in {len(lost)} of {ROUNDS} rounds")
    assert lost == []


def open_page(page: Page, title: str) -> None:
    """Go there by one click, as long as a finger presses."""
    page.get_by_role("link", name=title, exact=True).first.click(delay=80)
    page.wait_for_selector(LANDMARKS[title], state="attached")
    expect(page.get_by_role("link", name=title, exact=True).first).to_have_attribute("aria-current", "page")
    steps.idle(page)

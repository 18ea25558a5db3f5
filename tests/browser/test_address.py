"""The address: a link to copy, one entry per page in the browser's history, and a button that begins anew."""

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.conftest import Shot


def test_choices_fill_no_history_and_the_link_is_copied(fresh_page: Page, app_server: str, shot: Shot) -> None:
    """Back leads to the page before, whatever was chosen; the copied link is the address."""
    page = fresh_page  # a history ends at 50 entries
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    steps.sample(page, app_server, "golden")
    entries = page.evaluate("history.length")
    for column in (1, 2, 3):
        steps.click_cell(page, 0, column)
    assert page.evaluate("history.length") == entries
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Link copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    shot(page, "address-light", whole=True)
    page.get_by_role("link", name="Doctor", exact=True).first.click()
    page.wait_for_selector(".st-key-doctor_answer")
    steps.idle(page)
    assert page.evaluate("history.length") == entries + 1
    page.go_back()
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    expect(page.locator(".st-key-explore_cell")).to_contain_text("Sequence 0, timestep 3:")
    page.get_by_role("button", name="Reset everything").click()
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    steps.idle(page)
    steps.expect_number(page, "1.6970")
    expect(page.locator(".st-key-explore_cell")).to_contain_text("Select a cell above")


def test_view_too_long_for_a_link_is_said_where_the_link_is(page: Page, app_server: str) -> None:
    """At once, with the file that keeps a typed batch of 60 × 60; a shorter one has a link again."""
    steps.visit(page, app_server, door="Type")
    text, copy = (
        page.get_by_role("textbox", name="Sequences, one per line"),
        page.get_by_role("button", name="Copy link"),
    )
    random = np.random.default_rng(0)
    text.fill("\n".join(" ".join(f"w{word}" for word in row) for row in random.integers(0, 10**6, (60, 60))))
    text.press("Control+Enter")
    expect(page.locator(".address [role=status]")).to_have_text(
        "This view is too long for a link. Download the batch to keep it."
    )
    expect(copy).to_be_disabled()
    expect(page.get_by_role("button", name="Batch as JSON")).to_be_visible()
    text.fill("a b\nc")
    text.press("Control+Enter")
    expect(copy).to_be_enabled()
    expect(page.locator(".address [role=status]")).to_be_empty()

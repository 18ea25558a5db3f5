"""axe-core objects to nothing on any page, light and dark: WCAG 2.2 A and AA, and its best practices."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from lossviz.ui.views import VIEWS
from tests.browser.steps import FIRST_PAGE_MS, idle

# Streamlit's own: its navigation has the titles of the groups as <div> between the <li> of one list.
STREAMLIT = ("[data-testid=stSidebarNavItems]",)
DRAWN = "[data-testid=stMain] [data-testid=stElementContainer]"


@pytest.mark.parametrize("theme", ["page", "dark_page"])
def test_axe_finds_nothing_on_any_page(theme, app_server, request, console_errors):
    page = request.getfixturevalue(theme)
    found = {}
    for view in VIEWS:
        page.goto(f"{app_server}/{view.name}")
        page.wait_for_selector(DRAWN, state="attached", timeout=FIRST_PAGE_MS)
        _settled(page)
        results = Axe().run(page, context={"exclude": [[part] for part in STREAMLIT]}).response
        for violation in results["violations"]:
            found[view.name, violation["id"]] = [node["html"][:200] for node in violation["nodes"]]
    # Streamlit looks for its own health under the page's address first.
    errors = [error for error in console_errors if "404 (Not Found)" not in error and "main page" not in error]
    console_errors.clear()
    assert (found, errors) == ({}, [])


def _settled(page: Page) -> None:
    """Wait until the page has been the same for a second: TensorFlow comes late, and pictures fade in."""
    before = None
    for _ in range(60):
        page.wait_for_timeout(1000)
        idle(page)
        now = page.evaluate("document.documentElement.outerHTML.length")
        if now == before:
            return
        before = now
    raise AssertionError("the page did not come to rest in a minute")

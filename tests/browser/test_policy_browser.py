"""The content security policy in a real browser: every page works under it, and what it forbids does not happen.

Every other browser test of the app runs under it too: a violation is an error in the console, which fails the test.
"""

import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from lossviz.ui.server import content_policy
from tests.browser import steps


def test_policy_lets_the_pages_work_and_nothing_else_in(
    page: Page, app_server: str, console_errors: list[str], foreign_requests: list[str]
) -> None:
    steps.visit(page, app_server)
    steps.expect_number(page, "1.6970")
    for name in ("Doctor", "Reductions", "Identify"):
        page.get_by_role("link", name=name, exact=True).first.click()
        expect(page.locator("[data-testid=stSidebarNav]")).to_be_visible()
        steps.idle(page)
    assert console_errors == []
    page.evaluate("""() => {
        const script = document.createElement("script")
        script.textContent = "window.ran = 1"
        document.head.append(script)
        const picture = document.createElement("img")
        picture.src = "https://example.org/a.png"
        document.body.append(picture)
    }""")
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") is None
    kinds = [
        next(rule for rule in ("script-src", "img-src") if f'directive "{rule}' in one or f"{rule} " in one)
        for one in console_errors
    ]
    assert sorted(kinds) == ["img-src", "script-src"]
    console_errors.clear()
    foreign_requests.remove("https://example.org/a.png")  # wanted, but never sent


def test_policy_comes_with_app_py_and_foreign_hosts_are_refused(app_server: str) -> None:
    with urllib.request.urlopen(app_server, timeout=60) as answer:  # noqa: S310 (our own server)
        assert answer.headers["content-security-policy"] == content_policy()
        assert answer.headers["x-frame-options"] == "DENY"
    foreign = urllib.request.Request(app_server, headers={"Host": "evil.example"})  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(foreign, timeout=60)  # noqa: S310
    error.value.close()
    assert error.value.code == 403


def test_browser_of_these_tests_reaches_this_machine_alone(
    page: Page, foreign_requests: list[str], console_errors: list[str]
) -> None:
    """By name or by number; what a page asks of others is written down, and fails every other test."""
    asked = ["http://example.org/a", "http://192.0.2.1/b"]
    ask = "addresses => Promise.all(addresses.map(one => fetch(one).then(() => 'answered', () => 'refused')))"
    assert page.evaluate(ask, asked) == ["refused", "refused"]
    assert foreign_requests == asked
    assert ["ERR_NAME_NOT_RESOLVED" in error for error in console_errors] == [True, True]
    foreign_requests.clear()
    console_errors.clear()

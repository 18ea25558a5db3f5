"""Fixtures of the browser tests: a running server, pages that may reach nothing but it, screenshots.

`serve(script)` and `app_server` give addresses; `page` and `dark_page` are 1280 x 800 and fail their test afterwards if
the page asked anything of another origin or wrote an error to the console.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route

from tests.browser.harness import ARTIFACTS, PATIENCE_MS, ROOT, chromium, server
from tests.browser.screens import recorded_run

Serve = Callable[[Path], str]
Shot = Callable[..., Path]
LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs all browser tests, so that one Chromium and one server of each script are enough."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def serve() -> Iterator[Serve]:
    """A function that runs a Streamlit script on a free port, once for the session, and gives its address."""
    with ExitStack() as stack:
        running: dict[Path, str] = {}

        def start(script: Path) -> str:
            if script not in running:
                running[script] = stack.enter_context(server(script))
            return running[script]

        yield start


@pytest.fixture(scope="session")
def app_server(serve: Serve) -> str:
    """The address of the app itself."""
    return serve(ROOT / "app.py")


@pytest.fixture(scope="session")
def run_server() -> Iterator[str]:
    """The address of the app on a run of 60 steps, in which the third sequence gets worse after step 400."""
    with recorded_run() as run, server(ROOT / "app.py", LOSSVIZ_FILE=str(run)) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def console_errors() -> list[str]:
    """What the page wrote to its console as an error; a test that expects one takes it out of the list."""
    return []


@pytest.fixture
def foreign_requests() -> list[str]:
    """Every address outside of our server that the page tried to reach; all of them are refused."""
    return []


def _open(browser: Browser, scheme: Any, errors: list[str], foreign: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme, reduced_motion="reduce")

    def watch(route: Route) -> None:
        if route.request.url.startswith(LOCAL):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    context.route("**/*", watch)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert foreign == []
    assert errors == [], "\n".join(errors)


@pytest.fixture
def page(browser: Browser, console_errors: list[str], foreign_requests: list[str]) -> Iterator[Page]:
    yield from _open(browser, "light", console_errors, foreign_requests)


@pytest.fixture
def dark_page(browser: Browser, console_errors: list[str], foreign_requests: list[str]) -> Iterator[Page]:
    yield from _open(browser, "dark", console_errors, foreign_requests)


@pytest.fixture
def shot() -> Shot:
    """A function that saves a screenshot as tests/artifacts/<name>.png: `shot(page, "explore-light")`."""

    def save(page: Page, name: str, *, whole: bool = False) -> Path:
        path = ARTIFACTS / f"{name}.png"
        page.screenshot(path=path, full_page=whole)
        return path

    return save

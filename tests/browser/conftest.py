"""Fixtures of the browser tests: a running server, pages that may reach nothing but it, screenshots.

`serve(script)` and `app_server` give addresses; `page`, `dark_page` and `fresh_page` are 1280 x 800 and fail their test
afterwards if the page asked anything of another origin or wrote an error to the console.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import cache, partial
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, ViewportSize

from tests.browser.harness import ARTIFACTS, PATIENCE_MS, ROOT, chromium, server
from tests.browser.live_model import open_model
from tests.browser.screens import recorded_run

Serve = Callable[[Path], str]
Shot = Callable[..., Path]
Scheme = Literal["light", "dark"]
SIZE: ViewportSize = {"width": 1280, "height": 800}
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
    """Every address outside of our server that the page tried to reach; the harness lets Chromium reach none."""
    return []


class Tab:
    """A page of one colour scheme that test after test uses, so that Chromium compiles the app's JavaScript once.

    A test gets it as new: nothing stored, no other page, the sizes and wishes that it began with.
    """

    def __init__(self, browser: Browser, scheme: Scheme) -> None:
        self.scheme = scheme
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.context = browser.new_context(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce")
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.on("request", self._watch)
        self.page = self.context.new_page()
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _watch(self, request: Request) -> None:
        if not request.url.startswith(LOCAL):
            self.foreign.append(request.url)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def lend(self, errors: list[str], foreign: list[str]) -> Iterator[Page]:
        """Lend the page to a test, which fails if it wrote an error or asked anything of another origin."""
        self.errors, self.foreign = errors, foreign
        yield self.page
        self.clean()
        assert foreign == []
        assert errors == [], "\n".join(errors)

    def clean(self) -> None:
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        with suppress(Error):  # a page without an origin stores nothing
            self.page.evaluate("() => [localStorage, sessionStorage].forEach(store => store.clear())")
        self.page.goto("about:blank")
        self.page.set_viewport_size(SIZE)
        self.page.emulate_media(color_scheme=self.scheme, reduced_motion="reduce")
        self.context.clear_permissions()


@pytest.fixture(scope="session")
def tab(browser: Browser) -> Callable[[Scheme], Tab]:
    """A function that gives the page of a colour scheme."""
    return cache(partial(Tab, browser))


@pytest.fixture
def page(tab: Callable[[Scheme], Tab], console_errors: list[str], foreign_requests: list[str]) -> Iterator[Page]:
    yield from tab("light").lend(console_errors, foreign_requests)


@pytest.fixture
def dark_page(tab: Callable[[Scheme], Tab], console_errors: list[str], foreign_requests: list[str]) -> Iterator[Page]:
    yield from tab("dark").lend(console_errors, foreign_requests)


@pytest.fixture
def fresh_page(browser: Browser, console_errors: list[str], foreign_requests: list[str]) -> Iterator[Page]:
    """A page with a history and a line to the server of its own."""
    own = Tab(browser, "light")
    yield from own.lend(console_errors, foreign_requests)
    own.context.close()


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    """A page that has nothing but the browser's model of a batch."""
    page = open_model(browser)
    yield page
    page.close()


@pytest.fixture
def shot() -> Shot:
    """A function that saves a screenshot as tests/artifacts/<name>.png: `shot(page, "explore-light")`."""

    def save(page: Page, name: str, *, whole: bool = False) -> Path:
        path = ARTIFACTS / f"{name}.png"
        page.screenshot(path=path, full_page=whole)
        return path

    return save

"""A click on a page is not taken back by what the page that is left still has to say.

The browser hears late that its click was taken: from the click on, what the server says is held back for a while.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.util import calc_hash

from tests.browser import steps


class Line:
    """The line between a browser and its server: while it is held, the browser hears nothing of what the server says.

    Attributes:
        asked: the pages that the browser asked for since then, each as often as it followed on another.
    """

    def __init__(self, page: Page) -> None:
        self.asked: list[str] = []
        self._waiting: list[Callable[[], None]] = []
        self._is_held = False
        page.route_web_socket(lambda _: True, self._connect)

    def hold(self) -> None:
        self._is_held = True

    def release(self) -> None:
        self._is_held = False
        for send in self._waiting:
            send()

    def _connect(self, browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()

        def from_browser(message: str | bytes) -> None:
            said = BackMsg.FromString(message if isinstance(message, bytes) else message.encode())
            if said.HasField("rerun_script"):
                page = said.rerun_script.page_script_hash
                if self._is_held and self.asked[-1:] != [page]:
                    self.asked.append(page)
            server.send(message)

        def from_server(message: str | bytes) -> None:
            if self._is_held:
                self._waiting.append(lambda: browser.send(message))
            else:
                browser.send(message)

        browser.on_message(from_browser)
        server.on_message(from_server)


@pytest.mark.parametrize(
    ("first", "last"),
    [("Explore", "Explore"), ("Explore", "Runs"), ("Runs", "Explore")],
    ids=["back", "on", "from a page without fields"],
)
def test_page_that_was_left_speaks_once_more(fresh_page: Page, app_server: str, first: str, last: str) -> None:
    """What is chosen after the click is kept and leads nowhere; a click back, sent in the same way, leads back.

    It holds for the page that a browser begins with, too, even if that has said nothing of its own before the click;
    and for a page that has no fields of its own, and says in its messages what a click says.
    """
    page = fresh_page
    line = Line(page)
    steps.sample(page, app_server, "golden")
    if first != "Explore":
        link(page, first).click()
        expect(link(page, first)).to_have_attribute("aria-current", "page")
        steps.idle(page)
    line.hold()
    next_page = "Runs" if first == "Explore" else "Explore"
    link(page, next_page).click()
    page.get_by_role("radio", name="Type", exact=True).click()
    if last == first:
        link(page, last).click()
    page.wait_for_timeout(500)
    assert line.asked[-2:] == [calc_hash(next_page.lower()), calc_hash(first.lower())]
    line.release()
    expect(page.get_by_role("textbox", name="Sequences, one per line")).to_be_visible()
    steps.idle(page)
    expect(link(page, last)).to_have_attribute("aria-current", "page", timeout=10_000)


def link(page: Page, title: str) -> Locator:
    return page.get_by_role("link", name=title, exact=True).first

"""Visitors without a browser: what a tab says to the server by its web socket, and what it is sent.

A hundred of them take less of the machine than one Chromium, so that what is measured is the server.
"""

import asyncio
import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.util import calc_hash
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

__all__ = ["Visitor", "in_a_thread"]

LARGEST = 50 * 2**20  # bytes of a message
PATIENCE = 120


class Visitor:
    """A tab on Explore with its table of lengths open.

    Attributes:
        seconds: how long each change took, from the message to the end of the server's answer.
    """

    def __init__(self, address: str, view: str = "", page: str = "") -> None:
        self._address, self._view = address.replace("http://", "ws://"), view
        self._typed: dict[str, dict[str, Any]] = {}
        self._fragment = self._editor = self._session = ""
        self._page = calc_hash(page) if page else ""
        self._uploads = list[str]()
        self._metrics: dict[str, str] = {}
        self.seconds = list[float]()
        self.socket: ClientConnection

    @property
    def number(self) -> str:
        """What the page shows as its number."""
        return next(iter(self._metrics.values()))

    async def enter(self) -> None:
        """Open the page."""
        self.socket = await connect(
            f"{self._address}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            max_size=LARGEST,
            ping_interval=None,
        )
        await self._ask("")

    async def set_length(self, row: int, length: int) -> None:
        """Type a length into the table of sequences."""
        table = self._typed.setdefault(self._editor, {})
        table[str(row)] = {"length": length}
        start = time.perf_counter()
        await self._ask(self._fragment)
        self.seconds.append(time.perf_counter() - start)

    async def upload(self, content: bytes) -> None:
        """Send a file to the server, as the field for files does once one was chosen."""
        message = BackMsg()
        asked = message.file_urls_request
        asked.request_id, asked.session_id = "upload", self._session
        asked.file_names.append("batch.npz")
        await self.socket.send(message.SerializeToString())
        while not self._uploads:
            self._is_end(await self._next())
        address = self._address.replace("ws://", "http://") + self._uploads.pop()
        await asyncio.to_thread(_put, address, content, self._address.replace("ws://", "http://"))

    async def leave(self) -> None:
        """Close the tab."""
        await self.socket.close()

    async def _ask(self, fragment: str) -> None:
        message = BackMsg()
        client = message.rerun_script
        client.query_string = f"view={self._view}" if self._view else ""
        client.page_script_hash, client.fragment_id = self._page, fragment
        for editor, rows in self._typed.items():
            sent = {"edited_rows": rows, "added_rows": [], "deleted_rows": []}
            client.widget_states.widgets.add(id=editor, string_value=json.dumps(sent))
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while not self._is_end(await self._next()):
                pass

    async def _next(self) -> ForwardMsg:
        content = await self.socket.recv(decode=False)
        return ForwardMsg.FromString(content)

    def _is_end(self, message: ForwardMsg) -> bool:
        if message.HasField("new_session"):
            self._page = message.new_session.page_script_hash
            self._session = message.new_session.initialize.session_id
        elif message.HasField("file_urls_response"):
            self._uploads += [one.upload_url for one in message.file_urls_response.file_urls]
        elif message.HasField("delta") and message.delta.HasField("new_element"):
            self._take(message.delta)
        ended = message.HasField("script_finished")
        return ended and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def _take(self, delta: Any) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "metric":
            self._metrics[element.metric.label] = element.metric.body
        elif kind == "dataframe" and "-lengths:" in element.dataframe.id:
            self._editor, self._fragment = element.dataframe.id, delta.fragment_id
        elif kind == "exception":
            raise AssertionError(element.exception.message)


def _put(address: str, content: bytes, server: str) -> None:
    with urllib.request.urlopen(f"{server}/_stcore/health", timeout=PATIENCE) as answer:  # noqa: S310 (our own server)
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="batch.npz"\r\n\r\n' + content + b"\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Cookie": cookie}
    headers["X-Xsrftoken"] = cookie.partition("=")[2]
    request = urllib.request.Request(address, body, headers, method="PUT")  # noqa: S310 (our own server)
    urllib.request.urlopen(request, timeout=PATIENCE).close()  # noqa: S310


def in_a_thread(coroutine):
    """Run it in a thread of its own: Playwright's loop runs in the tests' thread while a browser is open."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()

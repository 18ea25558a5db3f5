"""The server around the pages: who may ask, and what a page may load. Both ways of starting use it.

Streamlit itself refuses web sockets of foreign origins; what it sends by HTTP it sends to anyone, without a word on
what the page may load or who may frame it.
"""

import asyncio
import gc
import re
import sys
import webbrowser
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from fnmatch import fnmatch
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Timer
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime import get_instance

from lossviz.memory_pools import give_back, use_one_pool

__all__ = ["MIDDLEWARE", "Guard", "content_policy", "opening", "serve"]

Scope = MutableMapping[str, Any]
Send = Callable[[Scope], Awaitable[None]]
Receive = Callable[[], Awaitable[Scope]]
FORGET_EVERY = 15.0  # seconds
HOSTS = ("localhost", "127.0.0.1", "[::1]")
_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


@cache
def content_policy() -> str:
    """What a page may load: only what this server sends.

    Streamlit's page has a script in it, which is allowed by its hash; `blob:` is how it loads components, and inline
    styles are everywhere in it.

    >>> content_policy().split("; ")[0]
    "default-src 'self'"
    """
    page = (Path(st.__file__).parent / "static" / "index.html").read_text("utf-8")
    hashes = (b64encode(sha256(script.encode()).digest()).decode() for script in _INLINE.findall(page))
    scripts = " ".join(f"'sha256-{one}'" for one in hashes)
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' blob: {scripts}".rstrip(),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


class Guard:
    """Answers only who asks for this machine by its name, and says with each answer what the page may load.

    A page of somebody else's could otherwise read the app under a name of its own that points here (DNS rebinding).
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        host = next((value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"), "")
        if scope["type"] == "http":
            await (self.app if _is_here(host) else _refuse)(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket" and not _is_here(host):
            await send({"type": "websocket.close"})
        else:
            await self.app(scope, receive, send)


def _with_headers(send: Send) -> Send:
    async def send_guarded(message: Scope) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *_headers()]
        await send(message)

    return send_guarded


def _headers() -> list[tuple[bytes, bytes]]:
    return [
        (b"content-security-policy", content_policy().encode()),
        (b"x-frame-options", b"DENY"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    ]


def _is_here(host: str) -> bool:
    """Whether a Host header names this machine, or what `server.allowedHosts` adds.

    >>> [_is_here(host) for host in ("localhost:8501", "127.0.0.1", "[::1]:80", "evil.example:8501", "")]
    [True, True, True, False, False]
    """
    name = re.sub(r":\d*$", "", host).lower()
    added = st.get_option("server.allowedHosts") or ()
    return name in HOSTS or any(fnmatch(name, one.lower()) for one in added)


async def _refuse(_: Scope, __: Receive, send: Send) -> None:
    text = b"lossviz answers on this machine only. Open it as 127.0.0.1, or start it with --server.allowedHosts."
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": text})


MIDDLEWARE = (Middleware(Guard),)
use_one_pool()  # before the server's threads; `lossviz app` does it earlier, `streamlit run` can't


async def _forget_who_left() -> None:
    """Drop what closed tabs left behind, uploads included, once they may no longer come back.

    Streamlit keeps the session of a closed tab for two minutes and looks at the clock only when another tab comes or
    goes; its loop holds the last session even then. One large upload would stay in memory until somebody else comes.
    """
    while True:
        await asyncio.sleep(FORGET_EVERY)
        with suppress(AttributeError, RuntimeError):  # a Streamlit that keeps sessions in another way
            sessions = get_instance()._session_mgr
            with sessions._storage_lock:  # type: ignore[attr-defined]
                left = sessions._session_storage._cache.expire()  # type: ignore[attr-defined]
            for _, info in left:
                info.session.shutdown()  # its files
                info.session.session_state.clear()  # its batch
            if left:
                del left, info
                gc.collect()
                give_back()


@asynccontextmanager
async def opening(_: st.App) -> AsyncIterator[None]:
    """Open the browser once the server answers, as Streamlit does for plain scripts, where there is a display.

    As long as the server runs, it forgets who left.
    """
    if not st.get_option("server.headless"):
        address = f"http://{st.get_option('server.address') or 'localhost'}:{st.get_option('server.port')}"
        Timer(0.5, webbrowser.open, [address]).start()
    forgetting = asyncio.create_task(_forget_who_left())
    try:
        yield
    finally:
        forgetting.cancel()


def serve(script: Path, options: Mapping[str, Any], started: Callable[[int], None]) -> None:
    """Serve the pages until the process is stopped.

    Args:
        script: what Streamlit runs for every visitor.
        options: of Streamlit, by their dotted names; without a port, the first free one from 8501 on is taken.
        started: is called with the port once it is bound, and nobody else's.
    """

    @asynccontextmanager
    async def lifespan(app: st.App) -> AsyncIterator[None]:
        started(st.get_option("server.port"))
        async with opening(app):
            yield

    sys.argv = [str(script)]  # Streamlit looks beside it for configuration
    st.App(script, middleware=MIDDLEWARE, lifespan=lifespan).run(config=options)

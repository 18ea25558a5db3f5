"""The server around the pages: whom it answers, and what it lets a page load."""

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
import streamlit as st

from lossviz.ui import server
from lossviz.ui.server import Guard, content_policy
from tests.ui.visitors import in_a_thread

PAGE = Path(st.__file__).parent / "static" / "index.html"


class Scripts(HTMLParser):
    """The scripts of a page: those that stand in it, and where the others come from."""

    def __init__(self):
        super().__init__()
        self.inside, self.inline, self.sources = False, [], []

    def handle_starttag(self, tag, attrs):
        source = dict(attrs).get("src")
        self.inside = tag == "script" and source is None
        self.sources += [source] if tag == "script" and source else []

    def handle_data(self, data):
        self.inline += [data] if self.inside else []

    def handle_endtag(self, _):
        self.inside = False


def test_policy_allows_the_scripts_of_this_streamlit_and_no_other():
    scripts = Scripts()
    scripts.feed(PAGE.read_text("utf-8"))
    hashes = [f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts.inline]
    allowed = next(rule for rule in content_policy().split("; ") if rule.startswith("script-src"))
    assert allowed.split() == ["script-src", "'self'", "blob:", *hashes]
    assert len(hashes) == 1
    assert all(source.startswith("./") for source in scripts.sources)


def ask(kind, host, allowed=()):
    """What a guarded server sends to somebody who asks for that host."""
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})

    async def send(message):
        sent.append(message)

    headers = [] if host is None else [(b"host", host.encode())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "get_option", {"server.allowedHosts": list(allowed)}.get)
        in_a_thread(Guard(app)({"type": kind, "headers": headers}, None, send))
    return sent[0]


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "LOCALHOST:80", "[::1]:8501"])
def test_guard_answers_this_machine_with_the_policy(host):
    answer = ask("http", host)
    assert answer["status"] == 200
    assert dict(answer["headers"]) == {
        b"a": b"b",
        b"content-security-policy": content_policy().encode(),
        b"x-frame-options": b"DENY",
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"no-referrer",
    }


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "evil.example:8501", "127.0.0.1.evil.example", "localhost@e"]
)
def test_guard_refuses_every_other_host(host):
    assert ask("http", host)["status"] == 403
    assert ask("websocket", host) == {"type": "websocket.close"}


def test_guard_answers_hosts_that_the_configuration_adds():
    assert ask("http", "a.dev.example:80", ["*.dev.example"])["status"] == 200
    assert ask("http", "dev.example.org", ["*.dev.example"])["status"] == 403


@pytest.mark.parametrize(("headless", "opened"), [(True, []), (False, ["http://127.0.0.1:8503"])])
def test_browser_is_opened_where_there_is_a_display(monkeypatch, headless, opened):
    options = {"server.headless": headless, "server.address": "127.0.0.1", "server.port": 8503}
    monkeypatch.setattr(st, "get_option", options.get)
    addresses = []
    monkeypatch.setattr("webbrowser.open", addresses.append)

    class Now:
        def __init__(self, _, work, words):
            self.start = lambda: work(*words)

    monkeypatch.setattr(server, "Timer", Now)

    async def start():
        async with server.opening(None):
            pass

    in_a_thread(start())
    assert addresses == opened

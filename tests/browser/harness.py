"""Start Streamlit on a free port and Chromium beside it; shared by the browser tests and the browser benchmark."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, expect, sync_playwright

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "tests" / "artifacts"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # a route for each request would turn the cache off
]
START_SECONDS = 60
PATIENCE_MS = 60_000  # a loaded machine is slow, not wrong
expect.set_options(timeout=PATIENCE_MS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def server(script: Path, **variables: str) -> Iterator[str]:
    """Run a Streamlit script until the block ends; gives its address, e.g. http://127.0.0.1:40123.

    `variables` are added to its environment, e.g. `LOSSVIZ_FILE`, the batch that the app opens with.
    """
    options = {"port": str(free_port()), "address": "127.0.0.1", "headless": "true", "fileWatcherType": "none"}
    flags = [f"--server.{name}={value}" for name, value in options.items()]
    with _running(["-m", "streamlit", "run", str(script), *flags], script.stem, options["port"], variables) as address:
        yield address


@contextmanager
def command(script: Path, **variables: str) -> Iterator[str]:
    """The same of a Python script that is given a port, and serves there as `lossviz app` does."""
    port = str(free_port())
    with _running([str(script), port], script.stem, port, variables) as address:
        yield address


@contextmanager
def _running(words: list[str], name: str, port: str, variables: dict[str, str]) -> Iterator[str]:
    ARTIFACTS.mkdir(exist_ok=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    with (ARTIFACTS / f"server-{name}-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield _wait_until_up(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_until_up(address: str, process: "subprocess.Popen[bytes]") -> str:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):  # noqa: S310 (our own server)
                return address
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise RuntimeError(f"Streamlit did not answer at {address}; see tests/artifacts/server-*.log.")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open Debian's Chromium where it is installed, else the one that Playwright downloaded."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            yield browser
        finally:
            browser.close()


def launch(playwright: Playwright) -> Browser:
    executable = shutil.which("chromium")
    return playwright.chromium.launch(executable_path=executable, headless=True, args=CHROMIUM_ARGUMENTS)

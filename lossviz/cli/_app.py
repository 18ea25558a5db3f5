"""`lossviz app`: starts Streamlit in this process, on the module that frames the pages."""

import argparse
import os
import socket
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from lossviz.cli._files import resolve
from lossviz.errors import FormatError, InputError, require
from lossviz.formats import find_reader
from lossviz.memory_pools import use_one_pool
from lossviz.recording import is_run
from lossviz.settings import FILE_VARIABLE

__all__ = ["ADDRESS", "checked_port", "options_of", "run"]

ADDRESS = "127.0.0.1"
# A folder of its own: Streamlit puts the script's folder in front of `sys.path`.
_SCRIPT = Path(__file__).parent / "_start.py"
_ALWAYS = {
    "browser.gatherUsageStats": False,
    "logger.hideWelcomeMessage": True,
    "logger.level": "warning",
    "server.address": ADDRESS,
    "server.showEmailPrompt": False,
}


def run(arguments: argparse.Namespace) -> int:
    """Start the app and wait until it is stopped."""
    use_one_pool()  # before Streamlit and Arrow start threads
    require("streamlit", "`lossviz app`")
    if arguments.files:
        os.environ[FILE_VARIABLE] = "\n".join(str(_existing(file)) for file in arguments.files)
    options = options_of(checked_port(arguments.port), browser=not arguments.no_browser)
    try:
        # By name: the command starts the pages but is no part of them.
        import_module("lossviz.ui.server").serve(_SCRIPT, options, _announce)
    except KeyboardInterrupt:
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def checked_port(wanted: int | None) -> int | None:
    """The requested port, checked to be free; None lets the server choose.

    Raises:
        InputError: if it is taken, or is no port.
    """
    if wanted is not None and not 1 <= wanted <= 65535:
        raise InputError(f"`--port` must be from 1 to 65535; got {wanted}.")
    if wanted is not None and not _is_free(wanted):
        raise InputError(f"Port {wanted} is taken. Leave `--port` out to get a free one.")
    return wanted


def options_of(port: int | None, *, browser: bool) -> dict[str, Any]:
    """What Streamlit is started with: the options of .streamlit/config.toml, and those that never change.

    They are set in code, so that they also apply to an installed package and override the user's own configuration.
    """
    options = {**dict(_flatten(_configuration())), **_ALWAYS}
    if port is not None:
        options["server.port"] = port
    if not browser:  # otherwise Streamlit looks for a display by itself
        options["server.headless"] = True
    return options


def _announce(port: int) -> None:
    sys.stderr.write(f"lossviz is running at http://{ADDRESS}:{port} (Ctrl-C stops it).\n")
    sys.stderr.flush()


def _existing(file: str) -> Path:
    path = Path(file).resolve() if is_run(file) else resolve(file)
    if is_run(path):
        return path
    find_reader(path.name)  # refuses a suffix that nothing reads
    if not path.is_file():
        raise FormatError(f"There is no file `{path}`.")
    return path


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":  # a port that was closed a moment ago is free; on Windows the option differs
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def _configuration() -> dict[str, Any]:
    """The configuration file, from the checkout or from the installed package."""
    package = Path(__file__).parents[1]
    for folder in (package / "_streamlit", package.parent / ".streamlit"):
        if (folder / "config.toml").is_file():
            return tomllib.loads((folder / "config.toml").read_text("utf-8"))
    return {}


def _flatten(options: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value

"""A worker as the app sees it: started, listened to, ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from lossviz.theatre._messages import from_line
from lossviz.theatre._settings import Settings
from lossviz.theatre.events import Event

__all__ = ["COMMAND", "Worker"]

COMMAND = (sys.executable, "-P", "-m", "lossviz.theatre.worker")  # -P: a json.py where the app was started is not ours
_ONE_THREAD = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


class Worker:
    """A process that rehearses; a new interpreter, for the app's holds seeds and threads of its own.

    Args:
        settings: what it rehearses.
        command: what to run.

    Attributes:
        process: as the system knows it.
    """

    def __init__(self, settings: Settings, command: Sequence[str] = COMMAND) -> None:
        source = str(Path(__file__).parents[2])  # for the worker finds lossviz where the app found it
        path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1"), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": path},
        )
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):  # it has ended already, which `events` says
                self.process.stdin.write(json.dumps(asdict(settings)).encode() + b"\n")
                self.process.stdin.flush()

    def events(self) -> Iterator[Event]:
        """What happens in it, until it ends.

        Raises:
            RuntimeError: if it fails, in words.
        """
        if self.process.stdout is None:
            return
        with self.process.stdout as lines:
            for line in lines:
                event = from_line(line)
                if isinstance(event, str):
                    raise RuntimeError(f"The training failed ({event}).")
                yield event
        code = self.process.wait()
        if code:
            raise RuntimeError(f"The training process was ended by the system ({_cause(code)}).")

    def end(self) -> None:
        """End it at once; does nothing if it has ended."""
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        self.process.kill()
        self.process.wait()


def _cause(code: int) -> str:
    """Why a process ended.

    >>> _cause(-9), _cause(3)
    ('SIGKILL, perhaps for want of memory', 'exit code 3')
    """
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name}, perhaps for want of memory" if name == "SIGKILL" else name

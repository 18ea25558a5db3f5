"""The process that trains: `python -m lossviz.theatre.worker`, with settings as a line of JSON on its input.

It writes events to its output, and ends when its input is closed: by the app, or by the system once the app is dead.
"""

import json
import os
import sys
import threading
from typing import IO

from lossviz.errors import first_line
from lossviz.theatre._messages import FAILED, to_line
from lossviz.theatre._settings import Settings

__all__ = ["NICE", "main"]

NICE = 10


def main() -> None:
    """Rehearse what the input asks for."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints does not get between the events
    if hasattr(os, "nice"):
        os.nice(NICE)
    line = sys.stdin.buffer.readline()
    threading.Thread(target=_leave_with_the_app, args=(sys.stdin.buffer,), daemon=True).start()
    try:
        settings = Settings(**json.loads(line))
        from lossviz.theatre.rehearsal import rehearse  # imported late: TensorFlow takes seconds

        for event in rehearse(settings):
            out.write(to_line(event))
            out.flush()
    except Exception as error:
        out.write(json.dumps({FAILED: f"{type(error).__name__}: {first_line(error)}"}).encode() + b"\n")
        out.flush()


def _leave_with_the_app(pipe: IO[bytes]) -> None:
    pipe.read()
    os._exit(0)


if __name__ == "__main__":
    main()

"""A theatre whose workers replay the recording of act 1 instead of training, as fast as a test asks."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from lossviz.theatre import Jobs, act_numbered, read
from lossviz.theatre._messages import to_line
from lossviz.theatre.events import Ended, Event, Framed, Opened, Stepped

__all__ = ["SETTINGS", "events", "replaying"]

SETTINGS = act_numbered(1).settings[0]
PLAY = """
import os, sys, time
sys.stdin.readline()
lines = open(sys.argv[1]).readlines()
for at, line in enumerate(lines):
    while at == len(lines) // 2 and sys.argv[3] and not os.path.exists(sys.argv[3]):
        time.sleep(0.05)
    print(line, end="", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def events(off: float = 0.0) -> list[Event]:
    """What happened when act 1 was recorded; `off` is added to every printed number and to every loss."""
    shipped = read(SETTINGS)
    right, wrong = shipped.right, shipped.wrong
    happened: list[Event] = [Opened(right.scene, right.versions)]
    for at, step in enumerate(shipped.steps):
        before = shipped.steps[at - 1] if at else 0
        happened += [
            Stepped(float(one) + off, float(other) + off)
            for one, other in zip(right.reported[before:step], wrong.reported[before:step], strict=True)
        ]
        happened.append(
            Framed(*(replace(one, losses=one.losses + np.float32(off)) for one in (right.frame(at), wrong.frame(at))))
        )
    return [*happened, Ended(right.facts, wrong.facts)]


def replaying(seconds: float = 1.0, off: float = 0.0, gate: Path | None = None) -> Jobs:
    """A registry whose workers take so many seconds; whatever is asked for, act 1 is played.

    With a `gate`, they wait in the middle until there is such a file.
    """
    happened = events(off)
    script = Path(tempfile.mkdtemp(prefix="lossviz-replay-")) / "events.jsonl"
    script.write_bytes(b"".join(map(to_line, happened)))
    return Jobs([sys.executable, "-c", PLAY, str(script), str(seconds / len(happened)), str(gate or "")])

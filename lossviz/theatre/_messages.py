"""Events as lines of JSON, which is all that passes between the app and its worker. float32 survives it unchanged."""

import json
from typing import Any

import numpy as np

from lossviz.theatre._files import scene_as_json, scene_from_json, texts_as_json, texts_from_json
from lossviz.theatre._recording import Frame
from lossviz.theatre.events import Ended, Event, Framed, Opened, Stepped

__all__ = ["FAILED", "from_line", "to_line"]

FAILED = "failed"


def to_line(event: Event) -> bytes:
    r"""An event as a line.

    >>> to_line(Stepped(2.5, 2.25))
    b'{"stepped": [2.5, 2.25]}\n'
    """
    return json.dumps(_held(event)).encode() + b"\n"


def from_line(line: bytes) -> Event | str:
    r"""A line as an event, or the sentence that says why the worker failed.

    >>> from_line(b'{"stepped": [2.5, 2.25]}\n'), from_line(b'{"failed": "No memory."}')
    (Stepped(right=2.5, wrong=2.25), 'No memory.')
    """
    [(kind, held)] = json.loads(line).items()
    if kind == "opened":
        return Opened(scene_from_json(held["scene"]), held["versions"])
    if kind == "stepped":
        return Stepped(*held)
    if kind == "framed":
        return Framed(*map(_frame, held))
    return Ended(*held) if kind == "ended" else str(held)


def _held(event: Event) -> dict[str, Any]:
    if isinstance(event, Opened):
        return {"opened": {"scene": scene_as_json(event.scene), "versions": event.versions}}
    if isinstance(event, Stepped):
        return {"stepped": [event.right, event.wrong]}
    if isinstance(event, Framed):
        return {"framed": [_frame_as_json(event.right), _frame_as_json(event.wrong)]}
    return {"ended": [event.right, event.wrong]}


def _frame_as_json(frame: Frame) -> dict[str, Any]:
    return {
        "step": frame.step,
        "losses": frame.losses.tolist(),
        "prints": frame.prints,
        "told": frame.told,
        "true": frame.true.tolist(),
        "texts": texts_as_json(frame.texts),
    }


def _frame(held: dict[str, Any]) -> Frame:
    return Frame(
        int(held["step"]),
        np.array(held["losses"], np.float32),
        float(held["prints"]),
        float(held["told"]),
        np.array(held["true"], np.float64),
        texts_from_json(held["texts"]),
    )

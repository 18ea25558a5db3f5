"""The parts of a cut beside its heatmap: their names with their means, and the lines between them."""

from itertools import pairwise
from typing import Any

import numpy as np

from lossviz.digits import number
from lossviz.figures._core.geometry import Geometry
from lossviz.figures._core.legend import note
from lossviz.figures._core.style import Theme
from lossviz.figures._core.text import text_width
from lossviz.splits import Split

__all__ = ["boundaries", "names_width", "part_names", "runs"]

Spec = dict[str, Any]
HIGH, SIZE, APART = 16.0, 12, 8.0


def runs(labels: np.ndarray) -> list[tuple[int, int, int]]:
    """Neighbours that lie in the same part: (first, after the last, part).

    >>> runs(np.array([0, 1, 1, 0]))
    [(0, 1, 0), (1, 3, 1), (3, 4, 0)]
    """
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return [(first, end, int(labels[first])) for first, end in pairwise(edges) if end > first]


def names_width(split: Split) -> float:
    """The room that the longest name needs beside the heatmap, in pixels."""
    names = (_words(split, part, np.inf) for part in range(len(split.counts)))
    return max(text_width(words, SIZE) for words in names) + 24


def part_names(split: Split, place: Geometry, theme: Theme) -> list[Spec]:
    """Right of its sequences, or under its timesteps, each part by name, with its mean where there is room."""
    by_rows = split.cut.words.axis == 0
    notes, free = [], -np.inf
    for first, end, part in runs(split.cut.labels):
        size = place.cell[1 if by_rows else 0]
        middle, extent = (first + end) / 2 * size, (end - first) * size
        words = _words(split, part, extent if not by_rows else np.inf)
        half = HIGH / 2 if by_rows else (text_width(words, SIZE) + APART) / 2
        if not words or middle - half < free:
            continue
        free = middle + half
        x, y = place.batch.right + 10, place.batch.top + middle
        if not by_rows:
            x, y = place.batch.left + middle, place.batch.bottom + 12
        notes.append(note(place, words, x, y, theme.text, anchor="left" if by_rows else "center", name="part"))
    return notes


def boundaries(split: Split, place: Geometry, theme: Theme) -> list[Spec]:
    """Lines between the parts, out to their names."""
    by_rows, box = split.cut.words.axis == 0, place.batch
    ends = [first for first, *_ in runs(split.cut.labels)][1:]
    if len(ends) * 4 > (box.height if by_rows else box.width):
        return []
    return [_line(place, end, theme, by_rows=by_rows) for end in ends]


def _line(place: Geometry, end: int, theme: Theme, *, by_rows: bool) -> Spec:
    box, size = place.batch, place.cell[1 if by_rows else 0]
    x0, x1, y0, y1 = box.left, box.right + 8, box.top + end * size, box.top + end * size
    if not by_rows:
        x0, x1, y0, y1 = box.left + end * size, box.left + end * size, box.top, box.bottom + 8
    return {
        "type": "line",
        "name": "boundary",
        "xref": "paper",
        "yref": "paper",
        "x0": place.x(x0),
        "x1": place.x(x1),
        "y0": place.y(y0),
        "y1": place.y(y1),
        "line": {"width": 2, "color": theme.text},
    }


def _words(split: Split, part: int, room: float) -> str:
    """As much as fits: "rank 0: 6.8 ÷ 5 = 1.36", or "rank 0", or "0"."""
    name = split.cut.name(part)
    mean = f"{number(split.sums[part])} ÷ {split.counts[part]:,.6g} = {number(split.means[part])}"
    fitting = [words for words in (f"{name}: {mean}", name, str(part)) if text_width(words, SIZE) + APART <= room]
    return fitting[0] if fitting else ""

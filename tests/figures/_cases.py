"""Batches that the figures' tests share, and ways to look into a figure."""

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lossviz import Batch, analyze
from lossviz.analysis import Analysis
from tests.golden import golden_batch

HOSTILE = (
    "<script>",
    "<img src=x onerror=1>",
    "<b>",
    "[x](http://x)",
    "&lt;",
    "#000032",
    "שלום",
    "a\u200bb\u202e",
    "x" * 10_000,
    "two\nlines",
    "$x$",
    "",
)
OWN_MARKUP = ("<b>", "</b>", "<br>", '<span style="font-size:10.5px">', "</span>", "<extra></extra>")


def golden(**changes: Any) -> Analysis:
    """The golden batch, 3 × 5, 11 timesteps that count, Σ 13.8."""
    return analyze(golden_batch(**{"pad_id": 0, **changes}))


def random_analysis(rows: int, columns: int, classes: int = 7, **changes: Any) -> Analysis:
    """Random logits with lengths from 1 to T."""
    random = np.random.default_rng(rows * 1000 + columns)
    fields = {
        "logits": random.normal(0, 2, (rows, columns, classes)).astype(np.float32),
        "targets": random.integers(0, classes, (rows, columns)),
        "lengths": random.integers(1, columns + 1, rows) if columns else np.zeros(rows, int),
    }
    return analyze(Batch.from_arrays(**{**fields, **changes}))


def marked() -> Analysis:
    """One row: ordinary, loss 0, NaN, +inf loss, a label that is no class, padding."""
    logits = np.zeros((1, 6, 3))
    logits[0, 1] = [0, 1000, 0]
    logits[0, 2, 0] = np.nan
    logits[0, 3, 1] = -np.inf
    return analyze(Batch.from_arrays(logits=logits, targets=[[1, 1, 1, 1, 7, 1]], lengths=[5]))


def hostile() -> Analysis:
    """One timestep for each hostile token, which is the target and the model's first choice."""
    count = len(HOSTILE)
    logits = np.eye(count)[None] * 3
    return analyze(Batch.from_arrays(logits=logits, targets=np.arange(count)[None], vocabulary=HOSTILE))


def checked(figure: go.Figure) -> go.Figure:
    """The same figure after Plotly has validated every property of it."""
    go.Figure(json.loads(figure.to_json()))
    return figure


def heatmaps(figure: go.Figure) -> list[Any]:
    """The three heatmaps that can be selected: before the mask, the mask, after it."""
    return [
        trace
        for trace in figure.data
        if trace.type == "heatmap" and trace.meta and set(trace.meta) <= {"select", "part"}
    ]


def named(figure: go.Figure, name: str) -> list[Any]:
    """The traces of a name, in drawing order."""
    return [trace for trace in figure.data if trace.name == name]


def notes(figure: go.Figure, name: str) -> list[str]:
    """The texts of the annotations of a name."""
    return [note.text for note in figure.layout.annotations if note.name == name]


def words(node: Any) -> list[str]:
    """Every string anywhere in a figure's spec."""
    if isinstance(node, str):
        return [node]
    if isinstance(node, dict):
        return [word for key, value in node.items() if key != "bdata" for word in words(value)]
    if isinstance(node, (list, tuple)):
        return [word for value in node for word in words(value)]
    return []


def spec_words(figure: go.Figure) -> list[str]:
    """Every string that Plotly would read."""
    return words(json.loads(figure.to_json()))

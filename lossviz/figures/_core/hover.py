"""The text under the pointer: everything that is known of a cell."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.figures._core.cells import Window
from lossviz.figures._core.quantity import Quantity
from lossviz.figures._core.text import plotly_text, with_id

__all__ = ["HOVER", "hover", "plain_hover"]

Array = np.ndarray
Spec = dict[str, Any]
MOST_HOVERS = 2000
HOVER = (
    "<b>sequence %{y}, timestep %{x}</b><br>%{text}<br>"
    "loss %{customdata[0]:.4f} nats × weight %{customdata[1]:.4~g} = %{customdata[2]:.4f}<br>"
    "share of the number %{customdata[3]:.2%}<br>"
    "probability %{customdata[4]:.4~g}, rank %{customdata[6]}, entropy %{customdata[5]:.4f} nats<br>"
    "gradient norm %{customdata[7]:.3~g}<extra></extra>"
)
RECORDED_HOVER = "<b>sequence %{y}, timestep %{x}</b><br>%{text}<extra></extra>"


def hover(analysis: Analysis, window: Window) -> dict[str, Any] | None:
    """Everything about each cell for `HOVER`; None where the window has too many cells to be cheap."""
    rows, columns = window.shape
    if rows * columns > MOST_HOVERS:
        return None
    if not analysis.has_logits:
        return {"text": _recorded_lines(analysis, window), "hovertemplate": RECORDED_HOVER}
    fields = ("batch_loss", "weights", "unpadded_loss", "share", "probability", "entropy", "rank", "gradient_norm")
    with np.errstate(over="ignore"):
        numbers = np.stack([window.of(getattr(analysis, name)) for name in fields], axis=-1).astype(np.float32)
    return {"customdata": numbers, "text": _lines(analysis, window), "hovertemplate": HOVER}


def _recorded_lines(analysis: Analysis, window: Window) -> list[list[str]]:
    """For each cell of a batch without logits: the target, and those of its numbers that were recorded."""
    (targets,) = _named(analysis.batch.token, window.of(analysis.batch.targets))
    fields = ("batch_loss", "weights", "unpadded_loss", "share", "probability", "rank", "entropy")
    numbers = np.stack([window.of(getattr(analysis, name)) for name in fields], axis=-1)
    name = "label" if analysis.is_classifier else "target"
    return [
        [f"{name} {target}<br>{_recorded_numbers(*cell)}" for target, cell in zip(*row, strict=True)]
        for row in zip(targets, numbers, strict=True)
    ]


def _recorded_numbers(
    loss: float, weight: float, weighted: float, share: float, probability: float, rank: float, entropy: float
) -> str:
    if np.isnan(loss):
        return f"loss not recorded, weight {weight:.4g}"
    known = [f"probability {probability:.4g}"]
    known += [] if np.isnan(rank) else [f"rank {rank:.0f}"]
    known += [] if np.isnan(entropy) else [f"entropy {entropy:.4f} nats"]
    counted = f"loss {loss:.4f} nats × weight {weight:.4g} = {weighted:.4f}"
    part = f"{share:.2%}" if np.isfinite(share) else "NaN"
    return "<br>".join((counted, f"share of the number {part}", ", ".join(known)))


def _lines(analysis: Analysis, window: Window) -> list[list[str]]:
    """For each cell: the target, the model's first choice, and what it read, if the batch has inputs."""
    batch, is_classifier = analysis.batch, analysis.is_classifier
    classes = _named(str if is_classifier else batch.token, window.of(batch.targets), window.of(analysis.prediction))
    lines = [
        [
            f"{'label' if is_classifier else 'target'} {target}, first choice {first}"
            for target, first in zip(*row, strict=True)
        ]
        for row in zip(*classes, strict=True)
    ]
    if batch.inputs is None:
        return lines
    (read,) = _named(batch.input_token, window.of(batch.inputs))
    if is_classifier:
        read = _with_halves(read, analysis, window)
    return [
        [f"{line}<br>read {word}" for line, word in zip(*row, strict=True)] for row in zip(lines, read, strict=True)
    ]


def _with_halves(read: list[list[str]], analysis: Analysis, window: Window) -> list[list[str]]:
    """The words read, and what each half of a bidirectional LSTM has seen there where the timestep is real."""
    real = analysis.real_timesteps
    forward = np.cumsum(real, axis=1)
    seen = [window.of(array).tolist() for array in (real, forward, forward[:, -1:] - forward + real)]
    words = "{}<br>a BiLSTM has seen {} forwards, {} backwards"
    return [
        [words.format(word, *halves) if counts else word for word, counts, *halves in zip(*row, strict=True)]
        for row in zip(read, *seen, strict=True)
    ]


def _named(word: Callable[[int], str], *ids: Array) -> list[list[list[str]]]:
    """Arrays of ids as words with their ids; each distinct one is looked up once."""
    named = {v: with_id(plotly_text(word(v)), v) for v in np.unique(np.concatenate(ids)).tolist()}
    return [[[named[v] for v in row] for row in array.tolist()] for array in ids]


def plain_hover(quantity: Quantity, name: str) -> Spec:
    """The value alone, for windows with many cells."""
    value = "%{z:.4~f} (log₁₀)" if quantity.logarithmic else "%{z:.4~g}"
    return {"hovertemplate": f"sequence %{{y}}, timestep %{{x}}<br>{name} {value}<extra></extra>"}

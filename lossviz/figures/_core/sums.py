"""What each sequence and each timestep adds to the number, and the line that names the divisor."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.figures._core.cells import Window
from lossviz.figures._core.geometry import Geometry
from lossviz.figures._core.quantity import Quantity
from lossviz.figures._core.style import Theme
from lossviz.figures._core.text import number, text_width
from lossviz.figures._core.traces import bars

__all__ = ["bar_range", "column_bars", "divisor_line", "divisor_words", "has_numbers", "row_bars", "total"]

PLURAL = re.compile(r"^(timestep|sequence|position|micro-batch)(?:s|es)\b")
Array = np.ndarray
Spec = dict[str, Any]


def total(analysis: Analysis, quantity: Quantity) -> float:
    """Σ over the whole batch of what counts."""
    return float(quantity.counted(analysis).sum())


def row_bars(analysis: Analysis, quantity: Quantity, window: Window, place: Geometry, theme: Theme) -> Spec:
    """Each sequence's part, right of its row; what does not count is exactly 0 in the quantities that have sums.

    Where the result is one number per sequence, the bars are those numbers; where it is several others, there are none.
    """
    parts = quantity.counted(analysis)[window.row0 : window.row1].sum(axis=1)
    own = analysis.weights[window.row0 : window.row1].sum(axis=1) if _means(analysis, quantity, "sequences") else None
    about = f"sequence %{{y}}: %{{customdata:.4~f}}{_unit(quantity)} in all<extra></extra>"
    if has_numbers(analysis, quantity):
        parts = _own_numbers(analysis, 1, len(parts), window.row0)
        about = "the number of sequence %{y}: %{customdata:.4~f} nats<extra></extra>"
    text = _words(quantity, parts, own) if place.cell[1] >= 12 else []
    if not parts.any():
        text = [""] * len(text)
    spec = bars("per sequence", window.rows, parts, text, _axes(place, "row"), theme, across=True)
    return spec | {"hovertemplate": about}


def column_bars(analysis: Analysis, quantity: Quantity, window: Window, place: Geometry, theme: Theme) -> Spec:
    """Each timestep's part, under its column; its number while it fits, else the largest one's."""
    parts = quantity.counted(analysis)[:, window.t0 : window.t1].sum(axis=0)
    own = analysis.weights[:, window.t0 : window.t1].sum(axis=0) if _means(analysis, quantity, "timesteps") else None
    about = f"timestep %{{x}}: %{{customdata:.4~f}}{_unit(quantity)} in all<extra></extra>"
    if has_numbers(analysis, quantity):
        parts = _own_numbers(analysis, 0, len(parts), window.t0)
        about = "the number of timestep %{x}: %{customdata:.4~f} nats<extra></extra>"
    text = _words(quantity, parts, own)
    if max(text_width(word, 12) for word in text) > place.cell[0] - 2:
        largest = int(np.argmax(np.abs(np.where(np.isfinite(parts), parts, 0.0))))
        text = [word if at == largest else "" for at, word in enumerate(text)]
    if not parts.any():
        text = [""] * len(text)
    spec = bars("per timestep", window.timesteps, parts, text, _axes(place, "column"), theme, across=False)
    return spec | {"hovertemplate": about}


def has_numbers(analysis: Analysis, quantity: Quantity) -> bool:
    """Whether the result is several numbers, which the bars of losses show instead of sums."""
    return quantity.name == "loss" and not analysis.is_scalar


def _own_numbers(analysis: Analysis, axis: int, count: int, first: int) -> Array:
    """The numbers of a result that has one for each row (axis 1 is summed over) or column; else zeros, no bars."""
    if analysis.reduced_axes != (axis,):
        return np.zeros(count)
    numbers: Array = np.asarray(analysis.value)[first : first + count]
    return numbers


def bar_range(spec: Spec, pixels: float) -> list[float]:
    """The axis range that leaves room outside the bars for their numbers."""
    across = spec["orientation"] == "h"
    length = spec["x"] if across else spec["y"]
    words = max((text_width(word, 12) + 8 for word in spec["text"]), default=0.0) if across else 18.0
    room = min(words / pixels, 0.8)
    low, high = min(0.0, float(length.min())), max(0.0, float(length.max()))
    span = (high - low or 1.0) / (1 - room * (1 + (low < 0)))
    return [low - (room * span if low < 0 else 0.0), high + room * span if high > 0 or low == 0 else 0.0]


def divisor_line(analysis: Analysis, quantity: Quantity) -> str:
    """Numerator ÷ divisor = number; the divisor is always named.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])
    >>> from lossviz.figures._core.quantity import QUANTITIES
    >>> divisor_line(analyze(batch), QUANTITIES["loss"])
    '4.1589 ÷ <b>3</b> timesteps that count = <b>1.3863</b> nats'
    """
    counts = analysis.divisor_items
    if not analysis.is_scalar:
        return _many(analysis, counts)
    named = _one(counts) if analysis.divisor == 1 else counts
    divisor = f"<b>{_exactly(analysis.divisor)}</b> {_bracketed(named, divides=analysis.divides)}"
    line = f"{number(analysis.numerator)}{_means_of(analysis)} ÷ {divisor} = <b>{number(analysis.value)}</b> nats"
    return f"100% is {line}" if quantity.name == "share" else line


def divisor_words(analysis: Analysis) -> dict[str, str]:
    """The words of that line for a browser, which fills in other numbers.

    `means` stand after the numerator; after the divisor `ones` where all weights are 0 or 1, `one` where it is 1,
    `other` where weights are fractions.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])
    >>> divisor_words(analyze(batch))
    {'means': '', 'ones': 'timesteps that count', 'one': 'timestep that counts', 'other': '(the sum of the weights)'}
    """
    if not analysis.is_scalar or analysis.weights.size == 0:
        return {}
    nothing, options = np.zeros(analysis.weights.shape), analysis.settings.options
    ones, other = (
        reduced.items or reduced.counts
        for reduced in (analysis.reduction.reduce(nothing, nothing + weight, options) for weight in (1.0, 0.5))
    )
    named = {"ones": ones, "one": _one(ones), "other": other}
    words = {name: _bracketed(counts, divides=analysis.divides) for name, counts in named.items()}
    return {"means": _means_of(analysis), **words}


def _one(counts: str) -> str:
    return PLURAL.sub(r"\1", counts).replace("that count", "that counts").replace("that are", "that is")


def _bracketed(counts: str, *, divides: bool) -> str:
    return f"({counts})" if not divides or counts.startswith("the ") else counts


def _means_of(analysis: Analysis) -> str:
    return f" (the {analysis.means_of}' means)" if analysis.means_of else ""


def _many(analysis: Analysis, counts: str) -> str:
    values, divisors = np.asarray(analysis.value), np.asarray(analysis.divisor)
    of = {(1,): "sequence", (0,): "timestep", (): "timestep of each sequence"}[analysis.reduced_axes]
    return f"÷ {counts} (<b>{_span(divisors, _exactly)}</b>) = one number per {of}, <b>{_span(values)}</b> nats"


def _exactly(divisor: float) -> str:
    """A divisor with the digits that it has, and the sign of the other numbers in its line."""
    written = f"{abs(divisor):,.10g}"
    return f"−{written}" if divisor < 0 else written


def _span(values: Array, form: Callable[[float], str] = number) -> str:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return "NaN"
    ends = [form(float(end)) for end in (finite.min(), finite.max())]
    span = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    return span if finite.size == values.size else f"{span} and NaN"


def _means(analysis: Analysis, quantity: Quantity, of: str) -> bool:
    return quantity.name == "loss" and analysis.means_of == of


def _words(quantity: Quantity, parts: Array, own: Array | None) -> list[str]:
    """The numbers at the bars; in a mean of means, also what each is divided by before they are added up."""
    words = [quantity.form(float(part)) for part in parts]
    return words if own is None else [f"{word} ÷ {weight:.4g}" for word, weight in zip(words, own, strict=True)]


def _axes(place: Geometry, kind: str) -> tuple[str, str]:
    if place.stacked:
        return ("x2", "y3") if kind == "row" else ("x", "y4")
    return ("x4", "y") if kind == "row" else ("x3", "y2")


def _unit(quantity: Quantity) -> str:
    return " nats" if quantity.name == "loss" else ""

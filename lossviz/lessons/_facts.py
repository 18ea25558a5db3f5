"""What questions ask of an analysis: its number under another mask or reduction, a single loss, a number as text."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.settings import Settings

__all__ = ["cell_working", "classes", "loss_at", "n", "reduced", "row_means", "total", "uniform"]

Fact = Callable[[Analysis], float]


def n(value: float) -> str:
    """A number in at most four decimals, as people write it.

    >>> n(13.8), n(13.8 / 11), n(11.0), n(float("nan"))
    ('13.8', '1.2545', '11', 'NaN')
    """
    return "NaN" if np.isnan(value) else f"{round(float(value), 4):.10g}"


def reduced(reduction: str = "mean", mask: str | None = None, **options: Any) -> Fact:
    """The number of the batch on screen under another mask and reduction."""
    settings = Settings(mask=mask, reduction=reduction, **options)

    def fact(analysis: Analysis) -> float:
        return float(analysis.with_settings(settings).value)

    return fact


def loss_at(*cell: int) -> Fact:
    """The loss of one timestep."""
    return lambda a: float(a.batch_loss[cell])


def total(a: Analysis) -> float:
    """The sum of the losses of all timesteps, padding too."""
    return float(a.batch_loss.sum())


def classes(a: Analysis) -> int:
    """V."""
    return int(a.classes)


def uniform(a: Analysis) -> float:
    """The loss of a uniform guess, ln V."""
    return float(np.log(a.classes))


def row_means(a: Analysis) -> np.ndarray:
    """The mean of each sequence over its own timesteps, [B]."""
    means: np.ndarray = a.unpadded_loss.sum(axis=1) / a.weights.sum(axis=1)
    return means


def cell_working(*cell: int) -> Callable[[Analysis], tuple[str, ...]]:
    """The arithmetic of one timestep, line by line."""

    def lines(a: Analysis) -> tuple[str, ...]:
        e = a.explain(cell[0], cell[1])
        return (
            f"Take the largest logit off: {n(e.maximum + e.shifted)} − {n(e.maximum)} = {n(e.shifted)}.",
            f"Sum the exponentials, and take the logarithm: ln {n(e.total)} = {n(e.log_total)}.",
            f"The loss is {n(e.log_total)} − {n(e.shifted)} = {n(e.loss)}.",
        )

    return lines

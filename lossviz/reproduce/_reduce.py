"""The last part of a script: how the unpadded loss becomes the number, with its divisor named."""

from collections.abc import Iterator
from string import Formatter

import numpy as np

from lossviz.analysis import Analysis
from lossviz.reductions import reduction_named
from lossviz.reproduce._libraries import Library

__all__ = ["reduce_lines"]

B, T = "targets.shape[0]", "targets.shape[1]"


def reduce_lines(analysis: Analysis, library: Library) -> Iterator[str]:
    """The lines from `unpadded_loss` to the printed number."""
    axis = {(0, 1): "", (1,): "axis=1", (0,): "axis=0", (): None}[analysis.reduced_axes]
    if axis is None:
        yield f"print({library.shown.format(x='unpadded_loss')})  # divided by nothing: each timestep stays as it is"
        return
    if analysis.means_of:
        yield from _means(analysis, library)
        total = _sum(library, "means")
    else:
        total = _sum(library, "unpadded_loss", axis)
    if not analysis.divides:
        yield f"value = {total}  # divided by {analysis.divisor_counts}"
    else:
        yield f"numerator = {total}"
        counts = analysis.divisor_counts
        yield f"# The divisor: {f'{analysis.divisor:.10g} {counts}' if analysis.is_scalar else counts}."
        yield from _quotient(analysis, library, axis)
    yield f"print({library.shown.format(x='value')})"


def _quotient(analysis: Analysis, library: Library, axis: str) -> Iterator[str]:
    row = reduction_named(analysis.settings.reduction)
    written = row.script.format(**_plain(analysis), **_of_weights(analysis, library, axis))
    if row.name == "decoder_length":
        mean = _divide(library, "numerator", "total", safe=not analysis.weights.sum())
        yield f"total = {_sum(library, 'weights')}"
        yield f"mean_length = total / {B if analysis.batch.shape[0] else '1'}"
        yield f"value = {mean} * (mean_length - 1)"
    elif {name for _, name, *_ in Formatter().parse(row.script)} <= {None, *_plain(analysis)}:  # a Python number
        yield f"divisor = {written}"
        yield f"value = numerator / divisor{'' if analysis.divisor else ' if divisor else numerator * 0'}"
    else:
        yield f"divisor = {written}"
        yield f"value = {_divide(library, 'numerator', 'divisor', safe=not np.all(analysis.divisor))}"


def _plain(analysis: Analysis) -> dict[str, str]:
    """The parts of a divisor that are plain numbers, known from the shape and the settings alone."""
    settings = analysis.settings
    return {
        "B": B,
        "T": T,
        "T_less_one": f"{T} - 1" if analysis.batch.shape[1] else "0",
        "L_max": f"{settings.max_length or T}",
        "k": f"{settings.accumulation_steps}",
    }


def _of_weights(analysis: Analysis, library: Library, axis: str) -> dict[str, str]:
    """The parts of a divisor that depend on the weights."""
    total, nonzero = _sum(library, "weights", axis), _nonzero(library, "weights", axis)
    averages = analysis.settings.average_across_timesteps or analysis.settings.average_across_batch
    return {
        "weights": total,
        "nonzero": nonzero,
        "by_flags": total if averages else nonzero,
        "first_labels": _nonzero(library, "weights[:, :1]"),
        "filled": _nonzero(library, "totals"),
    }


def _means(analysis: Analysis, library: Library) -> Iterator[str]:
    """`means` of the groups, whose losses are `sums` and whose weights are `totals`; an empty group's is 0."""
    weights, k = analysis.weights, analysis.settings.accumulation_steps or 1
    if analysis.means_of == "micro-batches":
        pieces = min(k, max(len(weights), 1))
        if library.sizes:
            yield library.sizes.format(sequences=B, pieces=pieces)
        for name, array in (("sums", "unpadded_loss"), ("totals", "weights")):
            split = library.split.format(x=array, pieces=pieces)
            yield f"{name} = {library.alias}.stack([{_sum(library, 'part')} for part in {split}])"
        groups = [part.sum() for part in np.array_split(weights, pieces)]
    else:
        across = 1 if analysis.means_of == "sequences" else 0
        for name, array in (("sums", "unpadded_loss"), ("totals", "weights")):
            yield f"{name} = {_sum(library, array, f'axis={across}')}  # of each {analysis.means_of[:-1]}"
        groups = weights.sum(axis=across)
    yield f"means = {_divide(library, 'sums', 'totals', safe=not np.all(groups))}"


def _sum(library: Library, x: str, axis: str = "") -> str:
    return library.total.format(x=x, axis=axis, more=axis and f", {axis}")


def _nonzero(library: Library, x: str, axis: str = "") -> str:
    return library.nonzero.format(x=x, more=axis and f", {axis}")


def _divide(library: Library, numerator: str, divisor: str, *, safe: bool) -> str:
    return library.divide.format(n=numerator, d=divisor) if safe else f"{numerator} / {divisor}"

"""The last part of a script: how the unpadded loss becomes the number, with its divisor named."""

from collections.abc import Iterator

import numpy as np

from lossviz.analysis import Analysis
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
    if analysis.divisor_counts.startswith("nothing"):
        yield f"value = {total}  # divided by {analysis.divisor_counts}"
    else:
        yield f"numerator = {total}"
        counts = analysis.divisor_counts
        yield f"# The divisor: {f'{analysis.divisor:.10g} {counts}' if analysis.is_scalar else counts}."
        yield from _quotient(analysis, library, axis)
    yield f"print({library.shown.format(x='value')})"


def _quotient(analysis: Analysis, library: Library, axis: str) -> Iterator[str]:
    plain = _number(analysis)
    if analysis.settings.reduction == "decoder_length":
        mean = _divide(library, "numerator", "total", safe=not analysis.weights.sum())
        yield f"total = {_sum(library, 'weights')}"
        yield f"mean_length = total / {B if analysis.batch.shape[0] else '1'}"
        yield f"value = {mean} * (mean_length - 1)"
    elif plain:
        yield f"divisor = {plain}"
        yield f"value = numerator / divisor{'' if analysis.divisor else ' if divisor else numerator * 0'}"
    else:
        yield f"divisor = {_tensor(analysis, library, axis)}"
        yield f"value = {_divide(library, 'numerator', 'divisor', safe=not np.all(analysis.divisor))}"


def _number(analysis: Analysis) -> str:
    """A divisor that is a plain number, known from the shape and the settings alone; or ""."""
    settings = analysis.settings
    return {
        "encoder_decoder": B,
        "positions": f"{B} * {T}",
        "max_length": f"{B} * {settings.max_length or T}",
        "timesteps": T,
        "timesteps_less_one": f"{T} - 1" if analysis.batch.shape[1] else "0",
        "sequence_means": B,
        "timestep_means": T,
        "micro_batch_means": f"{settings.accumulation_steps}",
    }.get(settings.reduction, "")


def _tensor(analysis: Analysis, library: Library, axis: str) -> str:
    """A divisor that depends on the weights."""
    settings, name = analysis.settings, analysis.settings.reduction
    if name == "filled_sequence_means":
        return _nonzero(library, "totals")
    averages = settings.average_across_timesteps or settings.average_across_batch
    if name == "counted" or (name == "sequence_loss" and not averages):
        return _nonzero(library, "weights", axis)
    more = {
        "with_first_labels": f" + {_nonzero(library, 'weights[:, :1]')}",
        "without_stops": f" - {B}",
        "timesteps_twice": f" * {T}",
    }
    return _sum(library, "weights", axis) + more.get(name, "")


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

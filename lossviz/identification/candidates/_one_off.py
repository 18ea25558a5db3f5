"""Mistakes that are not a combination of a loss, a mask, a reduction and a unit."""

from collections.abc import Iterator

import numpy as np

from lossviz.arrays import dtype_named
from lossviz.identification._context import Context
from lossviz.identification._hypothesis import UNIT, Hypothesis
from lossviz.identification._partition import Partition
from lossviz.identification.candidates._cuts import Cut, cuts
from lossviz.identification.candidates._losses import SMOOTHING
from lossviz.identification.candidates._nothing_counted import bug, nothing_counted
from lossviz.identification.candidates._splits import MEAN

__all__ = [
    "accuracies",
    "one_off",
]

Array = np.ndarray
HALVES = ("bfloat16", "float16")
SUM, WEIGHTS = r"\sum_{b,t} w_{bt}\,\mathrm{loss}_{bt}", r"\sum_{b,t} w_{bt}"
SMOOTH = r"\operatorname{mean}_v(-\log p_{btv})"


def one_off(context: Context) -> Iterator[Hypothesis]:
    """All of them, evaluated."""
    with np.errstate(all="ignore"):
        yield from _mean_perplexities(context)
        yield from nothing_counted(context)
        if not context.analysis.has_logits:
            return
        yield from _unmasked_smoothing(context)
        yield from _accuracy(context)
        yield from _leaks(context)
        yield from _halves(context)


def accuracies(context: Context) -> tuple[float, float]:
    """The accuracy over all positions (PAD-17), and over the timesteps that count.

    >>> from lossviz import Batch, analyze
    >>> from lossviz.reductions import Options
    >>> batch = Batch.from_arrays(logits=np.eye(2)[None], targets=[[0, 0]], lengths=[1])
    >>> accuracies(Context(analyze(batch), Options()))
    (0.5, 1.0)
    """
    right = (context.analysis.prediction == context.targets).astype(float)
    with np.errstate(all="ignore"):
        return float(np.float64(right.sum()) / right.size), float((right * context.weights).sum() / context.weight)


def _unmasked_smoothing(context: Context) -> Iterator[Hypothesis]:
    """RED-10: the smoothing term summed over all positions, divided by Σ w or by their number."""
    given, weight = context.options.smoothing, np.float64(context.weight)
    for epsilon in (given,) if given is not None else SMOOTHING:
        if epsilon:
            yield _smoothing(context, epsilon, weight, WEIGHTS, "sums the smoothing term over all positions")
            yield _smoothing(
                context, epsilon, context.positions, r"B \cdot T", "averages the smoothing term over all positions"
            )


def _smoothing(context: Context, epsilon: float, over: float, below: str, words: str) -> Hypothesis:
    uniform, weight = context.alternatives.uniform_loss.sum(), np.float64(context.weight)
    is_given = context.options.smoothing is not None
    return bug(
        "RED10",
        f"Smoothing of all positions, ε = {epsilon:g}",
        (1 - epsilon) * context.total / weight + epsilon * uniform / np.float64(over),
        f"{words}, {context.padding:,} of them padding, with ε = {epsilon:g}",
        rf"(1-\varepsilon)\frac{{{SUM}}}{{{WEIGHTS}}} + \varepsilon\frac{{\sum_{{b,t}} {SMOOTH}}}{{{below}}},"
        rf"\ \varepsilon = {epsilon:g}",
        lambda: ((1 - epsilon) * _share(context), np.ones(context.weights.shape, bool)),
        cost=4 if is_given else 22,
        guessed="" if is_given else "smoothing",
        key=f"{below} {epsilon:g}",
    )


def _share(context: Context) -> Array:
    """W / Σ w, 0 where nothing counts."""
    return context.weights / (context.weight or 1.0)


def _mean_perplexities(context: Context) -> Iterator[Hypothesis]:
    """RED-12: exp of each part's mean, then the mean."""
    return (_mean_perplexity(context, cut) for cut in cuts(context) if cut.kind.is_of_sequences)


def _mean_perplexity(context: Context, cut: Cut) -> Hypothesis:
    sums, own = context.totals.over(cut.partition), context.weighed.own(cut.partition)
    return bug(
        "RED12",
        f"Mean of the perplexities of {cut.name}",
        np.exp(sums / own).sum() / cut.parts,
        f"averages the perplexities of {cut.name} ({cut.how})",
        rf"\frac{{1}}{{{cut.parts}}}\sum_g \exp\left({MEAN}\right)",
        lambda: _perplexity_arrays(context, cut.partition),
        cost=6 if cut.is_given else 14,
        is_sure=cut.is_given,
        key=f"perplexities {cut.key}",
    )


def _perplexity_arrays(context: Context, partition: Partition) -> tuple[Array, Array]:
    """Of (1/k)·Σ_g exp(S_g / N_g) the derivative by a loss of g is exp(S_g / N_g) · w / (N_g · k)."""
    if not context.positions:
        return context.weights, context.weights != 0
    sums, own = context.totals.over(partition), context.weighed.own(partition)
    with np.errstate(all="ignore"):
        factor = np.nan_to_num(np.exp(sums / own) / own / partition.parts, posinf=0.0, neginf=0.0)
    return context.weights * factor[partition.labels], context.weights != 0


def _accuracy(context: Context) -> Iterator[Hypothesis]:
    if context.positions:
        yield bug(
            "PAD17",
            "Not the loss: the accuracy, padding counted",
            accuracies(context)[0],
            f"prints the accuracy over all {context.positions:,} positions, {context.padding:,} of them padding",
            r"\frac{1}{B \cdot T}\sum_{b,t} [\operatorname{argmax}_v z_{btv} = y_{bt}]",
            lambda: (np.zeros(context.weights.shape), np.ones(context.weights.shape, bool)),
            cost=30,
            tier=UNIT,
            key="all",
        )


def _leaks(context: Context) -> Iterator[Hypothesis]:
    """NUM-01: 0 · NaN is NaN."""
    masked = (context.weights == 0) & ~np.isfinite(context.analysis.batch_loss)
    if masked.any():
        yield bug(
            "NUM01",
            "NaN times 0",
            np.nan,
            f"multiplies {_not_finite(int(masked.sum()))} not finite by a weight of 0, which gives NaN",
            rf"\frac{{{SUM}}}{{{WEIGHTS}}},\quad 0 \cdot \mathrm{{NaN}} = \mathrm{{NaN}}",
            lambda: (np.zeros(context.weights.shape), masked | (context.weights != 0)),
            cost=1,
            is_sure=True,
        )


def _not_finite(count: int) -> str:
    return "1 loss that is" if count == 1 else f"{count:,} losses that are"


def _halves(context: Context) -> Iterator[Hypothesis]:
    """NUM-06: each loss and the mean rounded; kernels accumulate the sums in higher precision."""
    rounded = {"bfloat16": context.alternatives.in_bfloat16, "float16": context.alternatives.in_float16}
    for name in HALVES:
        dtype = dtype_named(name)
        loss = np.where(context.weights != 0, rounded[name].astype(np.float32).astype(dtype).astype(np.float64), 0.0)
        mean = (loss * context.weights).sum() / np.float64(context.weight)
        yield bug(
            "NUM06",
            f"Everything rounded to {name}",
            float(np.float32(mean).astype(dtype)),
            f"computes in {name}: logits, losses and their mean are rounded to it",
            rf"\mathrm{{{name}}}\left(\frac{{{SUM}}}{{{WEIGHTS}}}\right)",
            lambda: (_share(context), context.weights != 0),
            cost=7,
            is_sure=context.analysis.batch.logits.dtype.name == name,
            key=f"all {name}",
        )

"""Mistakes that are no product of a loss, a mask, a way and a unit: each has a value of its own."""

from collections.abc import Callable, Iterator

import numpy as np

from lossviz.arrays import dtype_named
from lossviz.conventions import terms_of
from lossviz.identification._facts import Facts
from lossviz.identification._hypothesis import BUG, UNIT, Hypothesis
from lossviz.identification._losses import SMOOTHING
from lossviz.identification._splits import MEAN, Cut, cuts
from lossviz.reductions import group_sums

__all__ = [
    "accuracies",
    "bits_per_byte_arrays",
    "decoder_length_arrays",
    "keras_arrays",
    "mean_perplexity_arrays",
    "special",
]

Array = np.ndarray
HALVES = ("bfloat16", "float16")
SUM, WEIGHTS = r"\sum_{b,t} w_{bt}\,\mathrm{loss}_{bt}", r"\sum_{b,t} w_{bt}"
SMOOTH = r"\operatorname{mean}_v(-\log p_{btv})"


def special(facts: Facts) -> Iterator[Hypothesis]:
    """Each of them, evaluated."""
    with np.errstate(all="ignore"):
        yield from _unmasked_smoothing(facts)
        yield from _mean_perplexities(facts)
        yield from _accuracy(facts)
        yield from _leaks(facts)
        yield from _halves(facts)


def accuracies(facts: Facts) -> tuple[float, float]:
    """The accuracy over all positions (PAD-17), and over the timesteps that count.

    >>> from lossviz import Batch, analyze
    >>> from lossviz.reductions import Options
    >>> batch = Batch.from_arrays(logits=np.eye(2)[None], targets=[[0, 0]], lengths=[1])
    >>> accuracies(Facts(analyze(batch), Options()))
    (0.5, 1.0)
    """
    right = (facts.analysis.prediction == facts.targets).astype(float)
    with np.errstate(all="ignore"):
        return float(np.float64(right.sum()) / right.size), float((right * facts.weights).sum() / facts.weight)


def _unmasked_smoothing(facts: Facts) -> Iterator[Hypothesis]:
    """RED-10: the smoothing term of all positions, over Σ w or as a mean of its own."""
    said, weight = facts.options.smoothing, np.float64(facts.weight)
    for epsilon in (said,) if said is not None else SMOOTHING:
        if epsilon:
            yield _smoothing(facts, epsilon, weight, WEIGHTS, "sums the smoothing term over the padding too")
            yield _smoothing(
                facts, epsilon, facts.positions, r"B \cdot T", "takes the smoothing term's mean over all positions"
            )


def _smoothing(facts: Facts, epsilon: float, over: float, below: str, words: str) -> Hypothesis:
    uniform, weight = facts.alternatives.uniform_loss.sum(), np.float64(facts.weight)
    is_said = facts.options.smoothing is not None
    return _bug(
        "RED10",
        f"Smoothing of all positions, ε = {epsilon:g}",
        (1 - epsilon) * facts.total / weight + epsilon * uniform / np.float64(over),
        f"{words}, {facts.padding:,} of them padding, with ε = {epsilon:g}",
        rf"(1-\varepsilon)\frac{{{SUM}}}{{{WEIGHTS}}} + \varepsilon\frac{{\sum_{{b,t}} {SMOOTH}}}{{{below}}},"
        rf"\ \varepsilon = {epsilon:g}",
        lambda: ((1 - epsilon) * _share(facts), np.ones(facts.weights.shape, bool)),
        cost=4 if is_said else 22,
        is_guess=not is_said,
        key=f"{below} {epsilon:g}",
    )


def _share(facts: Facts) -> Array:
    """W / Σ w, 0 where nothing counts."""
    return facts.weights / (facts.weight or 1.0)


def _mean_perplexities(facts: Facts) -> Iterator[Hypothesis]:
    """RED-12: exp of each part's mean, then the mean."""
    return (_mean_perplexity(facts, cut) for cut in cuts(facts) if cut.of != "chunks of time")


def _mean_perplexity(facts: Facts, cut: Cut) -> Hypothesis:
    sums, own = _sums(facts, cut.groups)
    return _bug(
        "RED12",
        f"Mean of the perplexities of {cut.name}",
        np.exp(sums / own).sum() / cut.parts,
        f"averages the perplexities of {cut.name} ({cut.how})",
        rf"\frac{{1}}{{{cut.parts}}}\sum_g \exp\left({MEAN}\right)",
        lambda: _perplexity_arrays(facts, cut.groups, cut.parts),
        cost=6 if cut.is_said else 14,
        is_sure=cut.is_said,
        key=f"perplexities {cut.of} {cut.parts} {cut.how}",
    )


def mean_perplexity_arrays(facts: Facts) -> tuple[Array, Array]:
    """The derivative of the mean of the sequences' perplexities, and what counts, [B, T] each."""
    return _perplexity_arrays(facts, np.indices(facts.weights.shape)[0], facts.sequences)


def decoder_length_arrays(facts: Facts) -> tuple[Array, Array]:
    """W / Σ w · (mean length − 1), where the length is not the weight, and what counts, [B, T] each."""
    longer = float(facts.ends.mean()) - 1 if facts.sequences else 0.0
    return _share(facts) * longer, facts.weights != 0


def bits_per_byte_arrays(facts: Facts) -> tuple[Array, Array]:
    """W / (ln 2 · Σ bytes) where the target has bytes, and where that is, [B, T] each."""
    sizes = np.asarray(facts.options.bytes_per_token)
    inside = (facts.targets >= 0) & (facts.targets < len(sizes)) & (facts.weights != 0)
    of_target = np.where(inside, sizes[np.where(inside, facts.targets, 0)], 0.0)
    counts = of_target != 0
    return np.where(counts, facts.weights, 0.0) / (np.log(2) * of_target.sum() or 1.0), counts


def keras_arrays(facts: Facts) -> tuple[Array, Array]:
    """W / count(m) inside the mask m that a Keras layer carries, and what counts there, [B, T] each."""
    mask = terms_of(facts.analysis).keras_mask
    inside = np.where(mask, facts.weights, 0.0)
    return inside / (np.count_nonzero(mask) or 1.0), inside != 0


def _perplexity_arrays(facts: Facts, groups: Array, parts: int) -> tuple[Array, Array]:
    """Of (1/k)·Σ_g exp(S_g / N_g) the derivative by a loss of g is exp(S_g / N_g) · w / (N_g · k)."""
    if not facts.positions:
        return facts.weights, facts.weights != 0
    sums, own = _sums(facts, groups)
    with np.errstate(all="ignore"):
        factor = np.nan_to_num(np.exp(sums / own) / own / parts, posinf=0.0, neginf=0.0)
    return facts.weights * factor[groups], facts.weights != 0


def _sums(facts: Facts, groups: Array) -> tuple[Array, Array]:
    return group_sums(np.where(facts.weights != 0, facts.loss, 0.0), facts.weights, groups)


def _accuracy(facts: Facts) -> Iterator[Hypothesis]:
    if facts.positions:
        yield _bug(
            "PAD17",
            "Not the loss: the accuracy, padding counted",
            accuracies(facts)[0],
            f"prints the accuracy over all {facts.positions:,} positions, {facts.padding:,} of them padding",
            r"\frac{1}{B \cdot T}\sum_{b,t} [\operatorname{argmax}_v z_{btv} = y_{bt}]",
            lambda: (np.zeros(facts.weights.shape), np.ones(facts.weights.shape, bool)),
            cost=30,
            tier=UNIT,
            key="all",
        )


def _leaks(facts: Facts) -> Iterator[Hypothesis]:
    """NUM-01: 0 · NaN is NaN."""
    masked = (facts.weights == 0) & ~np.isfinite(facts.analysis.batch_loss)
    if masked.any():
        yield _bug(
            "NUM01",
            "NaN times 0",
            np.nan,
            f"multiplies losses that are not finite by a weight of 0, which gives NaN: {int(masked.sum()):,} of them",
            rf"\frac{{{SUM}}}{{{WEIGHTS}}},\quad 0 \cdot \mathrm{{NaN}} = \mathrm{{NaN}}",
            lambda: (np.zeros(facts.weights.shape), masked | (facts.weights != 0)),
            cost=1,
            is_sure=True,
        )


def _halves(facts: Facts) -> Iterator[Hypothesis]:
    """NUM-06: each loss and the mean rounded, the sums wider, as kernels keep them."""
    rounded = {"bfloat16": facts.alternatives.in_bfloat16, "float16": facts.alternatives.in_float16}
    for name in HALVES:
        dtype = dtype_named(name)
        loss = np.where(facts.weights != 0, rounded[name].astype(np.float32).astype(dtype).astype(np.float64), 0.0)
        mean = (loss * facts.weights).sum() / np.float64(facts.weight)
        yield _bug(
            "NUM06",
            f"Everything rounded to {name}",
            float(np.float32(mean).astype(dtype)),
            f"computes in {name}: logits, losses and their mean are rounded to it",
            rf"\mathrm{{{name}}}\left(\frac{{{SUM}}}{{{WEIGHTS}}}\right)",
            lambda: (_share(facts), facts.weights != 0),
            cost=7,
            is_sure=facts.analysis.batch.logits.dtype.name == name,
            key=f"all {name}",
        )


def _bug(
    code: str,
    title: str,
    value: float,
    sentence: str,
    formula: str,
    arrays: Callable[[], tuple[Array, Array]],
    *,
    cost: float,
    tier: int = BUG,
    is_sure: bool = False,
    is_guess: bool = False,
    key: str = "",
) -> Hypothesis:
    return Hypothesis(
        code=code,
        title=title,
        values=np.array([value], np.float64),
        kind="bug",
        tier=tier,
        cost=cost,
        sentence=sentence,
        formula=formula,
        arrays=arrays,
        codes=(code,),
        is_sure=is_sure,
        is_guess=is_guess,
        bugs=(code,),
        parts=frozenset({f"{code} {key}"}),
    )

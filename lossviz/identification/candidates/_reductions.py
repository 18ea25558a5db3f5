"""How the losses become one number: the rows of `REDUCTIONS`, and mistaken divisors (spec/padding-bugs.md)."""

from collections.abc import Iterator

import numpy as np

from lossviz.identification._components import CandidateReduction
from lossviz.identification._context import Context, amount
from lossviz.identification.candidates._splits import splits
from lossviz.reductions import REDUCTIONS, Reduction

__all__ = ["reductions"]

Array = np.ndarray
SUM = r"\sum_{b,t} w_{bt}\,\mathrm{loss}_{bt}"


def reductions(context: Context) -> tuple[CandidateReduction, ...]:
    """The mean, the other reductions, then the divisors of known mistakes.

    >>> from lossviz import Batch, analyze
    >>> from lossviz.reductions import Options
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 4)), targets=[[1, 2]], lengths=[1])
    >>> [reduction.code for reduction in reductions(Context(analyze(batch), Options()))][:4]
    ['', 'C01', 'C06', 'C23']
    """
    rows = [_reduction(context, reduction) for reduction in REDUCTIONS if reduction.code is not None]
    return (*rows, *_divisors(context), *_classes(context), *splits(context))


def _reduction(context: Context, reduction: Reduction) -> CandidateReduction:
    def coefficients(weights: Array) -> Array:
        return reduction.reduce(np.zeros_like(weights), weights, context.options).coefficients(weights)

    return CandidateReduction(
        code=reduction.code or "",
        title=reduction.title,
        clause=(reduction.clause or f"divides by {reduction.divided_by}").format(**context.words),
        divided_by=reduction.divided_by.format(**context.words),
        formula=reduction.formula,
        is_bug=False,
        cost=0 if reduction.name == "mean" else 3,
        key=reduction.name,
        coefficients=coefficients,
    )


def _divisors(context: Context) -> Iterator[CandidateReduction]:
    yield CandidateReduction(
        code="PAD03",
        title="Mask in the divisor only",
        clause=f"adds up all {context.positions:,} positions and divides by {context.what_counts}",
        formula=r"\frac{\sum_{b,t} \mathrm{loss}_{bt}}{\sum_{b,t} w_{bt}}",
        cost=2,
        coefficients=lambda w: np.full(w.shape, _one_over(w.sum())),
    )
    yield CandidateReduction(
        code="RED07",
        title="Mask of another shape, spread by broadcasting",
        clause=f"multiplies every loss with every weight: the mean of all {context.positions:,} positions times "
        f"the mean weight, {amount(context.weight)} ÷ {context.positions:,}",
        formula=r"\frac{\sum_{b,t} \mathrm{loss}_{bt}}{B \cdot T}\cdot\frac{\sum_{b,t} w_{bt}}{B \cdot T}",
        cost=5,
        coefficients=lambda w: np.full(w.shape, w.sum() * _one_over(w.size) ** 2),
    )
    yield CandidateReduction(
        code="RED15",
        title="Weights applied twice",
        clause=f"multiplies each loss by its weight twice and divides by {context.what_counts}",
        formula=r"\frac{\sum_{b,t} w_{bt}^2\,\mathrm{loss}_{bt}}{\sum_{b,t} w_{bt}}",
        cost=4,
        coefficients=lambda w: w * w * _one_over(w.sum()),
    )


def _classes(context: Context) -> Iterator[CandidateReduction]:
    """Σ c·w·loss ÷ Σ c·w, as in PyTorch, or ÷ Σ w, where c is the weight of the class."""
    given = context.options.class_weights
    if given is None or len(given) != context.classes:
        return
    inside = (context.targets >= 0) & (context.targets < context.classes)
    of_class = np.where(inside, np.asarray(given)[np.where(inside, context.targets, 0)], 0.0)
    clause = "multiplies each loss by its class's weight and divides by"
    weighted = r"\sum_{b,t} c_{y_{bt}} w_{bt}"
    yield CandidateReduction(
        code="C24",
        title="Class weights, in the divisor too",
        clause=f"{clause} {amount((of_class * context.weights).sum())}, the sum of those weights",
        formula=rf"\frac{{{weighted}\,\mathrm{{loss}}_{{bt}}}}{{{weighted}}}",
        is_bug=False,
        is_sure=True,
        cost=3,
        aliases=("RED09",),
        coefficients=lambda w: of_class * w * _one_over((of_class * w).sum()),
    )
    yield CandidateReduction(
        code="RED09",
        title="Class weights, not in the divisor",
        clause=f"{clause} {amount(context.weight)}, as if there were none",
        formula=rf"\frac{{{weighted}\,\mathrm{{loss}}_{{bt}}}}{{\sum_{{b,t}} w_{{bt}}}}",
        is_sure=True,
        cost=3,
        coefficients=lambda w: of_class * w * _one_over(w.sum()),
    )


def _one_over(number: float) -> float:
    return 0.0 if number == 0 else float(1 / number)

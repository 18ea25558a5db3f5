"""How the losses become one number: the rows of `REDUCTIONS`, and mistaken divisors (spec/padding-bugs.md)."""

from collections.abc import Iterator

import numpy as np

from lossviz.identification._components import CandidateReduction, unchanged
from lossviz.identification._context import Context, amount
from lossviz.identification._partition import Partition, Weighed
from lossviz.identification.candidates._splits import splits
from lossviz.reductions import REDUCTIONS, Reduction, quotient

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
    return (*rows, *_items(context), *_labels(context), *_divisors(context), *_classes(context), *splits(context))


def _reduction(context: Context, reduction: Reduction) -> CandidateReduction:
    partition = _partition(context, reduction)

    def factors(weighed: Weighed) -> Array:
        """1 ÷ the divisor; of means of means, from the weights of their parts alone."""
        weights = weighed.weights
        if partition.parts != 1 or reduction.parts:
            weights = weighed.own(partition).reshape((-1, 1) if reduction.parts == "sequences" else (1, -1))
        divisor = reduction.divisors(weights, context.options)
        return quotient(np.ones(divisor.shape), divisor).reshape(-1)

    return CandidateReduction(
        code=reduction.code or "",
        title=reduction.title,
        clause=(reduction.clause or f"divides by {reduction.divided_by}").format(**context.words),
        divided_by=reduction.divided_by.format(**context.words),
        formula=reduction.formula,
        is_bug=False,
        cost=0 if reduction.name == "mean" else 3,
        key=reduction.name,
        partition=partition,
        factors=factors,
    )


def _partition(context: Context, reduction: Reduction) -> Partition:
    """The parts that a reduction takes its inner means of; all timesteps where it takes none."""
    if reduction.parts == "sequences":
        return context.each_sequence
    return context.each_timestep if reduction.parts == "timesteps" else context.everything


def _items(context: Context) -> Iterator[CandidateReduction]:
    """The divisor that a trainer hands to the loss: the labels of all micro-batches, of which the batch is one."""
    items = context.analysis.batch.num_items_in_batch
    if items is not None and items > 0 and items != context.weight:
        divided_by = f"num_items_in_batch = {items:,}, while {context.what_counts} in this batch"
        if context.has_binary_weights:
            verb = "counts" if context.counting == 1 else "count"
            divided_by = f"num_items_in_batch = {items:,}, while {context.counting:,} of them {verb} in this batch"
        yield CandidateReduction(
            code="C14n",
            title="Sum ÷ num_items_in_batch",
            clause=f"divides by {divided_by}",
            divided_by=divided_by,
            formula=rf"\frac{{{SUM}}}{{{items}}}",
            is_bug=False,
            is_sure=True,
            cost=1,
            key="num_items_in_batch",
            partition=context.everything,
            factors=lambda _: np.full(1, 1 / items),
        )


def _labels(context: Context) -> Iterator[CandidateReduction]:
    """The sum over the labels of each timestep, where a file has several labels a timestep side by side."""
    labels = context.analysis.batch.labels_per_timestep
    if labels is not None and labels > 1 and context.weight:
        count = amount(context.weight / labels)
        yield CandidateReduction(
            code="C03",
            title=f"Mean over timesteps of the sum of their {labels:,} labels",
            clause=f"adds up the {labels:,} labels of each timestep, then divides by {count}, the timesteps that count",
            formula=rf"\frac{{{labels}\,{SUM}}}{{\sum_{{b,t}} w_{{bt}}}}",
            is_bug=False,
            is_sure=True,
            cost=1,
            key="labels_per_timestep",
            partition=context.everything,
            factors=lambda w: labels * _one_over(w.total),
        )


def _divisors(context: Context) -> Iterator[CandidateReduction]:
    yield CandidateReduction(
        code="PAD03",
        title="Mask in the divisor only",
        clause=f"adds up all {context.positions:,} positions and divides by {context.what_counts}",
        formula=r"\frac{\sum_{b,t} \mathrm{loss}_{bt}}{\sum_{b,t} w_{bt}}",
        cost=2,
        partition=context.everything,
        factors=lambda w: _one_over(w.total),
        spread=np.ones_like,
    )
    yield CandidateReduction(
        code="RED07",
        title="Mask of another shape, spread by broadcasting",
        clause=f"multiplies every loss with every weight: the mean of all {context.positions:,} positions times "
        f"the mean weight, {amount(context.weight)} ÷ {context.positions:,}",
        formula=r"\frac{\sum_{b,t} \mathrm{loss}_{bt}}{B \cdot T}\cdot\frac{\sum_{b,t} w_{bt}}{B \cdot T}",
        cost=5,
        partition=context.everything,
        factors=lambda w: w.total * _one_over(w.weights.size) ** 2,
        spread=np.ones_like,
    )
    yield CandidateReduction(
        code="RED15",
        title="Weights applied twice",
        clause=f"multiplies each loss by its weight twice and divides by {context.what_counts}",
        formula=r"\frac{\sum_{b,t} w_{bt}^2\,\mathrm{loss}_{bt}}{\sum_{b,t} w_{bt}}",
        cost=4,
        partition=context.everything,
        factors=lambda w: _one_over(w.total),
        spread=unchanged if context.has_binary_weights else np.square,
    )


def _classes(context: Context) -> Iterator[CandidateReduction]:
    """Σ c·w·loss ÷ Σ c·w, as in PyTorch, or ÷ Σ w, where c is the weight of the class."""
    given = context.options.class_weights
    if given is None or len(given) != context.classes:
        return
    inside = (context.targets >= 0) & (context.targets < context.classes)
    of_class = np.where(inside, np.asarray(given)[np.where(inside, context.targets, 0)], 0.0)

    def weigh(weights: Array) -> Array:
        product: Array = of_class * weights
        return product

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
        partition=context.everything,
        factors=lambda w: _one_over((of_class * w.weights).sum()),
        spread=weigh,
    )
    yield CandidateReduction(
        code="RED09",
        title="Class weights, not in the divisor",
        clause=f"{clause} {amount(context.weight)}, as if there were none",
        formula=rf"\frac{{{weighted}\,\mathrm{{loss}}_{{bt}}}}{{\sum_{{b,t}} w_{{bt}}}}",
        is_sure=True,
        cost=3,
        partition=context.everything,
        factors=lambda w: _one_over(w.total),
        spread=weigh,
    )


def _one_over(number: float) -> Array:
    return quotient(np.ones(1), np.array([number]))

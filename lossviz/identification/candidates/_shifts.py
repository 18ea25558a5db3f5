"""Losses against the wrong targets: shifted, in another memory layout, rows permuted (spec/padding-bugs.md §3)."""

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import NamedTuple

import numpy as np

from lossviz.identification._components import Loss
from lossviz.identification._context import Context

__all__ = ["shifts"]

Array = np.ndarray
EVERY_ORDER = 4
"""The largest number of sequences for which every order of the rows is tried."""


class Order(NamedTuple):
    """An order of the rows, [B], in words too, and how unlikely it is."""

    rows: Array
    words: str
    cost: int = 8


def shifts(context: Context) -> tuple[Loss, ...]:
    """Every known misalignment of logits and targets."""
    if not context.analysis.has_logits:
        return ()
    return (*_lags(context), *_inputs(context), *_time_major(context), *_orders(context))


def _lags(context: Context) -> Iterator[Loss]:
    if context.timesteps < 2:
        return
    yield Loss(
        code="SHF01",
        title="Targets not shifted",
        clause="compares each timestep with the target before it, its own input",
        formula=r"y_{b,t} \to y_{b,t-1}",
        cost=4,
        values=context.analysis.losses_against(np.roll(context.targets, 1, axis=1)),
        under=_both(-1),
    )
    yield _inside(context) if context.is_shifted_inside else _twice(context)


def _inside(context: Context) -> Loss:
    return Loss(
        code="SH1",
        title="Shifted inside",
        clause="compares each timestep's logits with the next target, as models of Hugging Face do",
        formula=r"y_{b,t} \to y_{b,t+1}",
        is_bug=False,
        is_sure=True,
        cost=1,
        aliases=("SH2",),
        values=context.loss_of_next,
        under=_both(1),
    )


def _twice(context: Context) -> Loss:
    clause = "compares each timestep with the target after it"
    if context.fits_as_given:
        clause = f"shifts once more, although the logits fit the targets as they are: it {clause}"
    return Loss(
        code="SHF02",
        title="Targets shifted twice",
        clause=clause,
        formula=r"y_{b,t} \to y_{b,t+1}",
        is_sure=context.fits_as_given,
        cost=2 if context.fits_as_given else 4,
        aliases=("SH1",),
        values=context.loss_of_next,
        under=_both(1),
    )


def _both(lag: int) -> Callable[[Array], Array]:
    """The weight of the target where both the target and the timestep count."""

    def under(weights: Array) -> Array:
        moved = np.roll(weights, -lag, axis=1)
        moved[:, -1 if lag > 0 else 0] = 0.0
        return np.where(weights != 0, moved, 0.0)

    return under


def _inputs(context: Context) -> Iterator[Loss]:
    inputs = context.analysis.batch.inputs
    if inputs is not None:
        yield Loss(
            code="SHF01",
            title="Inputs as targets",
            clause="compares each timestep with the token it reads",
            formula=r"y_{bt} \to x_{bt}",
            cost=4,
            key="inputs",
            values=context.analysis.losses_against(inputs),
        )


def _time_major(context: Context) -> Iterator[Loss]:
    sequences, timesteps = context.targets.shape
    if sequences < 2 or timesteps < 2:
        return
    # Flattened time-major, logits [b, t] are at t·B + b and are paired with the target at that place.
    paired = context.targets.reshape(timesteps, sequences).T
    yield Loss(
        code="SHF08",
        title="Logits flattened time-major",
        clause="flattens the logits time-major and the targets batch-major",
        formula=r"z \to \mathrm{reshape}(z^{\top}, B, T)",
        cost=5,
        key="logits",
        values=context.analysis.losses_against(paired).T.reshape(sequences, timesteps),
    )


def _orders(context: Context) -> Iterator[Loss]:
    for order, words, cost in _permutations(context):
        back = np.argsort(order, kind="stable")
        yield Loss(
            code="SHF10",
            title="Rows in another order",
            clause=f"pairs the targets with the logits of other sequences: {words}",
            formula=r"z_{bt} \to z_{\pi(b)t}",
            cost=cost,
            key=words,
            values=context.analysis.losses_against(context.targets[back])[order],
        )


def _permutations(context: Context) -> Iterator[Order]:
    rows = np.arange(context.sequences)
    by_length = np.argsort(-context.ends, kind="stable")
    named = [
        Order(by_length, "sorted by length, longest first, and not sorted back", 6),
        Order(np.argsort(context.ends, kind="stable"), "sorted by length, shortest first, and not sorted back", 6),
        Order(np.argsort(by_length, kind="stable"), "sorted back by length, though they were not sorted", 6),
        Order(rows[::-1], "in the reverse order"),
        Order(np.roll(rows, 1), "one row further down"),
        Order(np.roll(rows, -1), "one row further up"),
    ]
    if context.sequences <= EVERY_ORDER:
        named += [Order(np.array(order), f"in the order {', '.join(map(str, order))}") for order in permutations(rows)]
    seen = {tuple(rows)}
    for order in named:
        if tuple(order.rows) not in seen:
            seen.add(tuple(order.rows))
            yield order

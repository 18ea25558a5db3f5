"""Each law of the conventions on one batch: what it changes, and whether a number bears it.

A law is a function of (convention, batch, random) that says whether it holds there. `value_of` gives every convention
all the options that it can have, so that a constant (L_max) is a constant.
"""

from functools import cache

import numpy as np

from lossviz import Analysis, Batch, Settings, analyze
from lossviz.reductions import Options

CLASSES = 6
OPTIONS = Options(
    accumulation_steps=2,
    max_length=20,
    smoothing=0.1,
    class_weights=(0.3, 2.0, 1.0, 1.5, 0.7, 1.2),
    bytes_per_token=(0, 3, 1, 3, 2, 4),
    z_loss=0.01,
)


def value_of(convention, batch) -> float:
    return convention.value(_analysis(batch), OPTIONS)


@cache
def _analysis(batch) -> Analysis:
    return analyze(batch, Settings(reduction="classification" if batch.shape[2] == 1 else "mean"))


def same(first, second) -> bool:
    """To nine digits: the 1e-12 and 1e-13 that some sources add to a divisor stay out of sight."""
    return bool(np.isclose(first, second, rtol=1e-9, atol=0, equal_nan=True))


@cache
def batches(classes=CLASSES) -> tuple[Batch, ...]:
    """Six sequences of unequal lengths: with lengths, with weights, with both, with holes, with an empty sequence."""
    made = []
    for seed in range(4):
        random = np.random.default_rng(seed)
        timesteps = int(random.integers(4, 8))
        fields = {
            "logits": random.normal(scale=2.0, size=(6, timesteps, classes)),
            "targets": random.integers(1 if classes > 1 else 0, max(classes, 2), size=(6, timesteps)),
            "pad_id": 0,
        }
        lengths = np.array([timesteps, 1, 2, 3, 3, timesteps - 1])
        weights = random.choice([0.25, 0.5, 1.5, 2.0], size=(6, timesteps))
        weights = np.where(np.arange(timesteps) < lengths[:, None], weights, 0.0)
        holes = np.where(random.random(weights.shape) < 0.3, 0.0, weights)
        holes[:, 0] = weights[:, 0]
        made += [
            Batch.from_arrays(**fields, lengths=lengths),
            Batch.from_arrays(**fields, weights=weights),
            Batch.from_arrays(**fields, weights=holes, lengths=lengths),
            Batch.from_arrays(**fields, lengths=np.where(np.arange(6) == seed, 0, lengths)),
        ]
    return tuple(made)


@cache
def padded(batch) -> Batch:
    """Two more timesteps at the end of every sequence, with logits of their own, that do not count."""
    random = np.random.default_rng(0)
    sequences, _, classes = batch.shape
    more = random.normal(scale=2.0, size=(sequences, 2, classes))
    return batch.replace(
        logits=np.concatenate([batch.logits, more], axis=1),
        targets=np.pad(batch.targets, ((0, 0), (0, 2))),
        weights=None if batch.weights is None else np.pad(batch.weights, ((0, 0), (0, 2))),
    )


@cache
def rows(batch, order) -> Batch:
    """Some of the sequences, in an order."""
    picked = list(order)
    return batch.replace(
        **{
            name: getattr(batch, name)[picked]
            for name in ("logits", "targets", "lengths", "weights")
            if getattr(batch, name) is not None
        }
    )


@cache
def weighted(batch, factor) -> Batch:
    """The weights times a factor; a mask of lengths becomes weights."""
    return batch.replace(weights=_analysis(batch).weights * factor)


@cache
def all_masked(batch) -> Batch:
    return batch.replace(weights=None, lengths=np.zeros(6, int))


def bears_padding(convention, batch) -> bool:
    return same(value_of(convention, padded(batch)), value_of(convention, batch))


def bears_other_orders(convention, batch) -> bool:
    orders = (5, 4, 3, 2, 1, 0), (0, 5, 1, 3, 4, 2)
    return all(same(value_of(convention, rows(batch, order)), value_of(convention, batch)) for order in orders)


def bears_scaled_weights(convention, batch) -> bool:
    unscaled = value_of(convention, weighted(batch, 1.0))
    return all(same(value_of(convention, weighted(batch, factor)), unscaled) for factor in (0.5, 4.0))


def is_the_mean_of_equal_parts(convention, batch) -> bool:
    for parts in (((0, 1, 2), (3, 4, 5)), ((0, 1), (2, 3), (4, 5))):
        mean = np.mean([value_of(convention, rows(batch, part)) for part in parts])
        if not same(mean, value_of(convention, batch)):
            return False
    return True


def is_the_sum_of_parts(convention, batch) -> bool:
    for parts in (((0, 1, 2), (3, 4, 5)), ((0,), (1, 2, 3, 4, 5))):
        total = np.sum([value_of(convention, rows(batch, part)) for part in parts])
        if not same(total, value_of(convention, batch)):
            return False
    return True


def is_finite_when_all_masked(convention, batch) -> bool:
    return bool(np.isfinite(value_of(convention, all_masked(batch))))


HOLDS = {
    "unchanged_by_extra_padding": bears_padding,
    "unchanged_by_reordering_rows": bears_other_orders,
    "unchanged_by_scaling_weights": bears_scaled_weights,
    "unchanged_by_splitting": is_the_mean_of_equal_parts,
    "additive": is_the_sum_of_parts,
    "finite_when_all_masked": is_finite_when_all_masked,
}

"""What a model, or the code around it, does to logits, and when they show it (spec/padding-bugs.md, 2, 3 and 5)."""

from collections.abc import Callable

import ml_dtypes
import numpy as np

from lossviz import Batch
from tests.rules.pipeline_bug import wanted
from tests.rules.pipelines import Step


def spoilt(step: Step, factor: float = 0.7) -> bool:
    """The loss is much larger than with the logits that belong here, on what the model was to learn."""
    with np.errstate(invalid="ignore"):
        counts = step.truth
        right, now = step.losses(step.right)[counts].mean(), step.losses()[counts].mean()
    return bool(right < factor * now)


def rows_sorted(step: Step) -> None:
    order = np.argsort(-step.lengths, kind="stable")
    wanted(bool((order != np.arange(len(order))).any()))
    step.logits = step.logits[order]


def time_major(step: Step) -> None:
    rows, width, classes = step.logits.shape
    wanted(min(rows, width) > 1)
    step.logits = step.logits.transpose(1, 0, 2).reshape(rows, width, classes)


def first_not_written(step: Step) -> None:
    """`outputs = zeros(…)`, and the loop over time begins at 1."""
    step.logits = np.where(np.arange(step.logits.shape[1])[:, None] == 0, np.float32(0), step.logits)


def zeros_show(step: Step, batch: Batch) -> bool:
    return bool(step.truth[:, 0].sum() >= 2 and step.truth[:, 1:].any() and np.ptp(step.right, axis=2).mean() > 0.5)


def lagging(by: int) -> Callable[[Step], None]:
    def write(step: Step) -> None:
        step.logits = np.roll(step.logits, by, axis=1)

    return write


def nan_padding(everything: bool) -> Callable[[Step], None]:
    """Attention of a pad over no key: NaN; or the logarithm of 0 in a class."""

    def write(step: Step) -> None:
        under = ~step.truth & ~step.real[:, -step.truth.shape[1] :]
        wanted(bool(under.any()) and not under.all())
        one = np.arange(step.logits.shape[2]) == step.random.integers(step.logits.shape[2])
        some = under if everything else under & (step.random.random(under.shape) < 0.5)
        wanted(bool(some.any()))
        step.logits = np.where(some[..., None] & (everything | one), np.float32(np.nan), step.logits)

    return write


def nan_that_counts(step: Step) -> None:
    cells = step.truth & (step.random.random(step.truth.shape) < 0.1)
    wanted(bool(cells.any()))
    step.logits = np.where(cells[..., None], np.float32(np.nan), step.logits)


def forbidden(target: bool) -> Callable[[Step], None]:
    """A grammar rules classes out, the target too or not."""

    def write(step: Step) -> None:
        banned = step.random.random(step.logits.shape) < 0.2
        here = np.arange(step.logits.shape[2]) == step.targets[..., None]
        banned = banned & (~here | target)
        wanted(
            bool((banned.any(axis=2) & step.truth).any()) and (not target or (banned & here).any(2)[step.truth].any())
        )
        step.logits = np.where(banned, np.float32(-np.inf), step.logits)

    return write


def half_overflows(step: Step) -> None:
    big = step.logits * np.float32(65504 / np.abs(step.logits).max() * step.random.uniform(1.2, 4))
    with np.errstate(over="ignore"):
        step.logits = big.astype("f2")


def half_cast_back(step: Step) -> None:
    step.logits = step.logits.astype(ml_dtypes.bfloat16).astype("f4")


def probabilities(step: Step, log: bool = False) -> None:
    scores = step.logits.astype("f8") - step.logits.max(axis=2, keepdims=True)
    scores -= np.log(np.exp(scores).sum(axis=2, keepdims=True))
    step.logits = (scores if log else np.exp(scores)).astype("f4")

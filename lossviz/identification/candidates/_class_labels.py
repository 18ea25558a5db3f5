"""Binary cross entropy over the classes, as if each were a label of its own (MOD-09)."""

from collections.abc import Iterator

import numpy as np

from lossviz.identification._components import Loss
from lossviz.identification._context import Context

__all__ = ["class_labels"]

Array = np.ndarray
MOST = 1 << 22
"""Logits up to which it is tried: it takes all of them once more, and whoever makes this mistake has few classes."""
BLOCK = 1 << 18
"""Logits that are widened to float64 at once."""
LEAST = 1e-7
"""Keras clips probabilities to this distance from 0 and 1."""


def class_labels(context: Context) -> Iterator[Loss]:
    """The mean over the classes of −[y log p + (1 − y) log(1 − p)], p from a softmax and from sigmoids."""
    batch = context.analysis.batch
    if batch.logits is None or context.is_classifier or not context.classes > 2 or batch.logits.size > MOST:
        return
    is_class = (context.targets >= 0) & (context.targets < context.classes)
    of_softmax, of_sigmoids = _both(batch.logits, context.analysis.logsumexp, np.where(is_class, context.targets, 0))
    for key, words, values in (
        ("softmax", "the probabilities of a softmax", of_softmax),
        ("sigmoid", "a sigmoid of each logit", of_sigmoids),
    ):
        yield Loss(
            code="MOD09",
            title="Binary cross entropy over the classes",
            clause=f"averages a binary cross entropy over the {context.classes:,} classes, with {words}",
            formula=r"\mathrm{loss} \to -\operatorname{mean}_v[y_v \log p_v + (1-y_v)\log(1-p_v)]",
            cost=5,
            key=key,
            values=np.where(is_class, values, np.nan),
        )


def _both(logits: Array, logsumexp: Array, targets: Array) -> tuple[Array, Array]:
    """The means [B, T] with probabilities and with sigmoids, some rows of logits at a time."""
    rows = logits.reshape(targets.size, logits.shape[-1])
    total, at = logsumexp.reshape(-1, 1), targets.reshape(-1, 1)
    of_softmax, of_sigmoids = np.empty(targets.size), np.empty(targets.size)
    step = max(1, BLOCK // rows.shape[1])
    for start in range(0, targets.size, step):
        here = slice(start, start + step)
        wide = np.asarray(rows[here]).astype(np.float64)
        of_softmax[here] = _of_probabilities(wide, total[here], at[here])
        of_sigmoids[here] = _of_sigmoids(wide, at[here])
    return of_softmax.reshape(targets.shape), of_sigmoids.reshape(targets.shape)


def _of_probabilities(logits: Array, logsumexp: Array, at: Array) -> Array:
    with np.errstate(all="ignore"):
        p = np.clip(np.exp(logits - logsumexp), LEAST, 1 - LEAST)
        others = -np.log1p(-p)
        target = np.take_along_axis(p, at, axis=-1)
        mean: Array = (
            others.sum(axis=-1) - np.take_along_axis(others, at, axis=-1)[..., 0] - np.log(target[..., 0])
        ) / logits.shape[-1]
    return mean


def _of_sigmoids(logits: Array, at: Array) -> Array:
    with np.errstate(all="ignore"):
        mean: Array = (
            np.logaddexp(0, logits).sum(axis=-1) - np.take_along_axis(logits, at, axis=-1)[..., 0]
        ) / logits.shape[-1]
    return mean

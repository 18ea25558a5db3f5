"""Binary cross entropy over the classes, as if each were a label of its own (MOD-09)."""

from collections.abc import Iterator

import numpy as np

from lossviz.identification._components import Loss
from lossviz.identification._context import Context

__all__ = ["class_labels"]

Array = np.ndarray
MOST = 1 << 22
"""Logits up to which it is tried: it takes all of them once more, and whoever makes this mistake has few classes."""
LEAST = 1e-7
"""Keras clips probabilities to this distance from 0 and 1."""


def class_labels(context: Context) -> Iterator[Loss]:
    """The mean over the classes of −[y log p + (1 − y) log(1 − p)], p from a softmax and from sigmoids."""
    batch = context.analysis.batch
    if batch.logits is None or context.is_classifier or not context.classes > 2 or batch.logits.size > MOST:
        return
    logits = np.asarray(batch.logits).astype(np.float64)
    is_class = (context.targets >= 0) & (context.targets < context.classes)
    at = np.where(is_class, context.targets, 0)[..., None]
    for key, words, values in (
        ("softmax", "the probabilities of a softmax", _of_probabilities(logits, context.analysis.logsumexp, at)),
        ("sigmoid", "a sigmoid of each logit", _of_sigmoids(logits, at)),
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


def _of_probabilities(logits: Array, logsumexp: Array, at: Array) -> Array:
    with np.errstate(all="ignore"):
        p = np.clip(np.exp(logits - logsumexp[..., None]), LEAST, 1 - LEAST)
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

"""The batches of the lessons: samples as they are, and a few made from them for one question."""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.lessons._step import Screen
from lossviz.rules import load_rule_sample
from lossviz.samples import load_sample

__all__ = ["BATCHES", "analysis_of", "batch_named", "is_sample"]

LN2 = float(np.log(2))


def _sample(name: str, **changes: Any) -> Batch:
    return Batch.from_arrays(**{**load_sample(name), **changes})


def _twice() -> Batch:
    golden = load_sample("golden")
    both = {name: np.concatenate([golden[name]] * 2) for name in ("logits", "targets", "lengths")}
    return _sample("golden", **both, title="Golden batch, twice over")


def _wider(name: str, timesteps: int, title: str) -> Batch:
    """The sample padded to more columns, which are like the padding of its shortest sequence."""
    fields = load_sample(name)
    more = timesteps - fields["targets"].shape[1]
    padding = fields["logits"][int(np.argmin(fields["lengths"])), -1]
    columns = np.broadcast_to(padding, (len(fields["logits"]), more, len(padding)))
    logits = np.concatenate([fields["logits"], columns], axis=1)
    targets = np.pad(fields["targets"], ((0, 0), (0, more)))
    return _sample(name, logits=logits, targets=targets, title=title)


def _shorter() -> Batch:
    lengths = load_sample("golden")["lengths"] - 1
    return _sample("golden", lengths=lengths, title="Golden batch, lengths less one")


def _four_classes(title: str, change: Callable[[np.ndarray], np.ndarray]) -> Batch:
    return _sample("four-classes", logits=change(load_sample("four-classes")["logits"]), title=title)


def _softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits)
    p: np.ndarray = e / e.sum(axis=-1, keepdims=True)
    return p


def _decoder() -> Batch:
    """The answer 7 8 of a decoder with ten digits, a start (10) and a stop (11)."""
    tokens = [*map(str, range(10)), "<start>", "<stop>"]
    return Batch.from_arrays(
        logits=np.zeros((1, 3, 12)), inputs=[[10, 7, 8]], targets=[[7, 8, 11]], lengths=[3], vocabulary=tokens,
        eos_id=11, title="The answer 7 8",
    )  # fmt: skip


def _one_logit(*scores: tuple[float, int]) -> Batch:
    logits, labels = zip(*scores, strict=True)
    return Batch.from_arrays(
        logits=np.reshape(logits, (-1, 1, 1)), targets=np.reshape(labels, (-1, 1)), lengths=[1] * len(scores),
        title="One logit a review",
    )  # fmt: skip


def _padded_reviews() -> Batch:
    """Logits 2, −1 and 0.5 at the last words of reviews of 4, 2 and 3 words; 0.1 after them, of the bias alone."""
    logits = [[0.3, -0.6, 1.1, 2.0], [0.4, -1.0, 0.1, 0.1], [-0.2, 0.9, 0.5, 0.1]]
    return Batch.from_arrays(
        logits=np.array(logits)[..., None], targets=np.repeat([[1], [1], [0]], 4, axis=1), lengths=[4, 2, 3],
        title="Three reviews, padded",
    )  # fmt: skip


def _nan_in_padding() -> Batch:
    """Losses 1, 2 and NaN, the last of them under the mask."""
    logits = np.array([[[-loss, np.log(-np.expm1(-loss))] for loss in (1.0, 2.0)] + [[np.nan, np.nan]]])
    return Batch.from_arrays(logits=logits, targets=[[0, 0, 0]], weights=[[1, 1, 0]], title="NaN in the padding")


BATCHES: Mapping[str, Callable[[], Batch]] = MappingProxyType(
    {
        "golden, twice": _twice,
        "golden, 10 columns": lambda: _wider("golden", 10, "Golden batch, padded to 10 columns"),
        "golden, lengths less one": _shorter,
        "lengths-3-4-2, 6 columns": lambda: _wider("lengths-3-4-2", 6, "Lengths 3, 4 and 2, padded to 6 columns"),
        "four-classes, 10 added": lambda: _four_classes("Four classes, 10 added to each logit", lambda z: z + 10),
        "four-classes, doubled": lambda: _four_classes("Four classes, logits doubled", lambda z: 2 * z),
        "four-classes, softmax first": lambda: _four_classes("Four classes, softmax first", _softmax),
        "decoder": _decoder,
        "one logit": lambda: _one_logit((2.0, 0)),
        "three reviews": lambda: _one_logit((2.0, 1), (-1.0, 1), (0.5, 0)),
        "padded reviews": _padded_reviews,
        "nan in padding": _nan_in_padding,
        "not shifted": lambda: Batch.from_arrays(**{**load_rule_sample("SHF01"), "title": "After 200 steps"}),
    }
)
"""The batches that are no samples, by name."""


def is_sample(name: str) -> bool:
    """Whether a batch of a screen is a sample, which every page opens by its name."""
    return name not in BATCHES


@cache
def batch_named(name: str) -> Batch:
    """A batch of the lessons, made or read once.

    >>> batch_named("golden, 10 columns").shape
    (3, 10, 6)
    """
    return BATCHES[name]() if name in BATCHES else _sample(name)


@cache
def analysis_of(screen: Screen) -> Analysis:
    """Every number of a screen, computed once.

    >>> analysis_of(Screen("golden"))
    Analysis(1.2545 nats = 13.8000 ÷ 11 timesteps that count)
    """
    return analyze(batch_named(screen.batch), screen.settings)

"""What particular questions ask of a batch: which cells, which number, what a belief would give."""

from collections.abc import Callable
from itertools import product

import numpy as np

from lossviz.analysis import Analysis
from lossviz.errors import SettingsError
from lossviz.reductions import FLAGS
from lossviz.rules import diagnose
from lossviz.settings import Settings

__all__ = [
    "ROUNDING",
    "answer_alone",
    "cells",
    "finding_codes",
    "flagged",
    "flags",
    "ids",
    "legal_flags",
    "mean_over_longer",
    "padding_mean",
    "praise",
    "read_in_row_0",
    "reads",
    "row_2_in_row_0",
    "says",
    "sign_sums",
    "whole_losses",
]

ROUNDING = 1e-6  # of losses in float32: 0.9999999 is a loss of 1


def ids(array: np.ndarray) -> str:
    """Ids as Python lists them."""
    return str([int(v) for v in array])


def reads(a: Analysis) -> str:
    """What a decoder reads in row 0."""
    return ids(np.zeros(0) if a.batch.inputs is None else a.batch.inputs[0])


def says(a: Analysis) -> str:
    """What it must say."""
    return ids(a.batch.targets[0])


def answer_alone(a: Analysis) -> str:
    """What it must say, without the stop."""
    return ids(a.batch.targets[0, :-1])


def read_in_row_0(a: Analysis) -> np.ndarray:
    """Where a classifier reads row 0, [B, T] bool."""
    where: np.ndarray = a.mask & (np.arange(len(a.mask)) == 0)[:, None]
    return where


def sign_sums(a: Analysis) -> float:
    """The mean where the row sums of sign(targets) are taken for lengths."""
    ends = np.sign(a.batch.targets).sum(axis=1)
    return _mean_over(a, ends)


def mean_over_longer(by: int) -> Callable[[Analysis], float]:
    """The mean over lengths that are longer than those on screen."""
    return lambda a: _mean_over(a, a.ends + by)


def _mean_over(a: Analysis, ends: np.ndarray) -> float:
    counts = np.arange(a.mask.shape[1]) < ends[:, None]
    return float(a.batch_loss[counts].mean())


def padding_mean(a: Analysis) -> float:
    """The mean where the mask is upside down."""
    return float(a.batch_loss[~a.mask].mean())


def whole_losses(a: Analysis) -> int:
    """How many losses that count are at least 1: what is left when they are cut to integers and to booleans."""
    return int((np.floor(a.batch_loss + ROUNDING) * a.mask != 0).sum())


def praise(a: Analysis) -> float:
    """σ of the only logit: the probability of label 1."""
    return float(1 / (1 + np.exp(-a.batch.logits[0, 0, 0])))


def cells(places: np.ndarray) -> str:
    """One timestep of each row, as the pages write cells.

    >>> cells(np.array([4, 3]))
    '[0, 4], [1, 3]'
    """
    return ", ".join(f"[{b}, {t}]" for b, t in enumerate(places))


def row_2_in_row_0(a: Analysis) -> float:
    """How many timesteps of row 0 one timestep of row 2 weighs."""
    return float(a.coefficients[2, 0] / a.coefficients[0, 0])


def finding_codes(a: Analysis) -> set[str]:
    """What the doctor finds."""
    return {finding.code for finding in diagnose(a).findings}


def flags(average_t: bool, average_b: bool, sum_t: bool, sum_b: bool) -> Settings:
    """The four flags of `sequence_loss`."""
    return Settings(None, "sequence_loss", average_t, average_b, sum_t, sum_b)


def flagged(settings: Settings, *index: int) -> Callable[[Analysis], float]:
    """The number, or one of the numbers, under these flags."""
    return lambda a: float(a.with_settings(settings).value[index] if index else a.with_settings(settings).value)


def legal_flags(a: Analysis) -> int:
    """How many of the sixteen combinations `analyze` computes."""
    count = 0
    for combination in product((True, False), repeat=len(FLAGS)):
        try:
            a.with_settings(flags(*combination))
        except SettingsError:
            continue
        count += 1
    return count

"""A loss function must be the formula that it is meant to be."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.conventions import convention_coded
from lossviz.conventions.compare import merged_options
from lossviz.digits import number_text
from lossviz.errors import InputError
from lossviz.identification import identify
from lossviz.reductions import Options
from lossviz.testing._probe import differs, probe

__all__ = ["assert_convention"]

NAMED = 3


def assert_convention(
    loss_fn: Callable[..., Any],
    batch: Batch | None,
    code: str,
    *,
    framework: str | None = None,
    shift: bool = False,
    tolerance: float = 1e-5,
    **options: Any,
) -> None:
    """Check that a loss is the one that a convention of the table gives; if it is not, say which one it is.

    The convention is computed by lossviz, and so in TensorFlow, whatever the loss function is written in.

    Args:
        loss_fn: (logits [B, T, V], targets [B, T], weights [B, T]) → one number.
        batch: what to call it with; None is a small one on which all conventions differ, see `lossviz.testing`.
        code: a row of `lossviz.conventions.CONVENTIONS`, such as "C03", the mean over the timesteps that count.
        framework: "numpy", "tensorflow", "pytorch" or "jax"; by default detected, see `lossviz.testing`.
        shift: whether `loss_fn` shifts inside, as the models of Hugging Face do: `logits[:, :-1]` against
            `targets[:, 1:]`. It is then handed unshifted arrays, with one more column.
        tolerance: how far the numbers may differ, relative to those above 1.
        options: what the convention needs to know, as in `lossviz.reductions.Options`: smoothing=0.1, …

    Raises:
        AssertionError: with both numbers, and what the loss is instead.
        InputError: if the function can't be called, or there is no such convention.
        SettingsError: if an option is unknown, or one that the convention needs is missing.

    >>> assert_convention(lambda logits, targets, weights: 13.8 / weights.sum(), None, "C03")
    >>> assert_convention(lambda logits, targets, weights: 13.8 / weights.size, None, "C03")
    Traceback (most recent call last):
    AssertionError: C03 (Mean over the timesteps that count) is 1.2545 here, and `loss_fn` gives 0.9200, which is \
C05/C17/PAD02: Your loop divides by all 15 positions, 4 of them padding.
    """
    convention = convention_coded(code)
    tried = probe(loss_fn, batch, framework, shift)
    got = tried.value(tried.arrays)
    if got.ndim:
        raise InputError(f"`loss_fn` must return one number to be compared with {code}; got shape {got.shape}.")
    analysis = analyze(tried.batch)
    said = merged_options(analysis, options)
    expected = convention.value(analysis, said)
    if differs(np.asarray(expected), got, tolerance):
        raise AssertionError(
            f"{code} ({convention.name}) is {number_text(expected)} here, and `loss_fn` gives "
            f"{number_text(float(got))}{_instead(analysis, float(got), code, said)}"
        )


def _instead(analysis: Analysis, got: float, code: str, options: Options) -> str:
    """What the number is: the codes that give it, and why the likeliest does."""
    if not np.isfinite(got):
        return "."
    decimals = max(0, 6 - math.floor(math.log10(abs(got)))) if got else 6
    found = identify(analysis, got, decimals=decimals, options=options)
    matches = [match for match in found if match.code != code and not match.accidental]
    if not matches:
        return ", which is none of the formulas that lossviz knows."
    codes = dict.fromkeys(each for match in matches for each in (match.code, *match.aliases) if each != code)
    return f", which is {'/'.join([*codes][:NAMED])}: {matches[0].explanation}"

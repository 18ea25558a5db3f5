"""The z-loss: a multiple of logsumexp² beside the cross entropy, then one of the usual divisors."""

from typing import Any

import numpy as np

from lossviz.conventions._convention import ADD, FINITE, PADDING, ROWS, SCALE, Convention
from lossviz.conventions._make import custom, users
from lossviz.conventions._terms import Terms
from lossviz.reductions import Options

__all__ = ["WITH_Z"]

SUM, WEIGHTS = r"\sum_{b,t} w_{bt}\,", r"\sum_{b,t} w_{bt}"
Z = r"\left(\mathrm{loss}_{bt} + z \left(\ln \sum_v e^{x_{btv}}\right)^2\right)"


def _with_z(terms: Terms, options: Options) -> Any:
    return terms.total_loss + (options.z_loss or 0.0) * terms.total_square


WITH_Z: tuple[Convention, ...] = (
    custom(
        "Z1",
        "z-loss added, mean",
        users(("MaxText", "z_loss", "maxtext PR #3211")),
        (PADDING, ROWS, SCALE),
        formula=rf"\frac{{{SUM}{Z}}}{{{WEIGHTS}}}",
        numerator=_with_z,
        divisor=lambda t, _: t.total_weight,
        counts="timesteps that count",
        group="weights",
        needs=("z_loss",),
        first="adds {z_loss:g} · logsumexp² to each loss",
        searched_as=("", "mean"),
        is_product=False,
    ),
    custom(
        "Z1s",
        "z-loss added, sum",
        users(("T5X", "z_loss, loss_normalizing_factor=None", "t5x/losses.py")),
        (PADDING, ROWS, ADD, FINITE),
        formula=SUM + Z,
        numerator=_with_z,
        divisor=lambda *_: np.float64(1),
        counts="nothing: the losses are summed",
        divides=False,
        group="none",
        needs=("z_loss",),
        bugs=("Z1",),
        first="adds {z_loss:g} · logsumexp² to each loss",
        searched_as=("", "language_model"),
        is_product=False,
    ),
)

"""Other losses of the logits of a timestep: of scaled ones, and of those before or after a soft cap (MOD-10)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lossviz.identification._context import Context

__all__ = ["Losses", "Other", "families"]

Array = np.ndarray
POWERS = [2.0**k for k in (*range(-6, 0), *range(1, 7))]
SCALES = dict.fromkeys(
    [
        *POWERS,
        *(k / 10 for k in range(1, 51)),
        *(k / 20 for k in range(1, 40, 2)),
        *(k / 2 for k in range(11, 21)),
        *(float(k) for k in range(11, 17)),
        *(10.0 * k for k in range(2, 11)),
    ]
)
TEMPERATURES = [k / 10 for k in (3, 6, 7, 9, 11, 12, 13, 14, 15, 17, 18, 19, 30)]
ROOTS = (32, 128, 512, 768, 2048, 8192, 24, 48, 80, 96, 192, 384, 640, 1280, 1536)
"""Widths of models by whose square root logits are divided, where it is no power of two."""

CAPS = (10, 12, 15, 16, 20, 24, 25, 30, 32, 35, 40, 45, 48, 50, 55, 60, 64, 65, 70, 75, 80, 85, 90, 95, 100)
"""The soft caps c of c · tanh(z / c) that are tried."""

Losses = Callable[[Array, Array], Array]


@dataclass(frozen=True, eq=False)
class Other:
    """Another loss of a timestep's logits.

    Attributes:
        title: a few words.
        clause: what the loop does.
        formula: LaTeX.
        cost: how unlikely it is.
        losses: (logits [n, V], targets [n]) → [n].
    """

    title: str
    clause: str
    formula: str
    cost: int
    losses: Losses


def _cross_entropy(z: Array, y: Array) -> Array:
    most = z.max(axis=1, keepdims=True)
    total = np.log(np.exp(z - most).sum(axis=1, dtype=np.float64))
    gap: Array = (most[:, 0] - _at(z, y)).astype(np.float64) + total
    return gap


def _at(z: Array, y: Array) -> Array:
    found: Array = z[np.arange(len(z)), y]
    return found


def families(context: Context) -> tuple[tuple[Other, ...], ...]:
    """Losses that differ by one number, in its order, so that those between two losses lie between them."""
    scales = [(scale, f"× {scale:g}", 14 if scale in POWERS else 16) for scale in SCALES if scale != 1]
    scales += [(1 / temperature, f"÷ {temperature:g}, a temperature", 16) for temperature in TEMPERATURES]
    scales += [(width**-0.5, f"÷ √{width}", 17) for width in ROOTS]
    largest = float(np.nanmax(np.abs(context.analysis.largest_logit), initial=0.0))
    caps = [(cap, 14 if cap % 10 == 0 or cap == 15 else 16) for cap in CAPS]
    return (
        tuple(_scaled(*row) for row in sorted(scales)),
        tuple(_capped(*row) for row in caps),
        tuple(_uncapped(*row) for row in caps if row[0] > largest),
    )


def _scaled(scale: float, words: str, cost: int) -> Other:
    def losses(z: Array, y: Array) -> Array:
        return _cross_entropy(z * z.dtype.type(scale), y)

    return Other(
        f"Logits {words}",
        f"takes the loss of the logits {words}",
        rf"z \to {scale:.4g}\,z",
        cost,
        losses,
    )


def _capped(cap: int, cost: int) -> Other:
    def losses(z: Array, y: Array) -> Array:
        return _cross_entropy(cap * np.tanh(z / z.dtype.type(cap)), y)

    return Other(
        f"Logits after a soft cap of {cap}",
        f"takes the loss of the logits after a soft cap of {cap}, {cap} · tanh(z / {cap})",
        rf"z \to {cap}\tanh(z/{cap})",
        cost,
        losses,
    )


def _uncapped(cap: int, cost: int) -> Other:
    def losses(z: Array, y: Array) -> Array:
        inside = np.clip(z.astype(np.float64) / cap, -1 + 1e-15, 1 - 1e-15)
        return _cross_entropy(cap * np.arctanh(inside), y)

    return Other(
        f"Logits before a soft cap of {cap}",
        f"takes the loss of the logits before a soft cap of {cap}; the recorded ones are {cap} · tanh(z / {cap})",
        rf"z \to {cap}\operatorname{{artanh}}(z/{cap})",
        cost,
        losses,
    )

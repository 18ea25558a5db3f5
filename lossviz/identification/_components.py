"""The four things that make a printed number of [B, T] losses, each of which a loop may do otherwise.

    loss      what every timestep's loss is            Σ_v, shift, precision, smoothing
    mask      by how much it counts                    padding, lengths, ids
    way       how the weighted losses become one       divisors, means of means, splits
    unit      in what it is printed                    nats, bits, perplexity, times k

A way is linear in the losses: it is the array of coefficients [B, T] that it multiplies them by.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

__all__ = ["CandidateReduction", "Component", "Loss", "Mask", "Unit", "unchanged"]

Array = np.ndarray


def unchanged(weights: Array) -> Array:
    """The weights as they are.

    >>> unchanged(np.ones(2)).tolist()
    [1.0, 1.0]
    """
    return weights


@dataclass(frozen=True, eq=False)
class Component:
    """One of the four things, done in one way.

    Attributes:
        code: of the convention or the bug; "" where it is done as declared.
        title: in a few words.
        clause: what the loop does, to follow "Your loop": "counts all 15 positions".
        formula: LaTeX; of a loss and a mask what they are, of a way the whole with `loss` and `w`, of a unit with {}.
        divided_by: of a reduction that only divides, by what: `clause` without its verb; else "".
        is_bug: whether it is one, and not a way to do it.
        is_sure: whether the arrays or the options say so too, so that it is more than possible.
        cost: how unlikely it is, for the order.
        aliases: codes of the catalogue's other names for it.
        key: tells it from others with the same code.
        is_guess: whether it was made with an option that nobody said.
    """

    code: str = ""
    title: str = ""
    clause: str = ""
    formula: str = ""
    divided_by: str = ""
    is_bug: bool = True
    is_sure: bool = False
    cost: int = 10
    aliases: tuple[str, ...] = ()
    key: str = ""
    is_guess: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is done as declared."""
        return not self.code


@dataclass(frozen=True, eq=False)
class Loss(Component):
    """What every timestep's loss is, [B, T]; `under(weights)` are the weights that go with it."""

    values: Array = field(default_factory=lambda: np.zeros((0, 0)))
    under: Callable[[Array], Array] = unchanged


@dataclass(frozen=True, eq=False)
class Mask(Component):
    """By how much every timestep counts, [B, T]."""

    weights: Array = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True, eq=False)
class CandidateReduction(Component):
    """How the losses become one number: Σ coefficients(weights) · loss."""

    coefficients: Callable[[Array], Array] = unchanged


@dataclass(frozen=True, eq=False)
class Unit(Component):
    """In what the number is printed: `of(number)`, and `slope(number)`, its derivative."""

    of: Callable[[Array], Array] = unchanged
    slope: Callable[[Array], Array] = np.ones_like

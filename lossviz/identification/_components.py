"""What a printed number of [B, T] losses is made of; a training loop may choose differently in each of the four.

    loss        the loss of each timestep           sum over the classes, shift, precision, smoothing
    mask        how much each timestep counts       padding, lengths, ids
    reduction   how the losses become one number    divisors, means of means, splits
    unit        what the number is printed in       nats, bits, perplexity, times k

A reduction is linear in the losses: each part of the batch has one factor, Σ_g factor_g · Σ_{g} u·loss, where u is
mostly w itself. Its values come from sums over the parts; the coefficients [B, T], u · factor_g, are for drawing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lossviz.identification._partition import Partition, Weighed, whole

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
    """One choice for one of the four.

    Attributes:
        code: the code of the convention or the bug; "" for what was declared.
        title: a few words.
        clause: what the training loop does, to follow "Your loop": "counts all 15 positions".
        formula: LaTeX. For a loss or a mask, its definition; for a reduction, the whole formula in `loss` and `w`; for
            a unit, a template with {}.
        divided_by: for a reduction that only divides, its divisor: `clause` without the verb; else "".
        is_bug: whether it is a mistake rather than a convention.
        is_sure: whether anything besides the number supports it, such as the arrays or the options.
        cost: how unlikely it is, to rank the answers.
        aliases: other codes of the catalogue for the same choice.
        key: distinguishes choices with the same code.
        guessed: the option whose value was guessed because nobody gave it, such as "smoothing"; else "".
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
    guessed: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it is what was declared."""
        return not self.code


@dataclass(frozen=True, eq=False)
class Loss(Component):
    """The loss of each timestep, [B, T]; `under(weights)` gives the weights that go with it."""

    values: Array = field(default_factory=lambda: np.zeros((0, 0)))
    under: Callable[[Array], Array] = unchanged


@dataclass(frozen=True, eq=False)
class Mask(Component):
    """How much each timestep counts, [B, T]."""

    weights: Array = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True, eq=False)
class CandidateReduction(Component):
    """How the losses become one number: Σ_g factors_g · Σ_{(b, t) ∈ g} u · loss.

    Attributes:
        partition: the parts g.
        factors: weights → what the sum of each part is multiplied by, [G].
        spread: weights → u, what each loss is multiplied by before it is added up.
    """

    partition: Partition = field(default_factory=lambda: whole((0, 0)))
    factors: Callable[[Weighed], Array] = field(default_factory=lambda: lambda _: np.ones(1))
    spread: Callable[[Array], Array] = unchanged

    def coefficients(self, weights: Array) -> Array:
        """What each loss is multiplied by in the number, [B, T]."""
        each = self.factors(Weighed(weights))
        return self.spread(weights) * each[self.partition.labels] if weights.size else weights


@dataclass(frozen=True, eq=False)
class Unit(Component):
    """What the number is printed in: `of(number)`, and its derivative `slope(number)`."""

    of: Callable[[Array], Array] = unchanged
    slope: Callable[[Array], Array] = np.ones_like

"""What `identify` answers with."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lossviz.caching import cached

__all__ = ["KINDS", "Match"]

KINDS = {"convention": "Convention", "bug": "Bug", "unit": "Unit"}


def _none() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((0, 0)), np.zeros((0, 0), bool)


@dataclass(frozen=True, eq=False)
class Match:
    """One formula whose value is the printed number.

    Attributes:
        code: a convention's or a bug's, as in the catalogues: C03, PAD02, RED01, MOD01 …
        title: a few words.
        value: the formula's value on this batch; `difference`: value − reported; for several numbers, the pair
            furthest apart.
        formula: LaTeX.
        kind: "convention", "bug" or "unit".
        explanation: one sentence with this batch's numbers.
        clause: what the training loop does, to follow "Your loop"; "" if the match is not about the loop.
        divided_by: where the loop only divides, its divisor: `clause` without the verb; else "".
        possible: whether nothing besides the number supports it, so that the sentence is a guess.
        fix: what to write instead, by library ("TensorFlow", "PyTorch", "JAX"); empty if there is nothing to fix.
        rank: 1 for the likeliest; known formulas under the declared mask first, then bugs, then combinations.
        codes: the codes of a combination: ("PAD01", "C12").
        aliases: the codes of other formulas with exactly this value on this batch.
        how_to_distinguish: the second batch that would rule out the other answers, in one sentence, or "".
        accidental: whether the match is likely to be chance, because few digits agree.
        arrays: computes `coefficients` and `cells` when one of them is first asked for.

    >>> match = Match("C03", "Mean", value=1.25, difference=0.0, formula="", kind="convention", explanation="")
    >>> match.rank, match.fix
    (0, {})
    """

    code: str
    title: str
    value: float
    difference: float
    formula: str
    kind: str
    explanation: str
    fix: dict[str, str] = field(default_factory=dict)
    rank: int = 0
    codes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    how_to_distinguish: str = ""
    accidental: bool = False
    clause: str = ""
    divided_by: str = ""
    possible: bool = False
    arrays: Callable[[], tuple[np.ndarray, np.ndarray]] = field(default_factory=lambda: _none, repr=False)

    @property
    def coefficients(self) -> np.ndarray:
        """What each timestep's loss is multiplied by in the number, [B, T], never NaN.

        Of a number that is not linear in the losses (perplexity), it is the derivative.
        """
        return self._computed[0]

    @property
    def cells(self) -> np.ndarray:
        """The timesteps that the formula counts, [B, T] bool."""
        return self._computed[1]

    @cached
    def _computed(self) -> tuple[np.ndarray, np.ndarray]:
        return self.arrays()

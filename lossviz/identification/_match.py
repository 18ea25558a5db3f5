"""What `identify` answers with."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["KINDS", "Match"]

KINDS = {"convention": "Convention", "bug": "Bug", "unit": "Unit"}


@dataclass(frozen=True, eq=False)
class Match:
    """One formula whose value is the number that was printed.

    Attributes:
        code: a convention's or a bug's, as in the catalogues: C03, PAD02, RED01, MOD01 …
        title: in a few words.
        value: what the formula gives on this batch; `difference`: value − reported; of several numbers the pair that
            lies furthest apart.
        formula: LaTeX.
        kind: "convention", "bug" or "unit".
        explanation: one sentence with this batch's numbers.
        clause: what the training loop does, to follow "Your loop"; "" where it says nothing about the loop.
        divided_by: where the loop only divides, its divisor: `clause` without the verb; else "".
        possible: whether nothing besides the number supports it, so that the sentence is a guess.
        fix: what to write, by library ("TensorFlow", "PyTorch"); empty where there is nothing to fix.
        rank: 1 for the likeliest; the declared mask with a known formula first, then bugs, then exotic combinations.
        codes: the codes of a combination, one after the other: ("PAD01", "C12").
        aliases: codes of other formulas that give exactly this number on this batch.
        how_to_distinguish: the second batch that would rule out the other answers, in one sentence, or "".
        accidental: whether so few digits agree that chance is likely.
        coefficients: [B, T], what each timestep's loss is multiplied by on its way into the number, the derivative
            where it is no product (perplexity); NaN-free.
        cells: [B, T] bool, the timesteps that it counts.

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
    coefficients: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), repr=False)
    cells: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), bool), repr=False)

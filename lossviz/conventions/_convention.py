"""What a row of the table of conventions says: a formula, a numerator, a divisor, who prints it, and its laws."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from lossviz.analysis import Analysis
from lossviz.conventions._terms import Terms, terms_of
from lossviz.errors import SettingsError
from lossviz.reductions import Options

__all__ = [
    "ADD",
    "DIVISORS",
    "FINITE",
    "LAWS",
    "PADDING",
    "ROWS",
    "SCALE",
    "SPLIT",
    "UNITS",
    "Convention",
    "Evaluate",
    "Quotient",
    "User",
]

LAWS = {
    "unchanged_by_extra_padding": "More padding at the end of every sequence leaves it as it is.",
    "unchanged_by_reordering_rows": "Other orders of the sequences leave it as it is.",
    "unchanged_by_scaling_weights": "All weights times the same number leave it as it is.",
    "unchanged_by_splitting": "The mean over micro-batches of equally many sequences is the number of the whole batch.",
    "additive": "The number of the whole batch is the sum of the numbers of its parts.",
    "finite_when_all_masked": "It is a finite number where nothing counts.",
}
"""The laws that a convention may keep, by name; each drives one test, both ways."""

PADDING, ROWS, SCALE, SPLIT, ADD, FINITE = LAWS

DIVISORS = {
    "none": "Nothing: the losses are summed",
    "weights": "The timesteps that count",
    "count": "The weights that are not 0",
    "positions": "All positions, padding included",
    "sequences": "The sequences",
    "sequence_means": "Each sequence's own timesteps, then the sequences",
    "timestep_means": "Each timestep's own sequences, then the timesteps",
    "micro_batches": "Each micro-batch's own timesteps, then the micro-batches",
    "other": "Something else",
}
"""What conventions divide by: the groups of the table, in the order of the page."""

UNITS = ("nats", "bits", "perplexity")


@dataclass(frozen=True)
class User:
    """Who prints a convention: the library, as its users call it; the version or trainer; the source file."""

    library: str
    what: str
    source: str


@dataclass(frozen=True)
class Quotient:
    """A number before its division: numerator, divisor, what that counts, and the number itself in its unit."""

    numerator: float
    divisor: float
    counts: str
    value: float
    divides: bool = field(default=True, repr=False)


Arrays = tuple[np.ndarray, np.ndarray]
Evaluate = Callable[[Terms, Options], Quotient]


@dataclass(frozen=True)
class Convention:
    """One way in which a library makes a number of the losses (spec/conventions.md).

    Attributes:
        code: as in the catalogue, C01 … Z1; the calculations of spec/losses.md have their reduction's name.
        name: in a few words.
        formula: LaTeX.
        unit: one of `UNITS`.
        group: what it divides by, a key of `DIVISORS`.
        users: who prints it.
        laws: the names of the `LAWS` that it keeps.
        evaluate: (terms, options) → Quotient.
        needs: the names of the `Options` without which it has no number.
        reduction: the reduction of the app that divides likewise, or None where there is none.
        mask: None for the mask in use, "none" where every timestep counts.
        note: what to know before comparing with it, or "".
        bugs: the codes of the bugs with the same formula, first the one whose fix is shown, and of the rows that it
            is a variant of.
        reported_by: the rule of the padding doctor that reports it, or "" where it is nobody's mistake.
        told_by_weights: whether only weights other than 0 and 1 tell it from the mean.
        first: what it does to each loss before it divides, a template of the `Options`; or "".
        searched_as: (loss, reduction) of the candidates of `identify` that multiply each loss likewise: codes, or a
            reduction's name; or None where `reduction` does.
        is_product: whether the formula is exactly what those candidates, or `reduction`, give.
        coefficients: (terms, options) → what each loss is multiplied by and where it counts, [B, T] each, where no
            candidate multiplies it likewise; or None.
    """

    code: str
    name: str
    formula: str
    unit: str
    group: str
    users: tuple[User, ...]
    laws: frozenset[str]
    evaluate: Evaluate
    needs: tuple[str, ...] = ()
    reduction: str | None = None
    mask: str | None = None
    note: str = ""
    bugs: tuple[str, ...] = ()
    reported_by: str = ""
    told_by_weights: bool = False
    first: str = ""
    searched_as: tuple[str, str] | None = None
    is_product: bool = True
    coefficients: Callable[[Terms, Options], Arrays] | None = None

    def quotient(self, analysis: Analysis, options: Options | None = None) -> Quotient:
        """Numerator, divisor and number on an analysis's batch, under its mask.

        Args:
            analysis: of the batch.
            options: what the training loop was told; by default what the analysis's settings say.

        Raises:
            SettingsError: if an option that it needs was not said.

        >>> from lossviz import Batch, analyze
        >>> from lossviz.conventions import convention_coded
        >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 2)), targets=[[1, 0]], lengths=[1])
        >>> convention_coded("C05").quotient(analyze(batch))  # ln 2 over both positions
        Quotient(numerator=0.6931471805599453, divisor=2.0, counts='positions, padding included', \
value=0.34657359027997264)
        >>> convention_coded("LS1").value(analyze(batch))
        Traceback (most recent call last):
        lossviz.errors.SettingsError: LS1 (Label smoothing over all classes) needs `smoothing`; got None.
        """
        return self.of(terms_of(analysis), options or analysis.settings.options)

    def of(self, terms: Terms, options: Options) -> Quotient:
        """`quotient` of terms that several conventions share.

        Raises:
            SettingsError: if an option that it needs was not said.
        """
        for name in options.missing(self.needs):
            raise SettingsError(f"{self.code} ({self.name}) needs `{name}`; got None.")
        with np.errstate(all="ignore"):
            return self.evaluate(terms, options)

    def numerator(self, analysis: Analysis, options: Options | None = None) -> float:
        """What is divided, in nats, or in bits where the unit is bits."""
        return self.quotient(analysis, options).numerator

    def divisor(self, analysis: Analysis, options: Options | None = None) -> float:
        """What it is divided by."""
        return self.quotient(analysis, options).divisor

    def value(self, analysis: Analysis, options: Options | None = None) -> float:
        """The number that is printed, in the convention's unit."""
        return self.quotient(analysis, options).value

"""A row of the table of conventions: a formula, a numerator, a divisor, who prints it, and its laws."""

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
    "unchanged_by_extra_padding": "Adding padding to the end of every sequence does not change it.",
    "unchanged_by_reordering_rows": "Reordering the sequences does not change it.",
    "unchanged_by_scaling_weights": "Multiplying all weights by the same number does not change it.",
    "unchanged_by_splitting": "Its mean over micro-batches of equal size is the number of the whole batch.",
    "additive": "The number of the whole batch is the sum of the numbers of its parts.",
    "finite_when_all_masked": "It is finite even if every timestep is masked.",
}
"""The laws that a convention may obey, by name; each drives one test, asserted both ways."""

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
"""The divisors of the conventions: the groups of the table, in the order of the page."""

UNITS = ("nats", "bits", "perplexity")


@dataclass(frozen=True)
class User:
    """Who prints a number like this: the library, by its usual name; the version or trainer; the source file."""

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
    """How a library turns the losses into a number (spec/conventions.md).

    Attributes:
        code: as in the catalogue, C01 … Z1; the calculations of spec/losses.md have the name of their reduction.
        name: a few words.
        formula: LaTeX.
        unit: one of `UNITS`.
        group: what it divides by, a key of `DIVISORS`.
        users: who prints it.
        laws: the names of the `LAWS` that it obeys.
        evaluate: (terms, options) → Quotient.
        needs: the names of the `Options` without which it has no number.
        reduction: the reduction of the app with the same divisor, or None.
        mask: None for the mask in use, "none" if every timestep counts.
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
            options: how the training loop was configured; by default the options of the analysis's settings.

        Raises:
            SettingsError: if an option that it needs was not given.

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
        """`quotient`, from terms that several conventions share.

        Raises:
            SettingsError: if an option that it needs was not given.
        """
        for name in options.missing(self.needs):
            raise SettingsError(f"{self.code} ({self.name}) needs `{name}`; got None.")
        with np.errstate(all="ignore"):
            return self.evaluate(terms, options)

    def numerator(self, analysis: Analysis, options: Options | None = None) -> float:
        """The numerator, in nats, or in bits if the unit is bits."""
        return self.quotient(analysis, options).numerator

    def divisor(self, analysis: Analysis, options: Options | None = None) -> float:
        """The divisor."""
        return self.quotient(analysis, options).divisor

    def value(self, analysis: Analysis, options: Options | None = None) -> float:
        """The number that is printed, in the convention's unit."""
        return self.quotient(analysis, options).value

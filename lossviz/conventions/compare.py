"""Every convention on one batch, side by side."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.conventions._convention import Convention, Quotient
from lossviz.conventions._table import CONVENTIONS
from lossviz.conventions._terms import Terms, terms_of
from lossviz.errors import NoLogitsError, SettingsError, instance_of, require
from lossviz.reductions import LOOP_OPTIONS, Options

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_conventions", "merged_options"]

COLUMNS = (
    "code",
    "name",
    "value",
    "numerator",
    "divisor",
    "divisor_counts",
    "unit",
    "difference",
    "group",
    "libraries",
    "note",
)
NOTHING = Quotient(np.nan, np.nan, "", np.nan)


def compare_conventions(analysis: Analysis, **options: Any) -> "pd.DataFrame":
    """The number that each library would print of a batch, one row a convention, in the order of `CONVENTIONS`.

    Columns: `code`; `name`; `value`, in `unit` (nats, bits, perplexity); its `numerator` and `divisor`;
    `divisor_counts`, what the divisor counts; `difference`, value − the analysis's own number, NaN where that has
    another unit or is no single number; `group`, a key of `lossviz.conventions.DIVISORS`; `libraries`; `note`.
    A convention that needs an option which was not given has NaN for its numbers, and its note names the option.

    Args:
        analysis: of the batch, under the mask to compare with.
        options: as in `lossviz.reductions.Options` (smoothing=0.1, accumulation_steps=4, …); what is not said is as
            in the settings of the analysis.

    Raises:
        SettingsError: if an option is unknown, out of its range, or does not fit the batch.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 2)), targets=[[1, 0], [1, 0]], lengths=[2, 1])
    >>> table = compare_conventions(analyze(batch)).set_index("code")  # 3 of the 4 timesteps cost ln 2 = 0.6931 each
    >>> table.loc[["C03", "C05", "C11", "LS1"], ["value", "divisor", "unit", "difference", "note"]].round(4)
           value  divisor  unit  difference               note
    code
    C03   0.6931      3.0  nats      0.0000
    C05   0.5199      4.0  nats     -0.1733
    C11   1.0000      3.0  bits         NaN
    LS1      NaN      NaN  nats         NaN  Needs `smoothing`.
    """
    instance_of("analysis", analysis, Analysis, "an Analysis, as `analyze` gives")
    pandas = require("pandas", "`compare_conventions`")
    given, terms = merged_options(analysis, options), terms_of(analysis)
    rows = [_row(convention, terms, given) for convention in CONVENTIONS]
    table: pd.DataFrame = pandas.DataFrame(rows, columns=list(COLUMNS))
    return table


def merged_options(analysis: Analysis, options: dict[str, Any]) -> Options:
    """The options of an analysis's settings, some of them replaced.

    Raises:
        SettingsError: if an option is unknown, out of its range, or does not fit the batch.

    >>> from lossviz import Batch, analyze
    >>> merged_options(analyze(Batch.from_arrays(logits=np.zeros((1, 1, 2)), targets=[[1]])), {"smooting": 0.1})
    Traceback (most recent call last):
    lossviz.errors.SettingsError: There is no option `smooting`. Did you mean `smoothing`? There are \
accumulation_steps, world_size, groups, max_length, smoothing, class_weights, bytes_per_token, z_loss, flags.
    """
    merged, terms = analysis.settings.options.replaced(options), terms_of(analysis)
    merged.parts(len(terms.weights))
    for option in LOOP_OPTIONS:
        if option.kind == "per_class" and getattr(merged, option.name) is not None:
            terms.require_per_class(option.name, getattr(merged, option.name))
    return merged


def _row(convention: Convention, terms: Terms, options: Options) -> tuple[Any, ...]:
    quotient, note = _quotient(convention, terms, options)
    own = terms.analysis.value
    difference = quotient.value - own if convention.unit == "nats" and np.ndim(own) == 0 else np.nan
    return (
        convention.code,
        convention.name,
        quotient.value,
        quotient.numerator,
        quotient.divisor,
        quotient.counts,
        convention.unit,
        difference,
        convention.group,
        ", ".join(dict.fromkeys(user.library for user in convention.users)),
        note,
    )


def _quotient(convention: Convention, terms: Terms, options: Options) -> tuple[Quotient, str]:
    lacks = options.missing(convention.needs)
    if lacks:
        return NOTHING, f"Needs {_listed(lacks)}."
    try:
        return convention.of(terms, options), convention.note
    except (NoLogitsError, SettingsError) as error:  # flags that contradict each other have no number
        return NOTHING, str(error)


def _listed(names: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)

"""Conventions that give the same number on a batch, as one row with several codes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.conventions._convention import DIVISORS, UNITS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fold_conventions"]

COLUMNS = (
    "group",
    "name",
    "codes",
    "value",
    "unit",
    "difference",
    "numerator",
    "divisor",
    "divisor_counts",
    "libraries",
)


def fold_conventions(table: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of `compare_conventions`, those of a group that print one number as one row, in the order of `DIVISORS`.

    Columns as there; `codes` is a tuple, `libraries` those of all of them, the name and the numbers those of the first.
    A row without a number stays alone.

    >>> from lossviz import Batch, analyze
    >>> from lossviz.conventions import compare_conventions
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 2)), targets=[[1, 0], [1, 0]], lengths=[2, 1])
    >>> folded = fold_conventions(compare_conventions(analyze(batch)))
    >>> folded.loc[folded.name == "Sum ÷ sequences", ["group", "value", "codes"]].values.tolist()
    [['sequences', 1.0397207708399179, ('C06', 'C17l', 'C20', 'encoder_decoder')]]
    """
    import pandas as pd

    found: dict[object, list[Any]] = {}
    row: Any
    for row in table.itertuples(index=False):
        alike = row.code if np.isnan(row.value) else f"{row.value:.9e}"
        found.setdefault((row.group, row.unit, alike), []).append(row)
    folded = pd.DataFrame([_row(rows) for rows in found.values()], columns=list(COLUMNS))
    places = pd.DataFrame(
        {
            "group": folded.group.map({name: at for at, name in enumerate(DIVISORS)}),
            "unit": folded.unit.map({name: at for at, name in enumerate(UNITS)}),
            "missing": folded.value.isna(),
            "alike": -folded.codes.map(len),
            "value": folded.value,
        }
    )
    return folded.loc[places.sort_values(list(places.columns), kind="stable").index].reset_index(drop=True)


def _row(rows: list[Any]) -> tuple[Any, ...]:
    own = rows[0]
    libraries = dict.fromkeys(name for row in rows for name in row.libraries.split(", "))
    own = own._replace(libraries=", ".join(libraries))
    return tuple(tuple(row.code for row in rows) if name == "codes" else getattr(own, name) for name in COLUMNS)

"""One row per step: of all steps, or of some that are spread evenly where a run is too large to be read at once."""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.errors import require
from lossviz.runs import _queries as queries
from lossviz.runs._database import Database
from lossviz.runs._diagnose import RunDiagnosis
from lossviz.runs._identify import RunIdentification
from lossviz.runs._opened import OpenedRun

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OUTLINE", "checked_columns", "spread", "step_table"]

OUTLINE = 2_000_000
"""Timesteps that are read for a first picture."""
_AT_ONCE = 20_000_000  # timesteps whose quantiles are in memory together


def spread(run: OpenedRun, timesteps: int, most: int) -> tuple[int, ...]:
    """The steps of a run, evenly spread, that hold at most so many of its timesteps; the first and the last always."""
    steps = run.step_numbers
    stride = ceil(timesteps / most) if timesteps > most else 1
    return steps if stride == 1 else tuple(sorted({*steps[::stride], steps[-1]}))


def step_table(run: OpenedRun, database: Database, steps: Sequence[int]) -> "pd.DataFrame":
    """The rows of `Run.steps` for some steps, read a part at a time: exact quantiles need all losses of a part."""
    pandas = require("pandas", "Querying a run", "'lossviz[runs]'")
    share = database.timesteps * len(steps) / max(len(run.step_numbers), 1)
    parts = np.array_split(np.asarray(steps), max(1, min(ceil(share / _AT_ONCE), len(steps))))
    table: pd.DataFrame = pandas.concat([_read(database, part, run.step_numbers) for part in parts], ignore_index=True)
    printed = [run.printed(step) for step in table["step"].tolist()]
    table.insert(1, "printed", pandas.Series(printed, dtype=object))  # as text it would turn None into NaN
    table.insert(2, "window", [run.recorded.window(step) for step in table["step"].tolist()])
    table.insert(5, "perplexity", np.exp(table["mean"]))
    return table


def _read(database: Database, steps: "np.ndarray[Any, Any]", known: tuple[int, ...]) -> "pd.DataFrame":
    """The sums and quantiles of some steps; row groups of the files that hold none of them are not read."""
    first, last = int(steps[0]), int(steps[-1])
    whole = len(steps) == sum(first <= step <= last for step in known)
    among = f"step BETWEEN {first} AND {last}" if whole else f"step IN ({', '.join(str(int(step)) for step in steps)})"
    return database.query(queries.steps(among, weighted=database.is_weighted))


def checked_columns(
    table: "pd.DataFrame", diagnosis: RunDiagnosis, identified: RunIdentification
) -> "dict[str, list[Any]]":
    """The findings of each step, and the formula that explains its printed number; "" and None where there is none."""
    formulas = {step: match.code for match, steps in identified.explanations for step in steps}
    steps = [int(step) for step in table["step"]]
    found: dict[int, list[str]] = {step: [] for step in steps}
    for one in diagnosis.findings:
        for step in one.steps:
            found.get(step, []).append(one.first.code)
    return {
        "findings": [", ".join(found[step]) for step in steps],
        "formula": [formulas.get(step) for step in steps],
    }

"""`lossviz analyze`: the number, its divisor, what is wrong, and a table, as text or as JSON."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz import tables
from lossviz.analysis import Analysis
from lossviz.cli._files import open_reading, read_as, reading_record, shape_text
from lossviz.cli._parser import TABLES
from lossviz.cli._work import compute
from lossviz.digits import number_text
from lossviz.display_text import printable
from lossviz.errors import InputError
from lossviz.headline import headline
from lossviz.layouts import Reading, batch_of
from lossviz.measuring import usual_settings
from lossviz.reductions import REDUCTIONS
from lossviz.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["run"]

_TABLES = dict(
    zip(
        TABLES,
        (tables.sequences_table, tables.timesteps_table, tables.per_timestep_table, tables.reductions_table),
        strict=True,
    )
)


def run(arguments: argparse.Namespace) -> int:
    """Analyze a file and print what was found."""
    chosen = _chosen(arguments)
    reading = open_reading(arguments.file, arguments)
    batch = batch_of(reading)
    analysis = compute(batch, chosen or usual_settings(batch, arguments.mask))
    table = _TABLES[arguments.table](analysis)
    sys.stdout.write(
        _as_json(analysis, arguments.table, table, reading) if arguments.json else _as_text(analysis, table, reading)
    )
    return 0


def _chosen(arguments: argparse.Namespace) -> Settings | None:
    """The settings in the arguments; None if they give neither a reduction nor an option of one."""
    takes = {option: reduction.name for reduction in REDUCTIONS for option in (*reduction.needs, *reduction.may_take)}
    given = {option: getattr(arguments, option) for option in takes if hasattr(arguments, option)}
    reduction = arguments.reduction or next((takes[option] for option in given), None)
    if reduction is None:
        return None
    strangers = [option for option in given if takes[option] != reduction]
    if strangers:
        words = " and ".join(f"`--{option.replace('_', '-')}`" for option in strangers)
        raise InputError(
            f"{words} can be given with `--reduction {takes[strangers[0]]}` only; got `--reduction {reduction}`. "
            "Leave one of them out."
        )
    return Settings(mask=arguments.mask, reduction=reduction, **given)


def _as_json(analysis: Analysis, name: str, table: "pd.DataFrame", reading: Reading) -> str:
    document = tables.summary(analysis) | reading_record(reading) | {name: tables.records(table)}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _as_text(analysis: Analysis, table: "pd.DataFrame", reading: Reading) -> str:
    lines = [
        printable(analysis.batch.title or "Batch", most=120),
        f"{shape_text(analysis.batch.shape)}, mask: {analysis.mask_name}",
        *read_as(reading),
        "",
        *_number(analysis),
        *([""] if analysis.problems else []),
        *(f"- {problem}" for problem in analysis.problems),
        "",
        _table_text(table),
        *_notes(table),
    ]
    return "\n".join(lines) + "\n"


def _number(analysis: Analysis) -> list[str]:
    line = headline(analysis)
    if not analysis.is_scalar:
        return [
            f"{line.value}, each divided by: {analysis.divisor_counts}",
            *_several(analysis.value),
            f"{line.counting} of {line.cells} timesteps count, {line.padding} padding",
        ]
    divided = (
        f"divided by {analysis.divisor_counts}"
        if not analysis.divides
        else f"= {number_text(analysis.numerator)} ÷ {line.divisor} {analysis.divisor_counts}"
    )
    perplexity = f"perplexity {line.perplexity}, " if line.perplexity else ""
    return [
        f"{line.value} {line.unit} {divided}",
        f"{perplexity}{line.counting} of {line.cells} timesteps count, {line.padding} padding",
    ]


def _several(values: np.ndarray) -> list[str]:
    """The numbers of a vector, the first dozen; those of a [B, T] array are in the table of timesteps."""
    more = ["…"] if len(values) > 12 else []
    return [", ".join([*map(number_text, values[:12]), *more])] if values.ndim == 1 else []


def _table_text(table: "pd.DataFrame") -> str:
    shown = table.drop(columns=["title", "source", "note"], errors="ignore")
    for column in [header for header in shown.columns if header.endswith("token")]:
        shown[column] = [printable(token) for token in shown[column]]
    whole: dict[Any, Any] = {
        column: "{:g}".format for column in ("length", "weight", "divisor") if column in shown.columns
    }
    return str(shown.to_string(index=False, float_format="{:.4f}".format, formatters=whole, na_rep="NaN"))


def _notes(table: "pd.DataFrame") -> list[str]:
    if "note" not in table.columns:
        return []
    return ["", *(f"{name}: {note}" for name, note in zip(table["name"], table["note"], strict=True) if note)]

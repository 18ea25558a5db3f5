"""Which number each library would print of the batch: the table by divisor, one convention in detail, the bars."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lossviz.analysis import Analysis
from lossviz.conventions import CONVENTIONS, LIBRARIES, UNITS, compare_conventions
from lossviz.conventions.folded import fold_conventions
from lossviz.figures import conventions
from lossviz.headline import headline
from lossviz.ui.reductions.convention_card import convention_card
from lossviz.ui.session.editor import Editor
from lossviz.ui.session.link_checks import Links, one_of, some_of
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.downloads_panel import picture_buttons
from lossviz.ui.shared.equation import WIDTH, theme
from lossviz.ui.shared.loop_options import loop_options
from lossviz.ui.shared.plot import plot, plot_width

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LINKED", "conventions_panel"]

TABLE_HEIGHT = 544
LINKED: Links = {
    "convention": one_of(row.code for row in CONVENTIONS),
    "libraries": some_of(LIBRARIES),
    "unit": one_of(UNITS),
}
SHORT = {
    "none": "Nothing",
    "weights": "Timesteps that count",
    "count": "Non-zero weights",
    "positions": "All positions",
    "sequences": "Sequences",
    "sequence_means": "Each sequence's own",
    "timestep_means": "Each timestep's own",
    "micro_batches": "Each micro-batch's",
    "other": "Something else",
}
"""Each of `DIVISORS` in the width of a column."""
_TABLES: WeakKeyDictionary[Analysis, dict[str, "pd.DataFrame"]] = WeakKeyDictionary()


def conventions_panel(state: State, analysis: Analysis) -> None:
    """Draw the filter, the table with one row chosen, that convention, and every number as a bar."""
    choose, more = st.columns([3, 1], vertical_alignment="bottom")
    complaints = st.container()
    with more:
        options = loop_options(analysis, complaints)
    with choose:
        rows = _of_libraries(_compared(analysis, options), _libraries())
    folded = fold_conventions(rows)
    code = _chosen(rows.code.tolist(), analysis)
    left, right = st.columns([1.45, 1])
    with left:
        _table(state, folded, code)
    with right, st.container(key="convention_card", border=True, height=TABLE_HEIGHT):
        alike = next(codes for codes in folded.codes if code in codes)
        convention_card(state, code, alike, rows.set_index("code").loc[code], options)
    _bars(state, analysis, rows, code)


def _compared(analysis: Analysis, options: dict[str, Any]) -> "pd.DataFrame":
    """The table of an analysis, recomputed only when an option changes."""
    known, said = _TABLES.setdefault(analysis, {}), repr(sorted(options.items()))
    if said not in known:
        known.clear()
        with st.spinner("Computing what each library would print"):
            known[said] = compare_conventions(analysis, **options)
    return known[said]


def _libraries() -> list[str]:
    return st.multiselect(
        "Libraries",
        LIBRARIES,
        key="libraries",
        placeholder="All of them",
        help="Show only the numbers that these print.",
        persist_state="session",
    )


def _of_libraries(table: "pd.DataFrame", libraries: Iterable[str]) -> "pd.DataFrame":
    wanted = set(libraries)
    if not wanted:
        return table
    return table[[bool(wanted & set(names.split(", "))) for names in table.libraries]]


def _chosen(codes: list[str], analysis: Analysis) -> str:
    """The convention that is looked at: the user's, else the one that divides as the app does, else the first."""
    wanted: str = read_widget("convention")
    if wanted in codes:
        return wanted
    settings = analysis.settings
    alike = (row.code for row in CONVENTIONS if row.reduction == settings.reduction and row.mask is None)
    return next((code for code in alike if code in codes), codes[0])


def _table(state: State, folded: "pd.DataFrame", code: str) -> None:
    row = next(at for at, codes in enumerate(folded.codes) if code in codes)
    shown = folded.assign(
        group=folded.group.map(SHORT).where(folded.group != folded.group.shift(), ""),
        name=[_named(name, codes) for name, codes in zip(folded.name, folded.codes, strict=True)],
    )
    editor = state.editors.draw("conventions_table", tuple(codes[0] for codes in folded.codes), {"row": row})
    st.dataframe(
        shown[["group", "value", "name"]],  # a narrow page cuts names off, and no number
        key=editor.key,
        hide_index=True,
        height=min(TABLE_HEIGHT, 37 + 35 * len(shown)),
        placeholder="–",
        on_select=partial(_select, state, editor),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [editor.shown["row"]], "columns": [], "cells": []}},
        column_config={
            "group": st.column_config.TextColumn("Divided by", width=142),
            "name": st.column_config.TextColumn("Convention", width=294),
            "value": st.column_config.NumberColumn("Number", format="%.4f", width=74),
        },
    )


def _named(name: str, codes: tuple[str, ...]) -> str:
    return f"{name} (+{len(codes) - 1})" if codes[1:] else name


def _select(state: State, editor: Editor) -> None:
    """Look at the convention of the row that was clicked; clicked once more, the row stays chosen. A callback."""
    rows, codes = read_widget(editor.key)["selection"]["rows"], editor.target
    row = rows[0] if rows else None
    if editor.is_typed("row", row):
        if row is None:
            state.editors.renew(editor)
        else:
            editor.held["row"] = row
            write_widget("convention", codes[row])


def _download(rows: "pd.DataFrame", draw: Callable[[], go.Figure]) -> None:
    with st.popover("Download", width="stretch"):
        st.download_button(
            "Every row as CSV",
            lambda: rows.to_csv(index=False).encode(),
            file_name="conventions.csv",
            on_click="ignore",
            key="download_conventions",
            help="With numerator, divisor, what that counts, libraries and notes.",
            width="stretch",
        )
        picture_buttons({"bars": draw})


def _bars(state: State, analysis: Analysis, rows: "pd.DataFrame", code: str) -> None:
    numbered = rows[rows.value.notna()]
    units = [unit for unit in UNITS if (numbered.unit == unit).any()]
    place, save = st.columns([3, 1], vertical_alignment="bottom")
    with place:
        unit = (_unit(state, units) if units[1:] else None) or (units or UNITS)[0]
    width = plot_width("conventions", WIDTH)
    draw = partial(
        conventions, rows, unit=unit, selected=_number_in(analysis, unit), chosen=code, theme=theme(), width=width
    )
    with save:
        _download(rows, draw)
    plot(draw(), key="conventions", label="Each convention's number as a bar.", selectable=False)


def _unit(state: State, units: list[str]) -> str | None:
    if read_widget("unit") not in units:
        write_widget("unit", units[0])
    editor = state.choice("unit", words=tuple(units))
    unit: str | None = st.segmented_control(
        "Bars of",
        units,
        default=editor.shown["unit"],
        key=editor.key,
        on_change=partial(state.take_choice, editor),
        required=True,
        help="Only numbers of one unit stand on one axis.",
    )
    state.take_reconnected(editor)
    return unit


def _number_in(analysis: Analysis, unit: str) -> float | None:
    """The number of the app in another unit, None where it has none."""
    if not analysis.is_scalar or (unit == "perplexity" and not headline(analysis).perplexity):
        return None
    value = float(analysis.value)
    with np.errstate(over="ignore"):
        return {"nats": value, "bits": value / float(np.log(2)), "perplexity": float(np.exp(value))}[unit]

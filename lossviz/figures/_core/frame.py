"""The frame of the equation: axes, names, operators, title; and the figure for an empty batch."""

import re
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lossviz.figures._core.axes import row_axis, time_axis
from lossviz.figures._core.geometry import Box
from lossviz.figures._core.legend import colour_axis, legend, note
from lossviz.figures._core.style import FONT, Theme
from lossviz.figures._core.sums import bar_range, divisor_line, has_numbers, total
from lossviz.figures._core.text import text_width

if TYPE_CHECKING:
    from lossviz.figures._core.drawing import Drawing

__all__ = ["EMPTY", "base", "empty", "figure", "layout"]

Spec = dict[str, Any]
EMPTY = "There is no timestep to draw. Type a sequence, open a file or choose a sample."
NAME_WIDTH = 59
LINE_SIZE, SMALLEST, BOLD = 17, 9, 1.06  # of the divisor's line in pixels; bold text is wider
TWO_LINES, HIGHEST = 11, 14  # pixels: a line that would be smaller is broken, and two lines are no larger
OPERATORS = ("", "×", "=")
_TAG = re.compile("<[^>]*>")


def base(title: str, width: float, height: float, theme: Theme) -> Spec:
    """What every figure of lossviz shares."""
    return {
        "title": {
            "text": title,
            "x": 14 / width,
            "xanchor": "left",
            "y": 1 - 17 / height,
            "yanchor": "middle",
            "font": {"size": 16, "color": theme.text},
        },
        "template": {},
        "width": width,
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0, "autoexpand": False},
        "paper_bgcolor": theme.page,
        "plot_bgcolor": theme.page,
        "font": {"family": FONT, "size": 12, "color": theme.text},
        "showlegend": False,
        "uirevision": "lossviz",
        "dragmode": "pan",
        "hoverlabel": {
            "bgcolor": theme.page,
            "bordercolor": theme.muted,
            "font": {"family": FONT, "size": 13, "color": theme.text},
            "align": "left",
        },
    }


def figure(data: list[Spec], frame: Spec) -> go.Figure:
    """The figure of a spec. Plotly's validation takes ten times as long as the rest, so the tests do it instead."""
    return go.Figure({"data": data, "layout": frame}, _validate=False)


def empty(message: str, width: float, theme: Theme) -> go.Figure:
    """A figure that says why there is nothing to draw, and what to do."""
    nothing = {"visible": False, "range": [0, 1], "fixedrange": True}
    text = {"text": message, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False, "name": "empty"}
    frame = base("", width, 160, theme)
    return figure([], frame | {"xaxis": nothing, "yaxis": nothing, "annotations": [text]})


def layout(drawing: "Drawing") -> Spec:
    """The layout of an equation."""
    place, quantity, theme = drawing.place, drawing.quantity, drawing.theme
    unit = f", {quantity.unit}" if quantity.unit else ""
    title = f"{' × '.join(drawing.names[:2])} = {drawing.names[2]}{unit}"
    window = drawing.window
    shapes = _cell_shapes(drawing) if drawing.cell else []
    return base(title[0].upper() + title[1:], place.width, place.height, theme) | {
        **(_stacked_axes(drawing) if place.stacked else _side_axes(drawing)),
        "coloraxis": colour_axis(drawing.analysis, quantity, place, drawing.scale, theme),
        "annotations": [*_names(drawing), *_totals(drawing), *legend(drawing.entries, place, theme)],
        "shapes": shapes,
        "meta": {
            "cell": list(drawing.cell) if drawing.cell else None,
            "quantity": quantity.name,
            "window": [window.row0, window.row1, window.t0, window.t1],
        },
    }


def _stacked_axes(drawing: "Drawing") -> Spec:
    window, place, theme = drawing.window, drawing.place, drawing.theme
    axes = {
        "xaxis": time_axis(window, place, place.batch, theme) | {"anchor": "y"},
        "yaxis": row_axis(window, place, place.batch, theme, title=True),
        "yaxis2": row_axis(window, place, place.mask, theme, numbered=False) | {"matches": "y"},
        "yaxis3": row_axis(window, place, place.left, theme) | {"matches": "y"},
    }
    if drawing.bars:
        axes["xaxis2"] = _bar_axis(drawing, 0, place.row_bars, "x") | {"anchor": "y3"}
        axes["yaxis4"] = _bar_axis(drawing, 1, place.column_bars, "y") | {"anchor": "x"}
    return axes


def _side_axes(drawing: "Drawing") -> Spec:
    window, place, theme = drawing.window, drawing.place, drawing.theme
    axes = {
        "yaxis": row_axis(window, place, place.batch, theme, title=True),
        "xaxis": time_axis(window, place, place.batch, theme),
        "xaxis2": time_axis(window, place, place.mask, theme) | {"matches": "x"},
        "xaxis3": time_axis(window, place, place.left, theme) | {"matches": "x"},
    }
    if drawing.bars:
        axes["xaxis4"] = _bar_axis(drawing, 0, place.row_bars, "x") | {"anchor": "y"}
        axes["yaxis2"] = _bar_axis(drawing, 1, place.column_bars, "y") | {"anchor": "x3"}
    return axes


def _bar_axis(drawing: "Drawing", which: int, box: Box, direction: str) -> Spec:
    place, pixels = drawing.place, box.width if direction == "x" else box.height
    return {
        "domain": place.domain_x(box) if direction == "x" else place.domain_y(box),
        "range": bar_range(drawing.bars[which], pixels),
        "visible": False,
        "fixedrange": True,
    }


def _names(drawing: "Drawing") -> list[Spec]:
    """The name of each heatmap with its operator: left of it where they are stacked, else above."""
    place, theme = drawing.place, drawing.theme
    notes = []
    for operator, name, box in zip(OPERATORS, drawing.names, (place.batch, place.mask, place.left), strict=True):
        if place.stacked:
            x, y, text = 30.0, box.top + box.height / 2, _wrapped(name)
            sign = note(place, operator, 10, y, theme.text, size=20, name="operator")
        else:
            x, y, text = box.left, box.top - 50, name
            sign = note(place, operator, box.left - 22, box.top + box.height / 2, theme.text, size=22, anchor="center")
        notes += [sign | {"name": "operator"}] if operator else []
        notes.append(note(place, text, x, y, theme.text, size=13, name="name"))
    return notes


def _wrapped(name: str) -> str:
    lines = [""]
    for word in name.split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if text_width(longer, 13) <= NAME_WIDTH else [*lines, word]
    return "<br>".join(line for line in lines if line)


def _totals(drawing: "Drawing") -> list[Spec]:
    """The names of the bars, their total, and the line that names the divisor."""
    if not drawing.bars:
        return []
    place, theme, quantity = drawing.place, drawing.theme, drawing.quantity
    rows, columns = place.row_bars, place.column_bars
    whole = quantity.form(total(drawing.analysis, quantity))
    left = 30.0 if place.stacked else 14.0
    named = "Σ over<br>sequences" if place.stacked else "Σ over sequences"
    at, anchor = (30.0, "left") if place.stacked else (columns.left - 8, "right")
    line, start = divisor_line(drawing.analysis, quantity), place.batch.left if place.stacked else left
    over_rows, over_columns = "Σ over timesteps", named
    if has_numbers(drawing.analysis, quantity):  # the bars are the results, those of one kind
        of = drawing.analysis.reduced_axes
        over_rows, over_columns = ("the numbers" if of == (axis,) else "" for axis in (1, 0))
        whole = ""
    notes = [
        note(place, over_rows, rows.left, rows.top - 10, theme.muted, name="bars"),
        note(place, over_columns, at, columns.bottom - 22, theme.muted, anchor=anchor, name="bars"),
        note(place, f"Σ {whole}", rows.left, columns.bottom - 22, theme.text, size=13, name="total"),
    ]
    notes = [each for each in notes if each["text"] not in ("", "Σ ")]
    line, size = _sized(line, place.width - start, may_break=not drawing.analysis.is_scalar)
    notes.append(note(place, line, start, place.line + 14, theme.text, size=size, name="divisor"))
    if place.stacked:
        notes.append(note(place, "÷", 10, place.line + 14, theme.text, size=20, name="operator"))
        notes.append(note(place, "divisor", left, place.line + 14, theme.text, size=13, name="name"))
    return notes


def _sized(line: str, room: float, *, may_break: bool) -> tuple[str, float]:
    """A line and its size; before its last "=" it is broken where it would be too small to read."""
    size = _size(line, room)
    if size >= TWO_LINES or not may_break:
        return line, size
    divisor, numbers = line.rsplit(" = ", 1)
    return f"{divisor}<br>= {numbers}", min(_size(divisor, room), _size(f"= {numbers}", room), HIGHEST)


def _size(line: str, room: float) -> float:
    """The size at which a line fits, 17 at most."""
    wide = text_width(_TAG.sub("", line), LINE_SIZE) * BOLD
    return LINE_SIZE if wide <= room else max(LINE_SIZE * room / wide, SMALLEST)


def _cell_shapes(drawing: "Drawing") -> list[Spec]:
    b, t = drawing.cell or (0, 0)
    return [
        {
            "type": "rect",
            "name": "cell",
            "xref": x,
            "yref": y,
            "x0": t - 0.5,
            "x1": t + 0.5,
            "y0": b - 0.5,
            "y1": b + 0.5,
            "line": {"width": 3, "color": drawing.theme.outline},
        }
        for x, y in drawing.axes
    ]

"""The elements around the heatmaps: the colour bar, the legend of marks, notes at pixel positions."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.figures._core.cells import Cells, glyph
from lossviz.figures._core.clipped import GLYPHS, is_dotted
from lossviz.figures._core.geometry import LEGEND_ROW, Geometry
from lossviz.figures._core.quantity import Quantity
from lossviz.figures._core.scale import Scale
from lossviz.figures._core.style import MARKS, Theme
from lossviz.figures._core.text import number, text_width

__all__ = ["Entry", "as_drawn", "colour_axis", "legend", "legend_rows", "mark_entries", "note"]

Array = np.ndarray
Spec = dict[str, Any]
SIZE, DOTS = 12, "::"
NICE = (1, 2, 2.5, 5)
TICK, LINE = 11, 14.5  # pixels: the type of a tick's label, and one line of it
BETWEEN = {True: 2.0, False: 6.0}  # pixels between two labels of an upright bar; of one that lies
TWO_LINES = 40.0  # pixels: on a shorter upright bar the label of a uniform guess is one line


@dataclass(frozen=True)
class Entry:
    """A line of the legend: its name, its glyph on its ground, its words."""

    name: str
    glyph: str
    ground: str
    ink: str
    words: str

    @property
    def swatch(self) -> float:
        """The width of the glyph's ground in pixels."""
        return max(22.0, text_width(self.glyph, 11) + 8)

    @property
    def width(self) -> float:
        """The whole entry in pixels, with the space after it."""
        return self.swatch + 6 + text_width(self.words, SIZE) + 16


def mark_entries(analysis: Analysis, quantity: Quantity, drawn: list[Cells], scale: Scale, theme: Theme) -> list[Entry]:
    """An entry for each mark that the heatmaps hold, and for values beyond the scale."""
    entries = []
    for mark, ground, ink in zip(MARKS, theme.marks, theme.mark_ink, strict=True):
        if any(cells.has(mark.name) for cells in drawn):
            entries.append(Entry(mark.name, glyph(analysis, mark), ground, ink, mark.words))
    ends = [10**end if quantity.logarithmic else end for end in (scale.low, scale.high)]
    first, last = (theme.scale[0], scale.last(theme))[:: 1 if quantity.best == "low" else -1]
    for sign, ground, word, end in ((1, last, "above", ends[1]), (-1, first, "below", ends[0])):
        if any((cells.clipped == sign).any() for cells in drawn):
            ink = theme.low_ink if ground == theme.scale[0] else theme.high_ink
            entries.append(Entry("clipped", GLYPHS[sign], ground, ink, f"clipped {word} {quantity.form(end)}"))
    return entries


def as_drawn(entries: list[Entry], clipped: list[Array], cell: tuple[float, float]) -> list[Entry]:
    """The entries with dots for values beyond the scale where the heatmaps have dots and no triangles."""
    dotted = any(is_dotted(signs, cell) for signs in clipped)
    return [replace(entry, glyph=DOTS) if dotted and entry.name == "clipped" else entry for entry in entries]


def legend_rows(entries: list[Entry], width: float) -> int:
    """How many lines the entries take."""
    return _flow(entries, width)[-1][1] + 1 if entries else 0


def legend(entries: list[Entry], place: Geometry, theme: Theme) -> list[Spec]:
    """The entries as annotations: a swatch and its words."""
    notes = []
    for entry, (x, row) in zip(entries, _flow(entries, place.width), strict=True):
        y = place.legend + LEGEND_ROW * (row + 0.5)
        swatch = note(place, entry.glyph, x, y, theme.muted, size=11, name=f"swatch:{entry.name}")
        notes.append(
            swatch
            | {"font": {"size": 11, "color": entry.ink}, "bgcolor": entry.ground, "bordercolor": theme.hatch}
            | {"borderwidth": 1, "borderpad": 1, "width": entry.swatch - 4, "align": "center"}
        )
        words = note(place, entry.words, x + entry.swatch + 6, y, theme.text, size=SIZE, name=f"legend:{entry.name}")
        notes.append(words)
    return notes


def note(
    place: Geometry,
    text: str,
    x: float,
    y: float,
    colour: str,
    *,
    size: float = 12,
    anchor: str = "left",
    name: str = "note",
) -> Spec:
    """A line of text at a pixel position, centred on it vertically."""
    return {
        "name": name,
        "text": text,
        "x": place.x(x),
        "y": place.y(y),
        "xref": "paper",
        "yref": "paper",
        "xanchor": anchor,
        "yanchor": "middle",
        "align": anchor,
        "showarrow": False,
        "font": {"size": size, "color": colour},
    }


def colour_axis(analysis: Analysis, quantity: Quantity, place: Geometry, scale: Scale, theme: Theme) -> Spec:
    """The scale of both heatmaps, with its bar: unit, round ticks, and ln V for losses."""
    box, stacked = place.colourbar, place.stacked
    length = box.height if stacked else box.width
    values, labels = _ticks(analysis, quantity, scale, length - 20 * stacked, stacked=stacked)
    bar = {
        "orientation": "v" if stacked else "h",
        "thickness": 12,
        "thicknessmode": "pixels",
        "len": length,
        "lenmode": "pixels",
        "x": place.x(box.left),
        "xanchor": "left",
        "xpad": 0,
        "y": place.y(box.top),
        "yanchor": "top",
        "ypad": 0,
        "outlinewidth": 1,
        "outlinecolor": theme.hatch,
        "tickmode": "array",
        "tickvals": values,
        "ticktext": labels,
        "tickfont": {"size": TICK, "color": theme.text},
        "ticks": "outside",
        "ticklen": 3,
        "tickcolor": theme.muted,
        "title": {"text": quantity.unit or quantity.title, "side": "top", "font": {"size": 11, "color": theme.text}},
    }
    return {
        "cmin": scale.low,
        "cmax": scale.high,
        "colorscale": scale.colours(theme),
        "reversescale": quantity.best == "high",
        "colorbar": bar,
    }


def _ticks(
    analysis: Analysis, quantity: Quantity, scale: Scale, length: float, *, stacked: bool
) -> tuple[list[float], list[str]]:
    """The ticks whose labels have room; the one of a uniform guess has it before the others."""
    low, high = scale.low, scale.high
    ticks = _round_ticks(quantity, low, high, length)
    uniform, name = quantity.guess_of(analysis), "2" if analysis.is_classifier else "V"
    if not quantity.logarithmic and quantity.beyond is not None and uniform is not None and low < uniform <= high:
        words = f"{number(uniform, 2)} = ln {name}"
        if not stacked or length >= TWO_LINES:
            words += ",<br>a uniform guess"
        at = (uniform - low) / (high - low) * length
        ticks = [(uniform, _inside(words, at, length) if stacked else words), *ticks]
    kept: list[tuple[float, str]] = []
    taken: list[tuple[float, float]] = []
    for value, words in ticks:
        start, end = _extent(words, (value - low) / (high - low) * length, stacked=stacked)
        if all(end + BETWEEN[stacked] <= first or last + BETWEEN[stacked] <= start for first, last in taken):
            kept.append((value, words))
            taken.append((start, end))
    return [value for value, _ in kept], [words for _, words in kept]


def _round_ticks(quantity: Quantity, low: float, high: float, length: float) -> list[tuple[float, str]]:
    if quantity.logarithmic:
        return [(float(p), f"{10**p:,}") for p in range(int(np.ceil(low)), int(np.floor(high)) + 1)]
    step = _nice((high - low) / max(2, min(6, length / 30)))
    values = np.arange(np.ceil(low / step), np.floor(high / step + 1e-9) + 1) * step
    return [(float(value), _tick(quantity, float(value))) for value in values]


def _inside(words: str, at: float, length: float) -> str:
    """Two lines beside a tick, moved so as not to leave the bar: an empty third line moves them by half of one."""
    if words.count("<br>") == 0 or LINE <= at <= length - LINE:
        return words
    return f"<br>{words}" if at > length - LINE else f"{words}<br>"


def _extent(words: str, at: float, *, stacked: bool) -> tuple[float, float]:
    """The pixels along the bar that a label takes at a tick, from the low end.

    >>> _extent("5", 100, stacked=True), _extent("<br>1.79 = ln V,<br>a uniform guess", 100, stacked=True)
    ((92.75, 107.25), (78.25, 107.25))
    """
    lines = words.split("<br>")
    if not stacked:
        half = max(text_width(line, TICK) for line in lines) / 2
        return at - half, at + half
    top = at + LINE * len(lines) / 2
    filled = [place for place, line in enumerate(lines) if line]
    return top - LINE * (filled[-1] + 1), top - LINE * filled[0]


def _tick(quantity: Quantity, value: float) -> str:
    return f"{value:.4%}".rstrip("0%").rstrip(".") + "%" if quantity.name == "share" and value else f"{value:g}"


def _nice(step: float) -> float:
    power = 10.0 ** np.floor(np.log10(step))
    return float(next(n for n in (*(m * power for m in NICE), 10 * power) if n >= step * 0.999))


def _flow(entries: list[Entry], width: float) -> list[tuple[float, int]]:
    """Where each entry starts, and on which line."""
    at, x, row = [], 14.0, 0
    for entry in entries:
        if x > 14 and x + entry.width > width:
            x, row = 14.0, row + 1
        at.append((x, row))
        x += entry.width
    return at

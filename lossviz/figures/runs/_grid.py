"""A heatmap of losses with its words and marks: rows of sequences or steps, columns of timesteps."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lossviz.digits import number
from lossviz.figures._core.cells import Window
from lossviz.figures._core.clipped import beyond
from lossviz.figures._core.frame import figure
from lossviz.figures._core.style import FLIP, MARKS, Theme
from lossviz.figures._core.text import ellipsis, text_width
from lossviz.figures._core.traces import heatmap, marks, texts
from lossviz.figures.runs._panel import panel

__all__ = ["PAD", "UNRECORDED", "Grid", "sequential_end"]

Array = np.ndarray
Spec = dict[str, Any]
AXES = ("x", "y")
CODES = {mark.name: mark.code for mark in MARKS}
PAD, NAN, UNRECORDED = CODES["pad"], CODES["nan"], CODES["unrecorded"]
TOP, FOOT, RIGHT, WORD, MOST_WORDS = 58.0, 14.0, 84.0, 34.0, 1500
_COLUMN, _LABEL = 40.0, 22.0  # pixels between labels of columns and of rows


@dataclass(frozen=True)
class Grid:
    """What to draw.

    Attributes:
        z: [R, C], the values; NaN where a mark stands.
        codes: [R, C], a mark of `MARKS` or 0.
        title: of the figure; `axis`: over the columns; `bar`: over the colour bar.
        rows: a label for each row; `left`: the pixels that they have.
        columns: the number of each column.
        words: [R][C], what stands in a cell where there is room.
        hover: [R][C], what is said of a cell.
        end: of the colour scale, in the unit of `z`; the scale of differences runs to −end.
        diverging: whether the values are differences, drawn around 0 by the root of their size.
        row: the height of a row in pixels.
        named: the token of each column, where all rows have the same; it stands over the column where there is room.
    """

    z: Array
    codes: Array
    title: str
    axis: str
    bar: str
    rows: list[str]
    left: float
    columns: Array
    words: list[list[str]]
    hover: list[list[str]]
    end: float
    diverging: bool = False
    row: float = 24.0
    named: list[str] | None = None

    def draw(self, width: float, theme: Theme) -> go.Figure:
        """The figure; its cells can be selected, a row by its place from 0 and a column by its number."""
        count, timesteps = self.z.shape
        height = TOP + self.row * count + FOOT
        frame = panel(self.title, (width, height), (self.left, RIGHT, TOP, FOOT), theme)
        cell = (width - self.left - RIGHT) / max(timesteps, 1), self.row
        window = Window(0, count, int(self.columns[0]), int(self.columns[0]) + timesteps)
        frame["xaxis"] |= self._column_axis(cell[0], theme)
        frame["yaxis"] |= self._row_axis(theme)
        frame["coloraxis"] = self._colours(width, height, theme)
        drawn = self._scaled(self.z)
        data = [
            *marks(self.codes, window, AXES, cell, theme),
            heatmap(drawn, window, AXES, cell, name="loss", coloraxis="coloraxis", text=self.hover, **_HOVERED),
            *self._texts(drawn, window, cell[0], theme),
            *beyond(
                self._beyond(), window, AXES, cell, (theme.high_ink, theme.high_ink), corner=self._has_words(cell[0])
            ),
        ]
        return figure(data, frame)

    def _scaled(self, values: Array) -> Array:
        with np.errstate(invalid="ignore"):
            return np.sign(values) * np.sqrt(np.abs(values)) if self.diverging else values

    def _beyond(self) -> Array:
        """1 where a value lies above the scale, −1 below that of differences."""
        above, below = self.z > self.end, self.diverging & (self.z < -self.end)
        return above.astype(np.int8) - below.astype(np.int8)

    def _has_words(self, cell: float) -> bool:
        return cell >= WORD and self.z.size <= MOST_WORDS and self.row >= 16

    def _texts(self, drawn: Array, window: Window, cell: float, theme: Theme) -> list[Spec]:
        if not self._has_words(cell):
            return []
        far = np.abs(drawn) >= FLIP * float(self._scaled(np.array(self.end)))
        specs = []
        for name, where, ink in (("near", ~far, theme.low_ink), ("far", far, theme.high_ink)):
            at = np.argwhere(where & (self.codes == 0))
            words = [ellipsis(self.words[r][c], cell - 6, 11) for r, c in at]
            if words:
                x, y = window.timesteps[at[:, 1]].astype(np.float32), at[:, 0].astype(np.float32)
                specs.append(texts(name, x, y, words, ink, AXES, 11))
        return specs

    def _column_axis(self, cell: float, theme: Theme) -> Spec:
        every = 1 if cell >= WORD else int(np.ceil(_COLUMN / max(cell, 0.1)))
        places = self.columns[::every]
        title = {"text": self.axis, "font": {"size": 12, "color": theme.muted}, "standoff": 2}
        ends = [float(self.columns[0]) - 0.5, float(self.columns[-1]) + 0.5]
        words = [str(place) for place in places]
        if self.named is not None and cell >= WORD:
            words = [
                ellipsis(token, cell - 4, 11) or str(place) for token, place in zip(self.named, places, strict=True)
            ]
        ticks = {"tickvals": places, "ticktext": words, "ticks": ""}
        return {"side": "top", "range": ends, "title": title, **ticks}

    def _row_axis(self, theme: Theme) -> Spec:
        every = max(1, int(np.ceil(_LABEL / self.row)))
        places = list(range(0, len(self.rows), every))
        words = [self.rows[place] for place in places]
        font = {"size": 12, "color": theme.text}
        ticks = {"tickvals": places, "ticktext": words, "ticks": "", "tickfont": font}
        return {"range": [len(self.rows) - 0.5, -0.5], **ticks}

    def _colours(self, width: float, height: float, theme: Theme) -> Spec:
        end = float(self._scaled(np.array(self.end)))
        values = [-self.end, 0.0, self.end] if self.diverging else [0.0, self.end / 2, self.end]
        places = [float(self._scaled(np.array(value))) for value in values]
        words = [number(value, 2) for value in values]
        clipped = self._beyond()
        words[-1] = f"▲ ≥ {words[-1]}" if (clipped > 0).any() else words[-1]
        words[0] = f"▼ ≤ {words[0]}" if (clipped < 0).any() else words[0]
        small = {"size": 11, "color": theme.text}
        bar = {
            "x": 1 - (RIGHT - 14) / width,
            "xanchor": "left",
            "y": FOOT / height,
            "yanchor": "bottom",
            "len": min(height - TOP - FOOT, 260.0),
            "lenmode": "pixels",
            "thickness": 10,
            "xpad": 0,
            "ypad": 0,
            "outlinewidth": 1,
            "outlinecolor": theme.hatch,
            "tickvals": places,
            "ticktext": words,
            "tickfont": small,
            "title": {"text": self.bar, "font": small},
        }
        scale = theme.diverging if self.diverging else theme.colorscale
        return {"cmin": -end if self.diverging else 0.0, "cmax": end, "colorscale": scale, "colorbar": bar}


_HOVERED = {"hovertemplate": "%{text}<extra></extra>", "meta": {"select": True}}


def sequential_end(values: Array) -> float:
    """Where a scale from 0 ends: three standard deviations above the mean, at most the largest value.

    >>> sequential_end(np.array([1.0, 1.0, np.nan]))
    1.0
    """
    finite = values[np.isfinite(values)]
    if not finite.size or finite.max() <= 0:
        return 1.0
    return float(min(finite.mean() + 3 * finite.std(), finite.max()))


def label_width(labels: list[str]) -> float:
    """The pixels that the widest label needs, 14 to 230."""
    return min(max((text_width(label, 12) for label in labels), default=0.0) + 20, 230.0)

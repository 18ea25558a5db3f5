"""Everything that the equation needs before any part is drawn: cells, scale, places, bars, legend."""

from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.figures._core.cells import Cells, Window, first_cells, left_cells, mask_cells
from lossviz.figures._core.geometry import MOST_WORDS, SIDE_BY_SIDE, place
from lossviz.figures._core.hover import hover
from lossviz.figures._core.legend import Entry, as_drawn, legend_rows, mark_entries
from lossviz.figures._core.quantity import Quantity
from lossviz.figures._core.style import Theme
from lossviz.figures._core.sums import column_bars, row_bars
from lossviz.figures._core.traces import Axes

__all__ = ["Drawing"]

Array = np.ndarray


class Drawing:
    """The parts of one equation.

    Attributes:
        first: the cells before the mask; `left`: after it; `weights` and `odd`: the mask's shades and odd weights.
        scale: the colour scale.
        reads: whether what a classifier reads is outlined; `reads_under`: whether a decoder's inputs are in the cells.
        place: where everything stands; `axes`: the Plotly axes of the three heatmaps; `names`: their names.
        entries: the legend; `bars`: the sums, none where a sum means nothing; `hover`: what the pointer shows.
    """

    def __init__(
        self,
        analysis: Analysis,
        quantity: Quantity,
        window: Window,
        cell: tuple[int, int] | None,
        highlight: Array | None,
        theme: Theme,
        width: float,
    ) -> None:
        self.analysis, self.quantity, self.window, self.theme, self.cell = analysis, quantity, window, theme, cell
        # A classifier reads one timestep of each sequence: it is outlined unless something else is.
        self.reads = analysis.is_classifier and (highlight is None or np.array_equal(highlight, analysis.mask))
        highlight = analysis.mask if self.reads else highlight
        self.highlight = None if highlight is None else window.of(highlight)
        # What a decoder read stands under what it must say.
        decoder = analysis.settings.reduction == "encoder_decoder" and analysis.batch.inputs is not None
        self.reads_under = decoder and max(window.shape) <= MOST_WORDS and window.shape[0] <= SIDE_BY_SIDE
        self.scale = quantity.scale_of(analysis)
        self.first = first_cells(analysis, quantity, window, self.scale)
        self.left = left_cells(analysis, quantity, window, self.scale)
        self.weights, self.odd = mask_cells(analysis, window)
        self.entries = self._entries()
        self.place = place(
            *window.shape,
            width,
            sums=quantity.sums,
            digits=len(str(window.row1 - 1)),
            legend_rows=legend_rows(self.entries, width),
            two_lines=self.reads_under,
        )
        self.entries = as_drawn(self.entries, [self.first.clipped, self.left.clipped], self.place.cell)
        self.hover: dict[str, Any] | None = hover(analysis, window)
        self.bars = (
            [build(analysis, quantity, window, self.place, theme) for build in (row_bars, column_bars)]
            if quantity.sums
            else []
        )

    @property
    def axes(self) -> tuple[Axes, Axes, Axes]:
        """The x and y axis of the three heatmaps: one time axis where they are stacked, else one sequence axis."""
        if self.place.stacked:
            return ("x", "y"), ("x", "y2"), ("x", "y3")
        return ("x", "y"), ("x2", "y"), ("x3", "y")

    @property
    def names(self) -> tuple[str, str, str]:
        """The names of the three heatmaps."""
        title, left = self.quantity.title, self.quantity.left
        last = left if self.quantity.name == "loss" else f"{title} {left}"
        if self.analysis.is_classifier:
            return f"{title}, if read", "what is read", last
        return title, "mask", last

    def _entries(self) -> list[Entry]:
        theme = self.theme
        odd = Cells(self.weights, self.weights, self.odd, np.zeros(self.odd.shape, np.int8))
        entries = mark_entries(self.analysis, self.quantity, [self.first, self.left, odd], self.scale, theme)
        if ((self.weights > 0) & (self.weights < 1)).any():
            entries.append(Entry("fraction", "½", theme.counts, theme.mark_ink[1], "darker mask, larger weight"))
        if self.reads_under:
            entries.append(Entry("reads", "a", theme.page, theme.text, "below, in small: what the decoder read"))
        if self.highlight is not None and self.highlight.any():
            words = "the timestep that is read" if self.reads else "outlined timesteps"
            entries.append(Entry("highlight", "▭", theme.page, theme.highlight, words))
        return entries

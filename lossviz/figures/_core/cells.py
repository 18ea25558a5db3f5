"""Which mark each cell carries, and what is left to draw in colour."""

from dataclasses import dataclass

import numpy as np

from lossviz.analysis import Analysis
from lossviz.errors import InputError
from lossviz.figures._core.quantity import LARGEST_DRAWN, Quantity
from lossviz.figures._core.scale import Scale
from lossviz.figures._core.style import MARKS, Mark

__all__ = ["CODE", "Cells", "Window", "first_cells", "glyph", "left_cells", "mask_cells", "window_of"]

Array = np.ndarray
CODE = {mark.name: mark.code for mark in MARKS}


@dataclass(frozen=True)
class Window:
    """The rows and timesteps that are shown; ends are exclusive."""

    row0: int
    row1: int
    t0: int
    t1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and timesteps."""
        return self.row1 - self.row0, self.t1 - self.t0

    @property
    def rows(self) -> Array:
        """The true row numbers."""
        return np.arange(self.row0, self.row1, dtype=np.int32)

    @property
    def timesteps(self) -> Array:
        """The true timestep numbers."""
        return np.arange(self.t0, self.t1, dtype=np.int32)

    def of(self, array: Array) -> Array:
        """The part of a [B, T] array that is shown."""
        part: Array = array[self.row0 : self.row1, self.t0 : self.t1]
        return part


@dataclass(frozen=True)
class Cells:
    """One heatmap: `values` as they are, `z` float32 for the colour scale (NaN where a mark stands), `codes` of marks.

    `clipped` is 1 where a value lies above the scale, −1 below it.
    """

    values: Array
    z: Array
    codes: Array
    clipped: Array

    def has(self, name: str) -> bool:
        """Whether any cell carries that mark."""
        return bool((self.codes == CODE[name]).any())


def window_of(analysis: Analysis, window: tuple[int, int, int, int] | None) -> Window:
    """The window as asked for, or the whole batch.

    Raises:
        InputError: if it does not lie in the batch.
    """
    rows, timesteps = analysis.batch_loss.shape
    if window is None:
        return Window(0, rows, 0, timesteps)
    row0, row1, t0, t1 = (int(edge) for edge in window)
    if not (0 <= row0 <= row1 <= rows and 0 <= t0 <= t1 <= timesteps):
        raise InputError(
            f"`window` must be (row0, row1, t0, t1) within {rows} sequences × {timesteps} timesteps, ends exclusive; "
            f"got ({row0}, {row1}, {t0}, {t1})."
        )
    return Window(row0, row1, t0, t1)


def first_cells(analysis: Analysis, quantity: Quantity, window: Window, scale: Scale) -> Cells:
    """The quantity before the mask: every timestep, padding too."""
    values = window.of(quantity.values(analysis))
    # An odd weight invalidates the loss after the mask, not the one before it.
    senseless = window.of(analysis.invalid) & (~window.of(analysis.odd_weights) | ~np.isfinite(values))
    codes = np.where(senseless, CODE["invalid"], 0)
    # Loops write −100 where nothing is to be learned: that its loss is NaN is no news.
    ignored = window.of(analysis.batch.targets == analysis.batch.ignore_id) & ~window.of(analysis.mask)
    codes = np.where(ignored & np.isnan(values) & (codes == 0), CODE["ignored"], codes)
    return _cells(quantity, values, _unrecorded(analysis, window, values, codes), scale)


def left_cells(analysis: Analysis, quantity: Quantity, window: Window, scale: Scale) -> Cells:
    """The quantity after the mask: what does not count is padding."""
    values = window.of(quantity.counted(analysis))
    codes = np.where(window.of(analysis.invalid), CODE["invalid"], 0)
    codes = _unrecorded(analysis, window, values, codes)
    return _cells(quantity, values, np.where(window.of(analysis.mask), codes, CODE["pad"]), scale)


def _unrecorded(analysis: Analysis, window: Window, values: Array, codes: Array) -> Array:
    """Without logits, NaN means not recorded; a masked target that is no class never had a loss to record."""
    if analysis.has_logits:
        return codes
    masked = ~window.of(analysis.mask) & ~window.of(analysis.is_class)
    marked: Array = np.where(np.isnan(values) & ((codes == 0) | masked), CODE["unrecorded"], codes)
    return marked


def mask_cells(analysis: Analysis, window: Window) -> tuple[Array, Array]:
    """The weights from 0 to 1 (of the largest), NaN where odd, uint8 where all are 0 or 1; and the odd ones' codes."""
    weights = window.of(analysis.weights)
    odd = window.of(analysis.odd_weights)
    largest = float(analysis.weights.max(initial=1.0))
    if largest > 1:
        largest = float(analysis.weights.max(initial=1.0, where=~analysis.odd_weights))
    codes = np.where(odd, CODE["invalid"], 0).astype(np.uint8)
    plain = (weights == 0) | (weights == 1)
    if largest == 1 and plain.all():
        return weights.astype(np.uint8), codes
    return np.where(odd, np.nan, weights / largest).astype(np.float32), codes


def glyph(analysis: Analysis, mark: Mark = MARKS[0]) -> str:
    """The text of a cell that carries a mark, by default of one that does not count.

    That is "pad" if the mask leaves out padding, "off" if it may leave out more. In a classifier, most timesteps that
    do not count are real but not read: "–". An ignored label stands for itself, such as "−100".
    """
    if mark.code == CODE["ignored"]:
        return str(analysis.batch.ignore_id).replace("-", "−")
    if mark.code != CODE["pad"]:
        return mark.glyph
    if analysis.is_classifier:
        return "–"
    return "pad" if analysis.mask_name in ("lengths", "nonpad") else "off"


def _cells(quantity: Quantity, values: Array, codes: Array, scale: Scale) -> Cells:
    values = np.asarray(values, np.float64)
    coloured = quantity.colour_value(values)
    free = codes == 0
    codes = np.select(
        [free & (values == np.inf), free & (values == -np.inf), free & np.isnan(coloured)],
        [CODE["plus_inf"], CODE["minus_inf"], CODE["nan"]],
        codes,
    ).astype(np.uint8)
    z = np.clip(np.where(codes == 0, coloured, np.nan), -LARGEST_DRAWN, LARGEST_DRAWN).astype(np.float32)
    return Cells(values, z, codes, scale.clipped(z))

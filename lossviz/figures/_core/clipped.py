"""What tells values beyond the ends of a colour scale from those at its ends: triangles, or dots in small cells."""

from typing import Any

import numpy as np

from lossviz.figures._core.cells import Window
from lossviz.figures._core.quantity import Quantity
from lossviz.figures._core.style import Theme
from lossviz.figures._core.traces import Axes, hatch, texts

__all__ = ["GLYPHS", "beyond", "end_inks", "is_dotted"]

Array = np.ndarray
Spec = dict[str, Any]
GLYPHS = {1: "▲", -1: "▼"}
MOST, LEAST = 600, 9  # triangles; pixels of a cell that has one


def beyond(
    clipped: Array, window: Window, axes: Axes, cell: tuple[float, float], inks: tuple[str, str], *, corner: bool
) -> list[Spec]:
    """A triangle on every value that the colour scale ends before; dots where the cells are too small, or too many.

    Args:
        clipped: [R, C], 1 where a value lies above the scale, −1 below it.
        window: where the cells are.
        axes: of their heatmap.
        cell: the size of one in pixels.
        inks: on the upper end of the scale, and on the lower one.
        corner: whether words stand in the cells.
    """
    at = np.argwhere(clipped != 0)
    if not len(at):
        return []
    if is_dotted(clipped, cell):
        ends = zip(("beyond", "below"), (clipped > 0, clipped < 0), inks, strict=True)
        return [spec for name, where, ink in ends for spec in hatch(name, where, ".", ink, window, axes)]
    x, y = (at[:, 1] + window.t0).astype(np.float32), (at[:, 0] + window.row0).astype(np.float32)
    signs = clipped[tuple(at.T)].tolist()
    text, ink = [GLYPHS[sign] for sign in signs], [inks[sign < 0] for sign in signs]
    if not corner:
        return [texts("clipped", x, y, text, ink, axes, 9)]
    place = {"x": x + np.float32(0.5), "y": y - np.float32(0.3), "textposition": "middle left"}
    return [texts("clipped", x, y, text, ink, axes, 7) | place]


def is_dotted(clipped: Array, cell: tuple[float, float]) -> bool:
    """Whether values beyond the scale are marked by dots."""
    count = int(np.count_nonzero(clipped))
    return count > 0 and (count > MOST or min(cell) < LEAST)


def end_inks(quantity: Quantity, theme: Theme) -> tuple[str, str]:
    """What reads on the upper end of a quantity's scale, and on the lower one."""
    near, far = theme.low_ink, theme.high_ink
    return (far, near) if quantity.best == "low" else (near, far)

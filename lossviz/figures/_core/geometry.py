"""Where the parts of the equation stand, in pixels from the top left corner."""

from dataclasses import dataclass

__all__ = ["MOST_WORDS", "SIDE_BY_SIDE", "Box", "Geometry", "alone", "place"]

SIDE_BY_SIDE = 24  # sequences up to which the heatmaps stand side by side
MOST_WORDS = 24  # sequences and timesteps up to which words stand in the cells
TITLE, AXIS, GAP, LINE, LEGEND_ROW = 32, 40, 18, 36, 24
ROW, MASK_ROW, THIN, FEW, BARS, COLOURBAR_ROW = 26.0, 16.0, 8.0, 8, 56, 74
SECOND = 10.0  # pixels: what a second line in the cells of the first heatmap takes
RIGHT, NAMES = 150, 124
MASK_SHARE = 0.45


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels from the top left corner of the figure."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height

    def below(self, gap: float, height: float) -> "Box":
        """A box of the same width under it."""
        return Box(self.left, self.bottom + gap, self.width, height)

    def beside(self, gap: float, width: float) -> "Box":
        """A box of the same height to its right."""
        return Box(self.right + gap, self.top, width, self.height)


@dataclass(frozen=True)
class Geometry:
    """The boxes of the equation; `stacked` or side by side; `cell` is the width and height of one cell."""

    width: float
    height: float
    stacked: bool
    batch: Box
    mask: Box
    left: Box
    row_bars: Box
    column_bars: Box
    colourbar: Box
    line: float
    legend: float
    cell: tuple[float, float]

    def x(self, pixel: float) -> float:
        """Pixels from the left as Plotly's paper coordinate."""
        return pixel / self.width

    def y(self, pixel: float) -> float:
        """Pixels from the top as Plotly's paper coordinate, which grows upwards."""
        return 1 - pixel / self.height

    def domain_x(self, box: Box) -> list[float]:
        """The horizontal extent of a box in paper coordinates."""
        return [self.x(box.left), self.x(box.right)]

    def domain_y(self, box: Box) -> list[float]:
        """The vertical extent of a box in paper coordinates."""
        return [self.y(box.bottom), self.y(box.top)]


def place(
    rows: int, columns: int, width: float, *, sums: bool, digits: int, legend_rows: int, two_lines: bool = False
) -> Geometry:
    """Lay the equation out for a grid: stacked up to 24 rows, else side by side.

    Args:
        rows: of the grid.
        columns: of the grid.
        width: of the figure, in pixels.
        sums: whether there are bars, and the line that names the divisor.
        digits: of the longest row number.
        legend_rows: how many lines the legend has.
        two_lines: whether two lines stand in each cell of the first heatmap; side by side, one does.

    >>> g = place(6, 14, 1160, sums=True, digits=1, legend_rows=1)
    >>> g.stacked, round(g.cell[0]), g.batch.width == g.left.width, g.left.top > g.mask.bottom
    (True, 63, True, True)
    """
    width = max(width, 360.0)
    if rows > SIDE_BY_SIDE:
        return _side_by_side(rows, columns, width, sums=sums, digits=digits, legend_rows=legend_rows)
    second = SECOND if two_lines else 0.0
    return _stacked(rows, columns, width, sums=sums, digits=digits, legend_rows=legend_rows, second=second)


def alone(
    rows: int,
    columns: int,
    width: float,
    *,
    digits: int,
    legend_rows: int,
    height: float | None = None,
    right: float = RIGHT,
) -> Geometry:
    """Lay out one heatmap of a grid, with its colour bar and legend; every box of the equation is that one."""
    width, left = max(width, 360.0), 44.0 + 7 * digits
    box = Box(left, TITLE + AXIS, width - left - right, height or min(max(90.0, 2.0 * rows), 300.0))
    legend = box.bottom + 12
    return Geometry(
        width=width,
        height=legend + LEGEND_ROW * legend_rows + 8,
        stacked=True,
        batch=box,
        mask=box,
        left=box,
        row_bars=box,
        column_bars=box,
        colourbar=Box(box.right + 14, box.top, 12, box.height),
        line=legend,
        legend=legend,
        cell=(box.width / columns, box.height / rows),
    )


def _stacked(
    rows: int, columns: int, width: float, *, sums: bool, digits: int, legend_rows: int, second: float
) -> Geometry:
    # Eight rows, their mask with its numbers and the divisor fit on the first screen at 1280 × 800.
    row = max(ROW - min(max(0, rows - 4), 4) - max(0, rows - 12) / 6, 60 / rows)
    left = NAMES + 7.0 * max(0, digits - 2)
    batch = Box(left, TITLE + AXIS, width - left - RIGHT, (row + second) * rows)
    mask = batch.below(GAP, max((MASK_ROW if rows <= FEW else THIN) * rows, 18))
    unpadded = mask.below(GAP, row * rows)
    bars = unpadded.below(10, BARS if sums else 0)
    line = bars.bottom + 8
    legend = line + (LINE if sums else 6)
    return Geometry(
        width=width,
        height=legend + LEGEND_ROW * legend_rows + 8,
        stacked=True,
        batch=batch,
        mask=mask,
        left=unpadded,
        row_bars=unpadded.beside(12, RIGHT - 20),
        column_bars=bars,
        colourbar=Box(batch.right + 14, batch.top, 12, mask.bottom - batch.top - 6),
        line=line,
        legend=legend,
        cell=(batch.width / columns, row),
    )


def _side_by_side(rows: int, columns: int, width: float, *, sums: bool, digits: int, legend_rows: int) -> Geometry:
    row = max(620 / rows, 1.0) if rows > 40 else 15.5
    left, gap, right = 40.0 + 7 * digits, 44.0, (120.0 if sums else 16.0)
    unit = (width - left - right - 2 * gap) / (2 + MASK_SHARE)
    batch = Box(left, TITLE + 26 + AXIS, unit, row * rows)
    mask = batch.beside(gap, unit * MASK_SHARE)
    unpadded = mask.beside(gap, unit)
    bars = unpadded.below(10, BARS if sums else 0)
    line = batch.bottom + 10 + max(COLOURBAR_ROW, bars.height)
    legend = line + (LINE if sums else 6)
    return Geometry(
        width=width,
        height=legend + LEGEND_ROW * legend_rows + 8,
        stacked=False,
        batch=batch,
        mask=mask,
        left=unpadded,
        row_bars=unpadded.beside(12, right - 20),
        column_bars=bars,
        colourbar=Box(batch.left, batch.bottom + 16, min(batch.width, 320), 12),
        line=line,
        legend=legend,
        cell=(unit / columns, row),
    )

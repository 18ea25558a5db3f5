"""Two batches of the same sequences: the difference of each timestep's loss, around 0."""

import numpy as np
import plotly.graph_objects as go

from lossviz.digits import number
from lossviz.figures._core.frame import empty
from lossviz.figures._core.style import theme_named
from lossviz.figures._core.text import plotly_text
from lossviz.figures.runs._grid import PAD, UNRECORDED, Grid
from lossviz.runs import Comparison

__all__ = ["difference_map"]

HEIGHT, LARGEST, SMALLEST = 620.0, 26.0, 4.0


def difference_map(comparison: Comparison, *, theme: str = "light", width: float = 1000) -> go.Figure:
    """Draw the loss in b less the loss in a; blue where b is better, brown where it is worse. Cells can be selected.

    Args:
        comparison: of `lossviz.runs.compare`.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the theme does not exist.

    >>> from lossviz import Batch
    >>> from lossviz.runs import compare
    >>> a, b = (Batch.from_arrays(losses=losses, targets=[[1, 2]]) for losses in ([[1.0, 4.0]], [[2.0, 0.0]]))
    >>> difference_map(compare(a, b)).data[0].z.tolist()  # the root of 1 and of −4: tails must not blind
    [[1.0, -2.0]]
    """
    colours = theme_named(theme)
    if not comparison.losses.size:
        return empty("There is no timestep to compare.", width, colours)
    z, batch = comparison.losses, comparison.a.batch
    rows, columns = z.shape
    codes = np.where(~comparison.counts, PAD, np.where(np.isnan(z), UNRECORDED, 0)).astype(np.uint8)
    words = [[batch.token(int(target)) for target in row] for row in batch.targets]
    hover = [[_said(comparison, b, t, words[b][t]) for t in range(columns)] for b in range(rows)]
    finite = np.abs(z[np.isfinite(z)])
    return Grid(
        z=z,
        codes=codes,
        title="Loss in B less loss in A",
        axis="timestep",
        bar="B − A, nats",
        rows=[str(row) for row in comparison.rows],
        left=44.0,
        columns=np.arange(columns),
        words=words,
        hover=hover,
        end=(float(np.quantile(finite, 0.99)) if finite.size else 0.0) or 1.0,
        diverging=True,
        row=min(max(HEIGHT / rows, SMALLEST), LARGEST),
    ).draw(width, colours)


def _said(comparison: Comparison, b: int, t: int, token: str) -> str:
    one, other = (float(analysis.batch_loss[b, t]) for analysis in (comparison.a, comparison.b))
    lines = [f"<b>{plotly_text(token)}</b>, sequence {comparison.rows[b]}, timestep {t}"]
    if not comparison.counts[b, t]:
        return "<br>".join([*lines, "counts in neither"])
    lines += [f"A {number(one)}, B {number(other)}", f"adds {number(float(comparison.cells[b, t]))} to the difference"]
    return "<br>".join(lines)

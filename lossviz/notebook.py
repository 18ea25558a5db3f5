"""HTML for notebooks: the paragraphs and tables with which a Batch, an Analysis and a Diagnosis show themselves.

Works on plain values, so that it stands below the classes that use it; every text is escaped here.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from lossviz.digits import number_text

__all__ = ["described", "paragraph", "sequences", "table"]

MOST_ROWS = 20


def paragraph(text: object, *, bold: bool = False) -> str:
    """A paragraph of escaped text.

    >>> paragraph("a < b", bold=True)
    '<p><b>a &lt; b</b></p>'
    """
    return f"<p><b>{escape(str(text))}</b></p>" if bold else f"<p>{escape(str(text))}</p>"


def table(rows: Iterable[Sequence[object]], *, head: Sequence[str] = (), named: bool = False) -> str:
    """A table of escaped cells; the rows in the middle of a long table are left out, with a mark in their place.

    Args:
        rows: the cells of each row.
        head: the names of the columns, or none.
        named: whether the first cell of a row is its name.

    >>> table([["logits", "float32 (2, 3)"]], named=True)
    '<table><tr><th>logits</th><td>float32 (2, 3)</td></tr></table>'
    """
    rows = list(rows)
    if len(rows) > MOST_ROWS:
        half = MOST_ROWS // 2
        rows = [*rows[:half], ["…"] * len(rows[0]), *rows[-half:]]
    lines = [_row(head, ["th"] * len(head))] if head else []
    lines += [_row(row, ["th" if named and not at else "td" for at in range(len(row))]) for row in rows]
    return f"<table>{''.join(lines)}</table>"


def sequences(unpadded_loss: np.ndarray, weights: np.ndarray) -> str:
    """A table with a row for each sequence: its unmasked timesteps, Σ w, Σ w·loss and the quotient of the two.

    >>> sequences(np.array([[1.0, 2.0, 0.0]]), np.array([[1.0, 1.0, 0.0]]))[-78:]
    '<td>0</td><td>2</td><td>2.0000</td><td>3.0000</td><td>1.5000</td></tr></table>'
    """
    sums, totals, counts = unpadded_loss.sum(axis=1), weights.sum(axis=1), np.count_nonzero(weights, axis=1)
    with np.errstate(all="ignore"):
        means = np.where(totals == 0, 0.0, sums / totals)
    rows = [
        (f"{at}", f"{counts[at]:,}", *map(number_text, row))
        for at, row in enumerate(zip(totals, sums, means, strict=True))
    ]
    return table(rows, head=("sequence", "unmasked", "weight", "unpadded_loss", "mean_loss"))


def described(value: Any) -> str:
    """An array by its dtype and shape, a tuple of tokens by how many there are, anything else as text.

    >>> described(np.zeros((2, 3))), described(("a", "b")), described(0)
    ('float64 (2, 3)', '2 tokens', '0')
    """
    if hasattr(value, "shape"):
        return f"{value.dtype.name} {value.shape}"
    return f"{len(value)} tokens" if isinstance(value, tuple) else str(value)


def _row(cells: Sequence[object], tags: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{t}>{escape(str(cell))}</{t}>' for t, cell in zip(tags, cells, strict=True))}</tr>"

"""What a browser needs to draw the equation again by itself, while the user's hand changes the mask."""

from base64 import b64encode
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.figures._core.cells import glyph, window_of
from lossviz.figures._core.style import MARKS, theme_named
from lossviz.figures._core.sums import divisor_words
from lossviz.reductions import follow

__all__ = ["live_equation"]

Array = np.ndarray


def live_equation(
    analysis: Analysis, *, window: tuple[int, int, int, int] | None = None, theme: str = "light"
) -> dict[str, Any]:
    """The numbers from which the unpadded loss, the sums and the number follow under another mask, as JSON.

    Losses and weights of the timesteps that are shown are base64 of float64, [rows × columns] in order; what lies
    outside of the window is added up. `divisor` is None where only the server can tell the number.

    Args:
        analysis: every number of a batch, [B, T].
        window: (row0, row1, t0, t1), the part that is shown, ends exclusive; by default all of it.
        theme: "light" or "dark".

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])
    >>> live = live_equation(analyze(batch))
    >>> live["shape"], live["divisor"]["weights"], live["words"]["ones"], live["outside"]["total"]["sum"]
    ([2, 2], 1.0, 'timesteps that count', 0.0)
    """
    part, colours = window_of(analysis, window), theme_named(theme)
    weights, undefined = analysis.weights, analysis.invalid & ~analysis.odd_weights
    losses = np.where(undefined, np.nan, analysis.batch_loss)
    whole = part.shape == weights.shape
    divisor = None
    if analysis.is_scalar and not analysis.is_classifier:
        divisor = follow(analysis.reduction, weights.shape, analysis.settings.options)
        if divisor is not None and divisor.axis is not None and not whole:
            divisor = None  # the means of what is not shown would be needed, too
    return {
        "shape": list(part.shape),
        "corner": [part.row0, part.t0],
        "losses": _encoded(part.of(losses)),
        "weights": _encoded(part.of(weights)),
        "outside": _outside(analysis, part.of(np.arange(weights.size).reshape(weights.shape)).ravel()),
        "divisor": divisor.as_dict() if divisor else None,
        "words": divisor_words(analysis),
        "colours": {
            "page": colours.page,
            "text": colours.text,
            "muted": colours.muted,
            "bar": colours.bar,
            "inks": [colours.low_ink, colours.high_ink],
            "counts": colours.counts,
            "marks": {
                mark.name: [ground, ink, glyph(analysis, mark)]
                for mark, ground, ink in zip(MARKS, colours.marks, colours.mark_ink, strict=True)
            },
        },
    }


def _encoded(array: Array) -> str:
    return b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()


def _outside(analysis: Analysis, shown: Array) -> dict[str, Any]:
    """What the timesteps that are not shown add to each row, to each column, and to the whole."""
    weights, kept = analysis.weights.copy(), analysis.unpadded_loss.copy()
    weights.flat[shown] = kept.flat[shown] = 0.0
    columns = weights.shape[1]
    rows, timesteps = np.unique(shown // columns), np.unique(shown % columns)
    return {
        "rows": _finite(kept[rows].sum(axis=1)),
        "columns": _finite(kept[:, timesteps].sum(axis=0)),
        "total": {
            "sum": _finite(kept.sum(keepdims=True).ravel())[0],
            "weights": _finite(weights.sum(keepdims=True).ravel())[0],
            "nonzero": int(np.count_nonzero(weights)),
            "first": int(np.count_nonzero(weights[:, 0])),
        },
    }


def _finite(numbers: Array) -> list[float | None]:
    """For JSON, which knows no NaN and no ∞: None, from which NaN follows."""
    return [float(number) if np.isfinite(number) else None for number in numbers]

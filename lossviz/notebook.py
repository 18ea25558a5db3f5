"""How a Batch and an Analysis show themselves in a notebook."""

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lossviz.analysis import Analysis
    from lossviz.batch import Batch

__all__ = ["analysis_html", "batch_html", "figure"]


def figure(analysis: "Analysis", **options: Any) -> Any:
    """The equation of heatmaps as a `plotly.graph_objects.Figure`; options as `lossviz.figures.equation`."""
    from lossviz.figures import equation

    return equation(analysis, **options)


def batch_html(batch: "Batch") -> str:
    """One table of what a batch holds: name, shape, dtype; tokens escaped."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(_describe(value))}</td></tr>" for name, value in batch.fields().items()
    )
    return f"<p>{escape(repr(batch))}</p><table>{rows}</table>"


def analysis_html(analysis: "Analysis") -> str:
    """The number, its divisor, what is wrong, and each sequence's part; `.figure()` draws the picture."""
    from lossviz.tables import sequences_table

    lines = [f"<p><b>{escape(repr(analysis))}</b></p>", *(f"<p>{escape(str(p))}</p>" for p in analysis.problems)]
    return "".join(lines) + sequences_table(analysis).to_html(index=False, max_rows=20, escape=True)


def _describe(value: Any) -> str:
    if hasattr(value, "shape"):
        return f"{value.dtype.name} {value.shape}"
    return f"{len(value)} tokens" if isinstance(value, tuple) else str(value)

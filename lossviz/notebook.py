"""How a Batch, an Analysis and a Diagnosis show themselves in a notebook."""

from html import escape
from typing import TYPE_CHECKING, Any

from lossviz.digits import number_text

if TYPE_CHECKING:
    from lossviz.analysis import Analysis
    from lossviz.batch import Batch
    from lossviz.rules import Diagnosis

__all__ = ["analysis_html", "batch_html", "diagnosis_html", "figure"]


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


def diagnosis_html(diagnosis: "Diagnosis") -> str:
    """The summary, and a row for each finding: what is wrong, at how many timesteps, the number after the fix."""
    head = "".join(f"<th>{name}</th>" for name in ("code", "severity", "finding", "timesteps", "loss if fixed"))
    rows = "".join(
        f"<tr><td>{finding.code}</td><td>{finding.severity}</td><td>{escape(finding.message)}</td>"
        f"<td>{int(finding.cells.sum()):,}</td>"
        f"<td>{'' if finding.loss_if_fixed is None else number_text(finding.loss_if_fixed)}</td></tr>"
        for finding in diagnosis.findings
    )
    return f"<p><b>{escape(repr(diagnosis))}</b></p>" + (f"<table><tr>{head}</tr>{rows}</table>" if rows else "")


def _describe(value: Any) -> str:
    if hasattr(value, "shape"):
        return f"{value.dtype.name} {value.shape}"
    return f"{len(value)} tokens" if isinstance(value, tuple) else str(value)

"""The number in words: what it is, what it was divided by, how much of the batch counts."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.digits import number_text
from lossviz.explanation import Explanation

__all__ = ["Headline", "cell_words", "headline", "reading_words"]


@dataclass(frozen=True)
class Headline:
    """The line on top of the page.

    Attributes:
        value: the number, or how many numbers there are; `unit` of it.
        equation: numerator ÷ divisor = value with all digits, or what each number is divided by.
        divisor: the divisor; `divisor_counts`: what it counts; `divides`: whether there is one.
        perplexity: exp of a mean in nats, or "" where the number is no mean.
        counting: how many timesteps count; `cells`: of how many.
        padding: the part that does not count, in percent; of a classifier, which reads one timestep, what is not real.
    """

    value: str
    unit: str
    equation: str
    divisor: str
    divisor_counts: str
    divides: bool
    perplexity: str
    counting: str
    cells: str
    padding: str


def headline(analysis: Analysis) -> Headline:
    """Describe an analysis in the words of the page.

    >>> from lossviz import Batch, analyze
    >>> h = headline(analyze(Batch.from_arrays(logits=np.zeros((1, 4, 2)), targets=[[0, 1, 0, 0]], lengths=[3])))
    >>> h.value, h.divisor, h.divisor_counts, h.counting, h.cells, h.padding
    ('0.6931', '3', 'timesteps that count', '3', '4', '25 %')
    """
    counting, cells = int(analysis.mask.sum()), analysis.mask.size
    real = int(analysis.real_timesteps.sum())
    padding = "0 %" if cells == 0 else f"{100 * (cells - real) / cells:.0f} %"
    common: dict[str, Any] = {
        "divisor_counts": analysis.divisor_counts,
        "divides": analysis.divides,
        "counting": f"{counting:,}",
        "cells": f"{cells:,}",
        "padding": padding,
    }
    if not analysis.is_scalar:
        shape = np.shape(analysis.value)
        text = f"{' × '.join(map(str, shape))} numbers"
        equation = f"Each is divided by {analysis.divisor_counts}."
        return Headline(value=text, unit="nats", equation=equation, divisor="one each", perplexity="", **common)
    unit = analysis.reduction.unit
    means = f" (the {analysis.means_of}' means)" if analysis.means_of else ""
    with np.errstate(over="ignore"):
        perplexity = number_text(float(np.exp(analysis.value))) if unit == "nats per timestep" else ""
    return Headline(
        value=number_text(analysis.value),
        unit=unit,
        equation=f"{analysis.numerator!r}{means} ÷ {analysis.divisor:.15g} = {analysis.value!r}",
        divisor=f"{analysis.divisor:,.10g}",
        perplexity=perplexity,
        **common,
    )


def cell_words(cell: Explanation, *, has_number: bool = True) -> str:
    """A timestep in one line: probability, rank, entropy, its share of the number, and the gradient it sends back.

    Where the chosen reduction has no number, there is no share of it and no gradient.

    >>> from lossviz import Batch, analyze
    >>> cell_words(analyze(Batch.from_arrays(logits=np.zeros((1, 2, 2)), targets=[[0, 1]])).explain(0, 0))
    'probability 0.5000 · rank 1 · entropy 0.6931 nats · share of the number 50.0 % · gradient norm 0.3536'
    """
    if not cell.has_logits:
        return _recorded_words(cell, has_number=has_number)
    share = "NaN" if np.isnan(cell.share) else f"{100 * cell.share:.1f} %"
    known = (
        f"probability {number_text(cell.probability)}",
        f"rank {cell.rank or 'none'}",
        f"entropy {number_text(cell.entropy)} nats",
    )
    result = (f"share of the number {share}", f"gradient norm {number_text(cell.gradient_norm)}") if has_number else ()
    return " · ".join((*known, *result))


def _recorded_words(cell: Explanation, *, has_number: bool) -> str:
    """What is known of a timestep without logits; the rest is not mentioned as a number."""
    if np.isnan(cell.loss):
        return "not recorded"
    share = "NaN" if np.isnan(cell.share) else f"{100 * cell.share:.1f} %"
    known = [f"probability {number_text(cell.probability)}"]
    known += [f"rank {cell.rank}"] if cell.rank else []
    known += [] if np.isnan(cell.entropy) else [f"entropy {number_text(cell.entropy)} nats"]
    result = (f"share of the number {share}", "gradient: can't be told without logits") if has_number else ()
    return " · ".join((*known, *result))


def reading_words(analysis: Analysis, sequence: int, timestep: int) -> str:
    """Of a classifier: whether this timestep is the one that is read, and what each half has seen there; else "".

    >>> from lossviz import Batch, Settings, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 3, 1)), targets=[[1, 1, 1]], lengths=[3])
    >>> reading_words(analyze(batch, Settings(reduction="classification")), 0, 2)
    'The sequence is read here. Of a bidirectional LSTM, the forward half has seen all 3 timesteps, the backward half \
only one, the last.'
    """
    if not analysis.is_classifier:
        return ""
    read, real = analysis.mask[sequence], analysis.real_timesteps[sequence]
    if not read.any():
        return "No timestep of this sequence is read."
    last = int(np.flatnonzero(read)[0])
    if not real[timestep]:
        return f"Padding: neither half of a bidirectional LSTM reads it. The sequence is read at timestep {last}."
    forward, backward = int(real[: timestep + 1].sum()), int(real[timestep:].sum())
    where = "The sequence is read here." if timestep == last else f"Not read: the sequence is read at timestep {last}."
    all_of_it = "all " if backward == 1 else ""
    seen = "only one, the last" if backward == 1 else f"the last {backward}"
    return (
        f"{where} Of a bidirectional LSTM, the forward half has seen {all_of_it}{_timesteps(forward)}, "
        f"the backward half {seen}."
    )


def _timesteps(count: int) -> str:
    return f"{count} timestep{'' if count == 1 else 's'}"

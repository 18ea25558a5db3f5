"""`identify(batch, reported) -> tuple[Match, ...]`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.identify._facts import Facts
from lossviz.identify._match import Match
from lossviz.identify._printed import decimals_or_refuse, read_printed, relative_tolerance
from lossviz.identify._ranking import merged, ranked
from lossviz.identify._search import search
from lossviz.reductions import Options
from lossviz.settings import Settings

__all__ = ["identify"]


def identify(
    batch: Batch | Analysis,
    reported: Any,
    *,
    decimals: int | None = None,
    accumulation_steps: int | None = None,
    world_size: int | None = None,
    smoothing: float | None = None,
    accuracy: Any = None,
    precision: str = "float32",
    class_weights: Sequence[float] | None = None,
    settings: Settings | None = None,
    options: Options | None = None,
) -> tuple[Match, ...]:
    """Every formula whose value on a batch is the number that a loop printed, likeliest first.

    >>> import numpy as np
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])
    >>> identify(batch, "1.0397")[0].explanation  # 3 · ln 4 ÷ 4
    'Your loop divides by all 4 positions; 1 of them is padding.'
    """
    relative = relative_tolerance(precision)
    printed = read_printed(reported, decimals=decimals_or_refuse(decimals), relative=relative)
    analysis = batch if isinstance(batch, Analysis) else analyze(batch, settings)
    said = {
        name: value
        for name, value in (
            ("accumulation_steps", accumulation_steps),
            ("world_size", world_size),
            ("smoothing", smoothing),
            ("class_weights", class_weights),
        )
        if value is not None
    }
    facts = Facts(analysis, replace(options or analysis.settings.options, **said))
    found = search(facts)
    return ranked(merged(found.hits(printed)), printed, facts, found.chance(printed))

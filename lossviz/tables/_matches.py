"""The answers of `identify`, as a table and as JSON."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lossviz.analysis import Analysis
from lossviz.conventions import compare_conventions
from lossviz.digits import number_text
from lossviz.identification import Match
from lossviz.reductions import LOOP_OPTIONS
from lossviz.tables._downloads import plain

__all__ = ["SAY_LOOP", "match_records", "matches_table", "nearest_convention"]

_PHRASES = [option.phrase for option in LOOP_OPTIONS]
SAY_LOOP = f"If the loop {', '.join(_PHRASES[:-1])} or {_PHRASES[-1]}, say so"
"""What to try where no option of the loop was given and no formula fits."""

COLUMNS = ("rank", "code", "kind", "value", "difference", "title")


def matches_table(matches: Sequence[Match]) -> pd.DataFrame:
    """One row per match, likeliest first: its code, kind, value, difference from the printed number, and title.

    >>> match = Match("PAD02", "Divides by every position", 0.92, 0.0, "", "bug", "", rank=1)
    >>> matches_table([match]).values.tolist()
    [[1, 'PAD02', 'bug', 0.92, 0.0, 'Divides by every position']]
    """
    rows = [[getattr(match, column) for column in COLUMNS] for match in matches]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def match_records(matches: Sequence[Match]) -> list[dict[str, Any]]:
    """The matches ready for JSON: NaN and ±inf as strings, and each [B, T] array as its count of timesteps.

    >>> everywhere = np.ones((3, 5)), np.ones((3, 5), bool)
    >>> match = Match("PAD02", "Divides by every position", 0.92, 0.0, "", "bug", "", arrays=lambda: everywhere)
    >>> match_records([match])[0]["counts"]
    15
    """
    return [_record(match) for match in matches]


def nearest_convention(analysis: Analysis, reported: float) -> str:
    """The convention whose number lies nearest to a printed one, in a sentence; "" where none has a number.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 2)), targets=[[1, 0], [1, 0]], lengths=[2, 1])
    >>> nearest_convention(analyze(batch), 2.2)  # 3 · ln 2
    'The nearest is C01, Sum under the mask: 2.0794, which is 0.1206 less.'
    """
    table = compare_conventions(analysis)
    away = np.abs(table["value"].to_numpy(float) - reported)
    if not np.isfinite(away).any():
        return ""
    here = int(np.nanargmin(away))
    code, name, value = (table[column].iloc[here] for column in ("code", "name", "value"))
    side = "less" if value < reported else "more"
    return f"The nearest is {code}, {name}: {number_text(value)}, which is {number_text(away[here])} {side}."


def _record(match: Match) -> dict[str, Any]:
    return {
        "rank": match.rank,
        "code": match.code,
        "codes": list(match.codes),
        "kind": match.kind,
        "title": match.title,
        "value": plain(match.value),
        "difference": plain(match.difference),
        "formula": match.formula,
        "explanation": match.explanation,
        "fix": dict(match.fix),
        "aliases": list(match.aliases),
        "apart": match.how_to_distinguish,
        "accidental": bool(match.accidental),
        "counts": int(np.count_nonzero(match.cells)),
    }

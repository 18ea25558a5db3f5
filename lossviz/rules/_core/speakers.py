"""Which rule reports what `identify` says of the printed number; `identify` runs once per batch."""

import numpy as np

from lossviz.caching import cached
from lossviz.conventions import CONVENTIONS
from lossviz.identification import Match, identify
from lossviz.rules._core.case import Case

__all__ = ["REPORTED_BY", "SPEAKING", "matches_of", "names_of", "speaker_of", "steps_of"]

REPORTED_BY = {row.code: row.reported_by for row in CONVENTIONS if row.reported_by}
"""The rule that reports each convention; conventions without one are never a mistake."""

SPEAKING = (
    *("MOD01", "MOD02", "MOD08", "MOD09", "MOD10", "NUM08"),
    *("PAD01", "PAD02", "PAD03", "PAD05", "PAD06", "PAD07", "PAD08"),
    *(f"RED{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 15, 16, 17)),
    *("SHF01", "SHF02", "SHF05", "SHF08", "SHF10"),
)
"""The rules that ask the number; of two mistakes, the first one that has such a rule is reported by it."""

UNITS = {"C11", "C12"}


@cached
def matches_of(case: Case) -> tuple[Match, ...]:
    """What `identify` says of the number that the training loop printed."""
    return identify(case.analysis, case.batch.reported)


def steps_of(match: Match) -> list[str]:
    """What the loop did besides printing another unit.

    >>> steps_of(Match("PAD01", "", 0.0, 0.0, "", "bug", "", codes=("PAD01", "C12")))
    ['PAD01']
    """
    return [step for step in match.codes if step not in UNITS] or [match.code]


def speaker_of(match: Match, case: Case) -> str:
    """The rule that reports a match, or "" if none does; of several mistakes, the first that has one."""
    steps = steps_of(match)
    if len(steps) > 1 and match.kind != "bug":
        return ""
    mistakes_first = sorted(steps, key=lambda step: step in REPORTED_BY)
    named = [_rule_of(step, case) for step in (mistakes_first if len(steps) > 1 else [match.code])]
    return next((code for code in named if code in SPEAKING), "") if len(steps) > 1 else named[0]


def names_of(match: Match, case: Case) -> set[str]:
    """The codes of a match, of the others with its value, and of the rule that reports it."""
    return {match.code, *match.codes, *match.aliases, speaker_of(match, case)}


def _rule_of(step: str, case: Case) -> str:
    code = REPORTED_BY.get(step, step)
    if code == "PAD02" and case.mask.all():
        return "RED08"
    return "MOD08" if code == "PAD01" and _is_mask_of_keras(case) else code


def _is_mask_of_keras(case: Case) -> bool:
    """Whether the mask in use is the one that `Embedding(mask_zero=True)` derives from the inputs, and nothing else."""
    batch = case.batch
    by_id = batch.inputs is not None and batch.pad_id == 0 and batch.declared_mask == "nonpad"
    return by_id and np.array_equal(batch.inputs != 0, case.mask)

"""The rules that judge the printed number: `identify` runs once per batch, and exactly one rule reports."""

from collections.abc import Callable, Mapping

import numpy as np

from lossviz.caching import cached
from lossviz.conventions import CONVENTIONS
from lossviz.fixes import fix_of
from lossviz.identification import PRECISIONS, Match, Printed, identify, read_printed
from lossviz.rules._core.case import Case
from lossviz.rules._core.printed_messages import evidence_of, in_its_unit, mean_of, message_of
from lossviz.rules._core.rule import CannotTell, Found, Rule

__all__ = [
    "REPORTED_BY",
    "WRONG_MASK",
    "found_in_number",
    "masked_otherwise",
    "miscounted",
    "padding",
    "printed_rule",
    "unmasked",
]

Array = np.ndarray
Cells = Callable[[Case, Match], Array]
Number = Callable[[Case, Match], float]

REPORTED_BY = {row.code: row.reported_by for row in CONVENTIONS if row.reported_by}
"""The rule that reports each convention; conventions without one are never a mistake."""

WRONG_MASK = ("PAD04", "PAD05", "PAD06", "PAD07", "PAD08", "PAD09", "PAD16", "SHF05")
"""If one of these fired, the mask is wrong, so there is no correct mean to compare the number with."""

SPEAKING = (
    *("MOD01", "MOD02", "MOD08", "MOD09", "MOD10", "NUM08"),
    *("PAD01", "PAD02", "PAD03", "PAD05", "PAD06", "PAD07", "PAD08"),
    *(f"RED{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 15, 16, 17)),
    *("SHF01", "SHF02", "SHF05", "SHF08", "SHF10"),
)
"""The rules that ask the number; of two mistakes, the first one that has such a rule is reported by it."""

UNITS = {"C11", "C12"}
GUESSED = {"MOD10", "RED01", "RED02", "RED03", "RED10", "RED11", "RED17"}
"""The rules that guess a scale or cap, the number of micro-batches, ranks or chunks, or the ε of label smoothing."""

SPLIT = {"RED01", "RED02", "RED17"}
DIGITS, DIGITS_OF_SEVERAL, DIGITS_OF_GUESS = 3, 4, 5
"""With fewer significant digits, a formula, two mistakes at once or a guess match by chance (rule 1, RED-11)."""


def printed_rule(
    module: str,
    doc: str | None,
    *,
    code: str,
    name: str,
    severity: str,
    cells: Cells,
    fixed: Number | None = None,
    requires: tuple[str, ...] = (),
    severities: Mapping[str, str] | None = None,
) -> Rule:
    """Build a rule whose evidence is the number that the training loop printed.

    Args:
        module: the name of the rule's module.
        doc: the module's docstring, as in `Rule`.
        code: as in `Rule`.
        name: as in `Rule`.
        severity: as in `Rule`.
        cells: maps (case, match) to the timesteps that the formula counts wrongly, [B, T] bool.
        fixed: maps (case, match) to the number that should be printed; by default the mean over unmasked timesteps.
        requires: as in `Rule`, in addition to `WRONG_MASK`.
        severities: by formula code, where milder or worse than the rule's.

    >>> rule = printed_rule(__name__, "", code="PAD02", name="x", severity="warning", cells=unmasked)
    >>> rule.needs
    ('reported',)
    """

    def check(case: Case) -> Found | None:
        return found_in_number(case, code, cells=cells, fixed=fixed, severities=severities)

    check.__module__ = module
    return Rule(
        code=code,
        name=name,
        severity=severity,
        doc=doc or "",
        check=check,
        needs=("reported",),
        requires=(*WRONG_MASK, *requires),
    )


def found_in_number(
    case: Case,
    code: str,
    *,
    cells: Cells,
    fixed: Number | None = None,
    severities: Mapping[str, str] | None = None,
) -> Found | None:
    """What a rule finds in the printed number; None if the number is correct or not one that the rule explains.

    Raises:
        CannotTell: if another formula is more likely, or the number has too few digits.
    """
    printed = _number(case)
    among = [match for match in _matches(case) if code in _names(match, case)]
    if _is_right(printed, case):
        if among:
            raise CannotTell(_same(f"The mean over the timesteps that count is also {printed.text}", among[0]))
        return None
    if not among:
        return None
    first = _matches(case)[0]
    _refuse_doubtful(printed, first, code, case)
    shown = cells(case, first)
    number = mean_of(case) if fixed is None else fixed(case, first)
    several = _steps(first)[1:]
    return Found(
        message=message_of(printed, first, case),
        cells=shown if shown.any() else case.mask,
        evidence=evidence_of(printed, first, case),
        printed=printed.text,
        fix=first.fix if several else fix_of([code], case.analysis),
        loss_if_fixed=number if code == "RED13" else in_its_unit(first, number),
        severity=_of_several(first) if several else (severities or {}).get(first.code),
    )


def padding(case: Case, _: Match) -> Array:
    """The timesteps that should not count."""
    return ~case.mask


def unmasked(case: Case, _: Match) -> Array:
    """The timesteps that count: the formula divides or takes each of them wrongly."""
    return case.mask


def masked_otherwise(case: Case, match: Match) -> Array:
    """The timesteps that only one of the two masks counts: the formula's or the one in use."""
    other: Array = (match.coefficients != 0) != case.mask
    return other


def miscounted(case: Case, match: Match) -> Array:
    """The timesteps whose share of the printed number differs from their share of the correct mean."""
    right = case.analysis.weights / case.analysis.weights.sum()
    other: Array = case.mask & ~np.isclose(match.coefficients, right, rtol=1e-6, atol=0)
    return other


@cached
def _matches(case: Case) -> tuple[Match, ...]:
    return identify(case.analysis, case.batch.reported)


def _number(case: Case) -> Printed:
    half = case.analysis.has_logits and case.logits.dtype.itemsize < 4
    printed = read_printed(case.batch.reported, relative=PRECISIONS["float16" if half else "float32"])
    if not np.isfinite(printed.value):
        raise CannotTell(f"The printed number is {printed.text}, which can't tell one formula from another.")
    if not np.isfinite(mean_of(case)):
        raise CannotTell(
            "The mean over the timesteps that count is not finite, so there is nothing to compare the number with."
        )
    return printed


def _is_right(printed: Printed, case: Case) -> bool:
    """Whether it is the mean over the timesteps that count, or the number under the chosen reduction."""
    chosen = float(case.analysis.value) if case.analysis.is_scalar else np.nan
    return printed.is_hit(mean_of(case)) or printed.is_hit(chosen)


def _of_several(match: Match) -> str:
    """Two mistakes at once are an error, and a warning where chance may have found them."""
    return "warning" if match.accidental else "error"


def _steps(match: Match) -> list[str]:
    """What the loop did besides printing another unit."""
    return [step for step in match.codes if step not in UNITS] or [match.code]


def _speaker(match: Match, case: Case) -> str:
    """The rule that reports a match, or "" if none does; of several mistakes, the first that has one."""
    steps = _steps(match)
    if len(steps) > 1 and match.kind != "bug":
        return ""
    mistakes_first = sorted(steps, key=lambda step: step in REPORTED_BY)
    named = [_rule_of(step, case) for step in (mistakes_first if len(steps) > 1 else [match.code])]
    return next((code for code in named if code in SPEAKING), "") if len(steps) > 1 else named[0]


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


def _names(match: Match, case: Case) -> set[str]:
    return {match.code, *match.codes, *match.aliases, _speaker(match, case)}


def _refuse_doubtful(printed: Printed, first: Match, code: str, case: Case) -> None:
    """Refuse if another formula is more likely, several mistakes are needed, or so few digits match by chance."""
    speaker = _speaker(first, case)
    if not speaker:
        raise CannotTell(f"Only {' and '.join(first.codes)} together give {printed.text}, and no rule reports them.")
    if speaker != code:
        raise CannotTell(_same(f"{speaker} also gives {printed.text} on this batch and is more likely", first))
    several = len(_steps(first)) > 1
    guess = code in GUESSED and not (code in SPLIT and case.analysis.settings.accumulation_steps)
    least = DIGITS_OF_GUESS if guess else DIGITS_OF_SEVERAL if several else DIGITS
    if (first.accidental and not several) or printed.digits < least:
        raise CannotTell(f"{printed.text} has too few digits to tell the formulas apart. Print more of them.")


def _same(start: str, match: Match) -> str:
    return f"{start}. {match.how_to_distinguish}" if match.how_to_distinguish else f"{start}."

"""The rules that judge the printed number, of which exactly one reports."""

from collections.abc import Callable, Mapping

import numpy as np

from lossviz.fixes import fix_of
from lossviz.identification import MOST_TIMESTEPS, PRECISIONS, Match, Printed, read_printed
from lossviz.rules._core.case import Case
from lossviz.rules._core.printed_messages import evidence_of, in_its_unit, mean_of, message_of
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.speakers import matches_of, names_of, speaker_of, steps_of

__all__ = [
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

WRONG_MASK = ("PAD04", "PAD05", "PAD06", "PAD07", "PAD08", "PAD09", "PAD16", "SHF05")
"""If one of these fired, the mask is wrong, so there is no correct mean to compare the number with."""

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
    if case.mask.size > MOST_TIMESTEPS:
        raise CannotTell(f"A printed number is compared on at most {MOST_TIMESTEPS:,} timesteps.")
    if (found := _found_in_nan(case, code)) is not None:
        return found
    printed = _number(case)
    among = [match for match in matches_of(case) if code in names_of(match, case)]
    if _is_right(printed, case):
        if among:
            raise CannotTell(_same(f"The mean over the timesteps that count is also {printed.text}", among[0]))
        return None
    if not among:
        return None
    first = matches_of(case)[0]
    _refuse_doubtful(printed, first, code, case)
    shown = cells(case, first)
    number = mean_of(case) if fixed is None else fixed(case, first)
    several = steps_of(first)[1:]
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


def _found_in_nan(case: Case, code: str) -> Found | None:
    """What a rule finds in NaN where every loss is finite: the mean of a part in which nothing counts, 0 / 0.

    Of empty sequences, PAD10 speaks.
    """
    printed, mean = _printed(case), mean_of(case)
    if not np.isnan(printed.value) or not np.isfinite(mean) or not np.isfinite(case.loss[case.in_range]).all():
        return None
    first = next(iter(matches_of(case)), None)
    if first is None or speaker_of(first, case) != code or not first.cells.any() or (first.cells & case.mask).any():
        return None
    evidence = evidence_of(printed, first, case)
    return Found(
        message=message_of(printed, first, case),
        cells=first.cells,
        evidence={name: value for name, value in evidence.items() if value == value},
        printed=printed.text,
        fix=first.fix or fix_of([code], case.analysis),
        loss_if_fixed=mean,
        severity="warning" if first.possible else "error",
    )


def _printed(case: Case) -> Printed:
    half = case.analysis.has_logits and case.logits.dtype.itemsize < 4
    return read_printed(case.batch.reported, relative=PRECISIONS["float16" if half else "float32"])


def _number(case: Case) -> Printed:
    """The printed number.

    Raises:
        CannotTell: if it, or the mean that it is compared with, is not finite.
    """
    printed = _printed(case)
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


def _refuse_doubtful(printed: Printed, first: Match, code: str, case: Case) -> None:
    """Refuse if another formula is more likely, several mistakes are needed, or so few digits match by chance."""
    speaker = speaker_of(first, case)
    if not speaker:
        raise CannotTell(f"Only {' and '.join(first.codes)} together give {printed.text}, and no rule reports them.")
    if speaker != code:
        raise CannotTell(_same(f"{speaker} also gives {printed.text} on this batch and is more likely", first))
    several = len(steps_of(first)) > 1
    guess = code in GUESSED and not (code in SPLIT and case.analysis.settings.accumulation_steps)
    least = DIGITS_OF_GUESS if guess else DIGITS_OF_SEVERAL if several else DIGITS
    if (first.accidental and not several) or printed.digits < least:
        raise CannotTell(f"{printed.text} has too few digits to tell the formulas apart. Print more of them.")


def _same(start: str, match: Match) -> str:
    return f"{start}. {match.how_to_distinguish}" if match.how_to_distinguish else f"{start}."

"""The rules that judge by the printed number: `identify` is asked once for a batch, and one of them speaks."""

from collections.abc import Callable, Mapping

import numpy as np

from lossviz.caching import cached
from lossviz.conventions import CONVENTIONS
from lossviz.fixes import fix_of
from lossviz.identification import PRECISIONS, Match, Printed, identify, read_printed
from lossviz.rules._core.case import Case
from lossviz.rules._core.printed_messages import evidence_of, mean_of, message_of
from lossviz.rules._core.rule import CannotTell, Found, Rule

__all__ = [
    "REPORTED_BY",
    "WRONG_MASK",
    "found_in_number",
    "masked_otherwise",
    "miscounted",
    "padding",
    "printed_rule",
    "what_counts",
]

Array = np.ndarray
Cells = Callable[[Case, Match], Array]
Number = Callable[[Case, Match], float]

REPORTED_BY = {row.code: row.reported_by for row in CONVENTIONS if row.reported_by}
"""Which rule reports a convention, by the convention's row; the others are nobody's mistake."""

WRONG_MASK = ("PAD05", "PAD06", "PAD07", "PAD08", "PAD09", "PAD16", "SHF05")
"""Where one of these was found, what counts is not what should, and there is no mean to compare the number with."""

UNITS = {"C11", "C12"}
GUESSED = {"RED01", "RED02", "RED03", "RED10", "RED11", "RED17"}
"""The rules that suppose how many micro-batches, ranks or chunks there were, or the ε of label smoothing."""

SPLIT = {"RED01", "RED02", "RED17"}
DIGITS, DIGITS_OF_GUESS = 3, 5
"""With fewer significant digits a single formula, and one with a guess in it, is told by chance (rule 1, RED-11)."""


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
    """A rule whose evidence is the number that the loop printed.

    Args:
        module: the module that the rule stands in, whose docstring is `doc`.
        doc: see `Rule`, like the next three.
        code: see above.
        name: see above.
        severity: see above.
        cells: case, match → the timesteps that the formula counts wrongly, [B, T] bool.
        fixed: case, match → the number that the loop should print; the mean of what counts where it is not given.
        requires: see `Rule`; beside `WRONG_MASK`.
        severities: by the code of the formula, where it is milder or worse than the rule's.

    >>> rule = printed_rule(__name__, "", code="PAD02", name="x", severity="warning", cells=what_counts)
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
    """What a rule finds in the printed number; None where the number is right, or none that the rule knows.

    Raises:
        CannotTell: if other formulas are likelier, or the number says too little.
    """
    printed = _number(case)
    among = [match for match in _matches(case) if code in _names(match, case)]
    if _is_right(printed, case):
        if among:
            raise CannotTell(_same(f"The mean of what counts is {printed.text} too", among[0]))
        return None
    if not among:
        return None
    first = _matches(case)[0]
    _refuse_doubtful(printed, first, code, case)
    shown = cells(case, first)
    return Found(
        message=message_of(printed, first, case),
        cells=shown if shown.any() else case.counts,
        evidence=evidence_of(printed, first, case),
        fix=fix_of([code], case.analysis),
        loss_if_fixed=(mean_of(case) if fixed is None else fixed(case, first)),
        severity=(severities or {}).get(first.code),
    )


def padding(case: Case, _: Match) -> Array:
    """The timesteps that should not count."""
    return ~case.counts


def what_counts(case: Case, _: Match) -> Array:
    """The timesteps that count, of which each is divided or taken wrongly."""
    return case.counts


def masked_otherwise(case: Case, match: Match) -> Array:
    """The timesteps that only one of the two masks counts: that of the formula, or that in use."""
    other: Array = (match.coefficients != 0) != case.counts
    return other


def miscounted(case: Case, match: Match) -> Array:
    """The timesteps that have another part in the number than in the mean of what counts."""
    right = case.analysis.weights / case.analysis.weights.sum()
    other: Array = case.counts & ~np.isclose(match.coefficients, right, rtol=1e-6, atol=0)
    return other


@cached
def _matches(case: Case) -> tuple[Match, ...]:
    return identify(case.analysis, case.batch.reported)


def _number(case: Case) -> Printed:
    half = case.analysis.has_logits and case.logits.dtype.itemsize < 4
    printed = read_printed(case.batch.reported, relative=PRECISIONS["float16" if half else "float32"])
    if not np.isfinite(printed.value):
        raise CannotTell(f"The printed number is {printed.text}, which tells no formula from another.")
    if not np.isfinite(mean_of(case)):
        raise CannotTell("The mean of what counts is not finite, so there is nothing to compare the number with.")
    return printed


def _is_right(printed: Printed, case: Case) -> bool:
    """Whether it is the mean of what counts, or the number by the reduction that was chosen."""
    chosen = float(case.analysis.value) if case.analysis.is_scalar else np.nan
    return printed.is_hit(mean_of(case)) or printed.is_hit(chosen)


def _speaker(match: Match, case: Case) -> str:
    """The rule that speaks of a match, or "" where several things are done otherwise at once."""
    steps = {step for step in match.codes if step not in UNITS} or {match.code}
    if len(steps) > 1:
        return ""
    code = REPORTED_BY.get(match.code, match.code)
    if code == "PAD02" and case.counts.all():
        return "RED08"
    return "MOD08" if code == "PAD01" and _is_mask_of_keras(case) else code


def _is_mask_of_keras(case: Case) -> bool:
    """Whether what counts is the mask that `Embedding(mask_zero=True)` makes of the inputs, said by nothing else."""
    batch = case.batch
    by_id = batch.inputs is not None and batch.pad_id == 0 and batch.declared_mask == "nonpad"
    return by_id and np.array_equal(batch.inputs != 0, case.counts)


def _names(match: Match, case: Case) -> set[str]:
    return {match.code, *match.codes, *match.aliases, _speaker(match, case)}


def _refuse_doubtful(printed: Printed, first: Match, code: str, case: Case) -> None:
    """Leave it where another formula is likelier, several mistakes are needed, or so few digits fit by chance."""
    speaker = _speaker(first, case)
    if not speaker:
        raise CannotTell(f"Only {' and '.join(first.codes)} together give {printed.text}, which may be chance.")
    if speaker != code:
        raise CannotTell(_same(f"{speaker} gives {printed.text} on this batch too, and is likelier", first))
    guess = code in GUESSED and not (code in SPLIT and case.analysis.settings.accumulation_steps)
    least = DIGITS_OF_GUESS if guess else DIGITS
    if first.accidental or printed.digits < least:
        raise CannotTell(f"{printed.text} has too few digits to tell the formulas apart. Print more of them.")


def _same(start: str, match: Match) -> str:
    return f"{start}. {match.how_to_distinguish}" if match.how_to_distinguish else f"{start}."

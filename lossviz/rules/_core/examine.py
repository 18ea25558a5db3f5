"""Run the rules on a batch: each is found, passed, skipped or crashed, and none stops the others."""

import math
import traceback
from collections.abc import Callable, Iterable

import numpy as np

from lossviz.analysis import Analysis
from lossviz.batch import Batch
from lossviz.errors import Cancelled, LossvizError, NoLogitsError
from lossviz.rules._core.case import Case
from lossviz.rules._core.diagnosis import Diagnosis, Finding, Outcome, Raised
from lossviz.rules._core.phases import in_order, roots_of
from lossviz.rules._core.printed_number import WRONG_MASK, found_in_number, masked_otherwise, unmasked
from lossviz.rules._core.read_only import frozen, own_logits
from lossviz.rules._core.rule import SEVERITIES, CannotTell, Found, Rule

__all__ = ["check", "examine"]


def examine(analysis: Analysis, rules: Iterable[Rule], cancelled: Callable[[], bool] | None = None) -> Diagnosis:
    """Run these rules on an analysis; the outcomes keep their order.

    Raises:
        Cancelled: if `cancelled` said so before one of them.
    """
    rules = tuple(rules)
    case = Case(frozen(analysis))
    findings: dict[str, Finding] = {}
    outcomes = {}
    for rule in in_order(rules):
        if cancelled is not None and cancelled():
            raise Cancelled("The examination was stopped.")
        reason = _reason_to_skip(rule, case, [findings[code] for code in roots_of(rule, rules) if code in findings])
        outcomes[rule.code], finding = _run(rule, case, reason, analysis.batch)
        if finding is not None:
            findings[rule.code] = finding
    sort = sorted(findings.values(), key=_weight)
    return Diagnosis(analysis, tuple(sort), tuple(outcomes[rule.code] for rule in rules))


def check(rule: Rule, case: Case) -> tuple[Outcome, Found | None]:
    """Run one rule whatever other rules found, without computing the number after its fix."""
    try:
        with np.errstate(all="ignore"):
            found = _checked(_found(rule, case), case)
    except (CannotTell, NoLogitsError) as unable:
        return Outcome(rule.code, "skipped", str(unable)), None
    except Exception as error:
        return _crashed(rule, error), None
    return Outcome(rule.code, "found" if found else "passed"), found


def _run(rule: Rule, case: Case, reason: str, given: Batch) -> tuple[Outcome, Finding | None]:
    if reason:
        return Outcome(rule.code, "skipped", reason), None
    outcome, found = check(rule, case)
    return _judge(rule, found, case, given) if found else (outcome, None)


def _reason_to_skip(rule: Rule, case: Case, roots: list[Finding]) -> str:
    if not case.mask.size:
        return "The batch has no timestep."
    missing = case.missing(rule.needs)
    if missing and not rule.checks_reported:
        return missing
    serious = [root.code for root in roots if root.severity != "info"]
    return f"{serious[0]} was found and explains the same timesteps." if serious else ""


def _crashed(rule: Rule, error: Exception) -> Outcome:
    exception = Raised(type(error).__name__, str(error).strip())
    return Outcome(rule.code, "crashed", traceback.format_exc(), exception)


def _found(rule: Rule, case: Case) -> Found | None:
    """What a rule finds in the arrays, or else in the number that the training loop printed.

    Raises:
        CannotTell: if neither is conclusive.
    """
    doubt: CannotTell | NoLogitsError | None = None
    try:
        found = _found_in_arrays(rule, case)
    except (CannotTell, NoLogitsError) as unable:
        found, doubt = None, unable
    if found is None and rule.checks_reported and not case.lacks(("reported",)):
        cells = masked_otherwise if rule.code in WRONG_MASK else unmasked
        found = found_in_number(case, rule.code, cells=cells)
    if found is None and doubt is not None:
        raise doubt
    return found


def _found_in_arrays(rule: Rule, case: Case) -> Found | None:
    missing = case.missing(rule.needs)
    if missing:
        raise CannotTell(missing)
    return rule.check(case)


def _checked(found: Found | None, case: Case) -> Found | None:
    if found is not None and (found.cells.shape != case.shape[:2] or found.cells.dtype != bool):
        raise TypeError(f"cells must be {case.shape[:2]} bool; got {found.cells.shape} {found.cells.dtype}")
    return found


def _judge(rule: Rule, found: Found, case: Case, given: Batch) -> tuple[Outcome, Finding]:
    """The finding with its repair; a repair that crashes does not hide the finding."""
    repaired, loss, outcome = None, found.loss_if_fixed, Outcome(rule.code, "found")
    try:
        with np.errstate(all="ignore"):
            repaired = None if found.repaired is None else found.repaired()
            if repaired is not None and loss is None:
                loss = _number(repaired, case.analysis)
    except Exception as error:
        repaired, outcome = None, _crashed(rule, error)
    repaired = None if repaired is None else own_logits(repaired, case.batch, given)
    return outcome, _finding(rule, found, case.analysis, repaired, loss)


def _finding(rule: Rule, found: Found, analysis: Analysis, repaired: Batch | None, loss: float | None) -> Finding:
    return Finding(
        code=rule.code,
        name=rule.name,
        title=rule.title,
        severity=found.severity or rule.severity,
        message=found.message,
        cells=found.cells,
        evidence=found.evidence,
        fix=found.fix,
        loss_if_fixed=loss,
        effect=_effect(_number_now(found, analysis, repaired), loss, analysis.is_scalar),
        repaired=repaired,
        printed=found.printed,
    )


def _number_now(found: Found, analysis: Analysis, repaired: Batch | None) -> float:
    """The number that the fix changes: the printed one if the training loop is at fault, else the analysis's."""
    if found.printed and repaired is None:
        return float(found.printed)
    return float(analysis.value) if analysis.is_scalar else math.nan


def _effect(now: float, after: float | None, is_scalar: bool) -> float:
    if after is None or not is_scalar or not math.isfinite(after):
        return math.nan
    return abs(after - now) if math.isfinite(now) else math.inf


def _number(repaired: Batch, analysis: Analysis) -> float | None:
    before, weights = analysis.batch.weights, repaired.weights
    kept = weights is None or (before is not None and np.array_equal(before, weights))
    settings = analysis.settings if kept else analysis.settings.replace(mask=None)  # use the repair's weights
    try:
        after = analysis.with_settings(settings, batch=repaired)
    except LossvizError:
        return None
    return float(after.value) if after.is_scalar else None


def _weight(finding: Finding) -> tuple[int, float, str]:
    effect = 0.0 if math.isnan(finding.effect) else finding.effect
    return SEVERITIES.index(finding.severity), -effect, finding.code

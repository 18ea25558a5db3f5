"""Run the rules on a batch: each one ends as found, passed, skipped or crashed, and none stops the others."""

import math
import traceback
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.errors import LossvizError
from lossviz.rules._case import Case
from lossviz.rules._catalogue import RULES
from lossviz.rules._diagnosis import Diagnosis, Finding, Outcome
from lossviz.rules._printed import WRONG_MASK, found_in_number, masked_otherwise, what_counts
from lossviz.rules._readonly import frozen, own_logits
from lossviz.rules._rule import SEVERITIES, CannotTell, Found, Rule
from lossviz.rules._select import Select, chosen

__all__ = ["diagnose", "examine", "ordered"]


def diagnose(batch: Batch | Analysis, *, select: Select = None, ignore: Select = None) -> Diagnosis:
    """Find what is wrong with a batch: which rule, which timesteps, by how much, and what to write instead.

    Args:
        batch: a Batch, under the mask that it declares, one logit a timestep as a sigmoid's; or the Analysis of one,
            whose mask and reduction are then those examined.
        select: codes or beginnings of codes ("PAD", "NUM01") to run; by default every rule.
        ignore: codes or beginnings of codes to leave out.

    Raises:
        InputError: if no rule has such a code.

    >>> logits = np.zeros((1, 2, 3))
    >>> logits[0, 1] = np.nan
    >>> diagnosis = diagnose(Batch.from_arrays(logits=logits, targets=[[1, 2]], lengths=[1]), select="NUM01")
    >>> diagnosis
    Diagnosis(1 error in 1 rule: NUM01)
    >>> diagnosis.findings[0].cells.tolist()
    [[False, True]]
    """
    rules = chosen(RULES, select, ignore)
    return examine(batch if isinstance(batch, Analysis) else analyze(batch), rules)


def examine(analysis: Analysis, rules: Iterable[Rule]) -> Diagnosis:
    """What these rules say of an analysis, in their order."""
    rules = tuple(rules)
    case = Case(frozen(analysis))
    findings: dict[str, Finding] = {}
    outcomes = {}
    for rule in ordered(rules):
        outcomes[rule.code], finding = _run(rule, case, findings, analysis.batch)
        if finding is not None:
            findings[rule.code] = finding
    sort = sorted(findings.values(), key=_weight)
    return Diagnosis(analysis, tuple(sort), tuple(outcomes[rule.code] for rule in rules))


def ordered(rules: Iterable[Rule]) -> Iterator[Rule]:
    """The rules so that each comes after those that it `requires`.

    Raises:
        RuntimeError: if rules require each other.
    """
    left = {rule.code: rule for rule in rules}
    while left:
        ready = [rule for rule in left.values() if not any(code in left for code in rule.requires)]
        if not ready:
            raise RuntimeError(f"the rules {', '.join(left)} require each other")
        yield from ready
        left = {code: rule for code, rule in left.items() if rule not in ready}


def check(rule: Rule, case: Case) -> str:
    """What became of one rule, whatever others found: one of `STATES`; without the number after the fix.

    >>> check(RULES[0], Case(analyze(Batch.from_arrays(logits=np.eye(3)[None], targets=[[0, 1, 2]]))))
    'found'
    """
    outcome, _ = _checked_outcome(rule, case)
    return outcome.state


def _run(rule: Rule, case: Case, findings: Mapping[str, Finding], given: Batch) -> tuple[Outcome, Finding | None]:
    reason = _reason_to_skip(rule, case, findings)
    if reason:
        return Outcome(rule.code, "skipped", reason), None
    outcome, found = _checked_outcome(rule, case)
    return _judge(rule, found, case, given) if found else (outcome, None)


def _checked_outcome(rule: Rule, case: Case) -> tuple[Outcome, Found | None]:
    try:
        with np.errstate(all="ignore"):
            found = _checked(_found(rule, case), case)
    except CannotTell as unable:
        return Outcome(rule.code, "skipped", str(unable)), None
    except Exception:
        return Outcome(rule.code, "crashed", traceback.format_exc()), None
    return Outcome(rule.code, "found" if found else "passed"), found


def _reason_to_skip(rule: Rule, case: Case, findings: Mapping[str, Finding]) -> str:
    if not case.counts.size:
        return "There is no timestep."
    missing = case.missing(rule.needs)
    if missing and not rule.in_number:
        return missing
    roots = [code for code in rule.requires if code in findings and findings[code].severity != "info"]
    return f"{roots[0]} was found, which explains the same timesteps." if roots else ""


def _found(rule: Rule, case: Case) -> Found | None:
    """What a rule finds in the arrays, else in the number that the loop printed.

    Raises:
        CannotTell: if neither says enough.
    """
    doubt = None
    try:
        found = _found_in_arrays(rule, case)
    except CannotTell as unable:
        found, doubt = None, unable
    if found is None and rule.in_number and not case.lacks(("reported",)):
        cells = masked_otherwise if rule.code in WRONG_MASK else what_counts
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
    """The finding, with its repair where that works: a repair that crashes does not hide what was found."""
    repaired, loss, outcome = None, found.loss_if_fixed, Outcome(rule.code, "found")
    try:
        with np.errstate(all="ignore"):
            repaired = None if found.repaired is None else found.repaired()
            if repaired is not None and loss is None:
                loss = _number(repaired, case.analysis)
    except Exception:
        repaired, outcome = None, Outcome(rule.code, "crashed", traceback.format_exc())
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
    )


def _number_now(found: Found, analysis: Analysis, repaired: Batch | None) -> float:
    """The number that a fix changes: the printed one where it is the loop that changes, else the analysis's own."""
    if "printed" in found.evidence and repaired is None:
        return float(found.evidence["printed"])
    return float(analysis.value) if analysis.is_scalar else math.nan


def _effect(now: float, after: float | None, is_scalar: bool) -> float:
    if after is None or not is_scalar or not math.isfinite(after):
        return math.nan
    return abs(after - now) if math.isfinite(now) else math.inf


def _number(repaired: Batch, analysis: Analysis) -> float | None:
    before, weights = analysis.batch.weights, repaired.weights
    kept = weights is None or (before is not None and np.array_equal(before, weights))
    settings = analysis.settings if kept else analysis.settings.replace(mask=None)  # the weights are the repair
    try:
        after = analysis.with_settings(settings, batch=repaired)
    except LossvizError:
        return None
    return float(after.value) if after.is_scalar else None


def _weight(finding: Finding) -> tuple[int, float, str]:
    effect = 0.0 if math.isnan(finding.effect) else finding.effect
    return SEVERITIES.index(finding.severity), -effect, finding.code

"""Run the rules on a batch: each one ends as found, passed, skipped or crashed, and none stops the others."""

import math
import traceback
from collections.abc import Iterable, Iterator

import numpy as np

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.errors import InputError, LossvizError, did_you_mean
from lossviz.rules._case import Case
from lossviz.rules._catalogue import RULES
from lossviz.rules._diagnosis import Diagnosis, Finding, Outcome
from lossviz.rules._rule import SEVERITIES, CannotTell, Found, Rule

__all__ = ["diagnose", "ordered"]

Select = Iterable[str] | str | None


def diagnose(batch: Batch | Analysis, *, select: Select = None, ignore: Select = None) -> Diagnosis:
    """Find what is wrong with a batch: which rule, which timesteps, by how much, and what to write instead.

    Args:
        batch: a Batch, or the Analysis of one, whose mask and reduction are then those examined.
        select: codes or beginnings of codes ("PAD", "NUM01") to run; by default every rule.
        ignore: codes or beginnings of codes to leave out.

    Raises:
        InputError: if no rule has such a code.

    >>> logits = np.zeros((1, 2, 3))
    >>> logits[0, 1] = np.nan
    >>> diagnosis = diagnose(Batch.from_arrays(logits=logits, targets=[[1, 2]], lengths=[1]), select="NUM01")
    >>> [(finding.code, finding.severity, finding.cells.tolist()) for finding in diagnosis.findings]
    [('NUM01', 'error', [[False, True]])]
    """
    chosen = _chosen(select, ignore)
    case = Case(batch if isinstance(batch, Analysis) else analyze(batch))
    findings: dict[str, Finding] = {}
    outcomes = {}
    for rule in ordered(chosen):
        outcome, found = _run(rule, case, findings)
        outcomes[rule.code] = outcome
        if found is not None:
            findings[rule.code] = _finding(rule, found, case.analysis)
    return Diagnosis(
        case.analysis, tuple(sorted(findings.values(), key=_weight)), tuple(outcomes[r.code] for r in chosen)
    )


def ordered(rules: Iterable[Rule]) -> Iterator[Rule]:
    """The rules so that each comes after those that it `requires`."""
    left = {rule.code: rule for rule in rules}
    while left:
        ready = [rule for rule in left.values() if not any(code in left for code in rule.requires)]
        if not ready:
            raise RuntimeError(f"the rules {', '.join(left)} require each other")
        yield from ready
        left = {code: rule for code, rule in left.items() if rule not in ready}


def _run(rule: Rule, case: Case, findings: dict[str, Finding]) -> tuple[Outcome, Found | None]:
    missing = case.lacks(rule.needs)
    if missing:
        named = " and ".join(f"`{name}`" for name in missing)
        return Outcome(rule.code, "skipped", f"Needs {named}, which this batch does not have."), None
    roots = [code for code in rule.requires if code in findings and findings[code].severity != "info"]
    if roots:
        return Outcome(rule.code, "skipped", f"{roots[0]} was found, which explains the same timesteps."), None
    try:
        with np.errstate(all="ignore"):
            found = rule.check(case)
    except CannotTell as reason:
        return Outcome(rule.code, "skipped", str(reason)), None
    except Exception:
        return Outcome(rule.code, "crashed", traceback.format_exc()), None
    return Outcome(rule.code, "passed" if found is None else "found"), found


def _finding(rule: Rule, found: Found, analysis: Analysis) -> Finding:
    repaired = None if found.repaired is None else found.repaired()
    loss = found.loss_if_fixed
    if repaired is not None and loss is None:
        loss = _number(repaired, analysis)
    now = analysis.value if analysis.is_scalar else math.nan
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
        effect=abs(loss - now) if loss is not None else math.nan,
        repaired=repaired,
    )


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


def _chosen(select: Select, ignore: Select) -> list[Rule]:
    wanted, unwanted = _codes("select", select), _codes("ignore", ignore)
    return [
        rule
        for rule in RULES
        if (select is None or rule.code.startswith(wanted)) and not (unwanted and rule.code.startswith(unwanted))
    ]


def _codes(argument: str, given: Select) -> tuple[str, ...]:
    codes = tuple(given.replace(",", " ").split() if isinstance(given, str) else given or ())
    known = [rule.code for rule in RULES]
    for code in codes:
        if not any(name.startswith(code) for name in known):
            raise InputError(
                f"`{argument}` names no rule: {code!r}.{did_you_mean(code, known)} There are {', '.join(known)}."
            )
    return codes

"""The targets were shifted twice: each timestep is asked for the token after the next one.

## What it checks
Whether more than 95 % of the targets equal the input two timesteps later, and less than half the next one. Else,
whether the number that the loop printed is that of such targets.

## Why it matters
The model never learns what comes next, and writes every other word. It happens where the data is shifted and the model
shifts again.

## Example
Inputs [4, 2, 3, 2] and targets [3, 2, 1, 0]: the loss is 4.071 as it is, and 0.071 against the target before.

## How to fix
Shift in one place only.

## When it is a false alarm
Heads that predict two tokens ahead on purpose: where the logits fit the targets as they are, it is an info. In data
that repeats every two tokens nothing can be told.

## Threads
transformers PR#44642, transformers#32944, transformers PR#562, transformers#5886, transformers#35066, amber-train#6,
InternLM#318, RRHF#49
"""

import numpy as np

from lossviz.fixes import CHANGE, WEIGHTS, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules.shift._permuted_losses import lag_losses, mean_of
from lossviz.rules.shift._shifts import agreement, fitting_lag, moved

__all__ = ["RULE"]

_FIX = (
    WEIGHTS,
    Line(
        CHANGE,
        "inputs, targets = tokens[:, :-1], tokens[:, 1:]  # once\n"
        "weights = tf.concat([weights[:, :1], weights[:, :-1]], 1)",
        "inputs, targets = tokens[:, :-1], tokens[:, 1:]  # once\n"
        "weights = torch.cat([weights[:, :1], weights[:, :-1]], 1)",
    ),
)


def _check(case: Case) -> Found | None:
    (twice, count), (once, _), (same, _) = agreement(case, 2), agreement(case, 1), agreement(case, 0)
    if count < 2 or twice <= 0.95 or once >= 0.5:
        return None
    if same > 0.95:
        raise CannotTell("The inputs repeat every two timesteps: the targets could be those of either.")
    lag = fitting_lag(case)
    if lag != -1 and not _is_no_chance(case, count):
        raise CannotTell(f"{count} targets are the input two timesteps later, too few to exclude chance.")
    now, earlier = mean_of(lag_losses(case, 0)), mean_of(lag_losses(case, -1))
    return Found(
        message=f"{twice:.0%} of the targets are the input two timesteps later, {once:.0%} the next one"
        + _meaning(lag, now, earlier),
        cells=case.counts.copy(),
        evidence={
            "targets that are the input two timesteps later": twice,
            "targets that are the next input": once,
            "mean loss": now,
            "mean loss, targets one timestep earlier": earlier,
        },
        fix=written(_FIX, case.analysis),
        repaired=lambda: moved(case, -1, case.batch.inputs),
        severity="info" if lag == 0 else None,
    )


def _meaning(lag: int | None, now: float, earlier: float) -> str:
    if lag == -1:
        return f": they were shifted twice; the logits fit the target before, {earlier:.4g} nats instead of {now:.4g}."
    if lag == 0:
        return ", and the model predicts them: right for a head that looks two tokens ahead."
    return ": they were shifted twice."


def _is_no_chance(case: Case, count: int) -> bool:
    """Whether that many equal tokens are rarer than 1 in 1,000, if the commonest one is drawn each time."""
    _, each = np.unique(case.targets[case.counts], return_counts=True)
    return bool(count * np.log(each.max() / each.sum()) < np.log(1e-3))


RULE = Rule(
    code="SHF02",
    name="shifted-twice",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="shifts",
    needs=("inputs", "logits"),
    checks_reported=True,
)
"""Targets come one timestep after their inputs, not two."""

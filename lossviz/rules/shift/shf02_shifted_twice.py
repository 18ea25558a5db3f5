"""The targets were shifted twice: each timestep must predict the token after the next one.

## What it checks
Whether more than 95 % of the targets equal the input two timesteps later, and fewer than half equal the next input. If
not, whether the number that the training loop printed is the one such targets would give.

## Why it matters
The model never learns what comes next, and generates every other word. This happens when the data is already shifted
and the model shifts again.

## Example
Inputs [4, 2, 3, 2] and targets [3, 2, 1, 0]: the loss is 4.071 as given, and 0.071 against the previous target.

## How to fix
Shift in one place only.

## When it is a false alarm
Heads that predict two tokens ahead on purpose: if the logits fit the targets as given, it is an info. If the data
repeats every two tokens, the rule can't tell.

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
        "inputs, targets = tokens[:, :-1], tokens[:, 1:]  # once\n"
        "weights = jnp.concatenate([weights[:, :1], weights[:, :-1]], 1)",
    ),
)


def _check(case: Case) -> Found | None:
    (twice, count), (once, _), (same, _) = agreement(case, 2), agreement(case, 1), agreement(case, 0)
    if count < 2 or twice <= 0.95 or once >= 0.5:
        return None
    if same > 0.95:
        raise CannotTell(
            "The inputs repeat every two timesteps, so the targets fit both the input and the one two later."
        )
    lag = fitting_lag(case)
    if lag != -1 and not _is_no_chance(case, count):
        raise CannotTell(f"Only {count} targets equal the input two timesteps later: too few to rule out chance.")
    now, earlier = mean_of(lag_losses(case, 0)), mean_of(lag_losses(case, -1))
    return Found(
        message=f"{twice:.0%} of the targets equal the input two timesteps later, {once:.0%} the next input"
        + _meaning(lag, now, earlier),
        cells=case.mask.copy(),
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
        return f": they were shifted twice, and the logits fit the previous target: {earlier:.4g} nats, not {now:.4g}."
    if lag == 0:
        return ", and the model predicts them: correct for a head that predicts two tokens ahead."
    return ": they were shifted twice."


def _is_no_chance(case: Case, count: int) -> bool:
    """Whether so many matches would occur in fewer than 1 of 1,000 cases, if each had the commonest token's chance."""
    _, each = np.unique(case.targets[case.mask], return_counts=True)
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

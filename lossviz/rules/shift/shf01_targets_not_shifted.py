"""The targets are the inputs: each timestep is asked for the token that it just read.

## What it checks
Whether more than 95 % of the targets equal the input of the same timestep, less than half the next one, and whether
the logits fit the targets one timestep later. Else, whether the number that the loop printed is that of such targets.

## Why it matters
A model that is trained so learns to copy: its loss falls to 0 and it can't write a word. A model that was trained right
looks hopeless.

## Example
Inputs and targets [4, 2, 3, 2]: the loss is 4.071 as it is, and 0.071 against the target after.

## How to fix
Shift once: inputs are all tokens but the last, targets all but the first, and the mask goes with the targets.

## When it is a false alarm
Models of Hugging Face shift inside, so `labels=input_ids` is right there: who shifts? Taggers and autoencoders predict
the token that they read. Only logits that fit the next target make it an error.

## Threads
pretraining PR#64, transformers#17960, transformers PR#17987, transformers#27161, transformers PR#25044,
llm-foundry PR#288
"""

from lossviz.fixes import CHANGE, WEIGHTS, both, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules.shift._permuted_losses import lag_losses, mean_of
from lossviz.rules.shift._shifts import agreement, fitting_lag, is_printed, moved

__all__ = ["RULE"]

_FIX = (
    WEIGHTS,
    both("inputs, targets, weights = tokens[:, :-1], tokens[:, 1:], weights[:, 1:]\nlogits = model(inputs)", CHANGE),
)


def _check(case: Case) -> Found | None:
    (same, count), (following, _) = agreement(case, 0), agreement(case, 1)
    if count < 2 or same <= 0.95 or following >= 0.5:
        return None
    lag = fitting_lag(case)
    now, later = mean_of(lag_losses(case, 0)), mean_of(lag_losses(case, 1))
    return Found(
        message=f"{same:.0%} of the targets are the input of their own timestep{_meaning(case, lag, now, later)}.",
        cells=case.counts.copy(),
        evidence={
            "targets that are their own input": same,
            "targets that are the next input": following,
            "mean loss": now,
            "mean loss, targets one timestep later": later,
        },
        fix=written(_FIX, case.analysis),
        repaired=lambda: moved(case, 1),
        severity=None if lag == 1 and not is_printed(case, later) else "info",
    )


def _meaning(case: Case, lag: int | None, now: float, later: float) -> str:
    if lag == 1:
        fits = f", while the logits fit the next one: {later:.4g} nats instead of {now:.4g}"
        return fits + ("; the printed number is that, so the model shifts inside" if is_printed(case, later) else "")
    if lag == 0:
        return ", and the model copies them: right for taggers and autoencoders, wrong for a language model"
    return "; the logits don't say whether that is meant"


RULE = Rule(
    code="SHF01",
    name="targets-not-shifted",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="targets",
    needs=("inputs", "logits"),
    checks_reported=True,
)
"""Targets come one timestep after their inputs."""

"""The targets are the inputs: each timestep must predict the token that it just read.

## What it checks
Whether more than 95 % of the targets equal the input of the same timestep, fewer than half equal the next input, and
the logits fit the targets one timestep later. If not, whether the number that the training loop printed is the one
such targets would give.

## Why it matters
A model trained this way learns to copy: its loss falls to 0, but it can't generate text. A correctly trained model
looks hopeless.

## Example
Inputs and targets [4, 2, 3, 2]: the loss is 4.071 as given, and 0.071 against the next target.

## How to fix
Shift once: the inputs are all tokens but the last, the targets all but the first, and the mask moves with the targets.

## When it is a false alarm
Hugging Face models shift internally, so `labels=input_ids` is correct there: check who shifts. Taggers and
autoencoders predict the token that they read. It is an error only if the logits fit the next target.

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
        message=f"{same:.0%} of the targets equal the input of the same timestep{_meaning(case, lag, now, later)}.",
        cells=case.mask.copy(),
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
        return fits + (
            "; the printed number is the former, so the model shifts internally" if is_printed(case, later) else ""
        )
    if lag == 0:
        return ", and the model copies them: correct for taggers and autoencoders, wrong for a language model"
    return "; the logits can't tell whether that is intended"


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

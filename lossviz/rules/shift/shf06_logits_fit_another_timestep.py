"""The logits fit the targets of another timestep.

## What it checks
The mean loss of the logits against the targets up to two timesteps earlier and later. It is an error if another
timestep is better by more than half a nat, while the loss as given is about that of a uniform guess or worse, and the
logits predict those targets better than the batch's average prediction does.

## Why it matters
Every gradient pulls towards the wrong token. Later targets fit if nobody shifted; earlier targets fit if they were
shifted twice.

## Example
A model that confidently predicts the next token has a loss of 4.071 nats against the token that it read, and 0.071
against the next one.

## How to fix
Compare `logits[:, :-1]` with `tokens[:, 1:]`, exactly once.

## When it is a false alarm
An untrained model fits nowhere, and data with little variety fits everywhere; neither is reported.

## Threads
pretraining PR#64, transformers PR#44642, transformers#17960, transformers#5886
"""

from lossviz.fixes import LOSE, LOSSES, MEAN, WEIGHTS, both, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules.shift._misalignment import LAGS, best_fit
from lossviz.rules.shift._permuted_losses import lag_losses, mean_of
from lossviz.rules.shift._shifts import agreement, is_printed, moved

__all__ = ["RULE"]

ALL = 0.95
"""The share of targets that must be the next input for the targets to be where they belong."""
REPEATS = ", the token that the model reads there: it repeats its input, as an untrained model with tied weights does"


def _check(case: Case) -> Found | None:
    fit = best_fit(case)
    if fit is None or fit.kind != "lag":
        return None
    lag = fit.lag
    repeats = lag == -1 and agreement(case, 1)[0] > ALL
    losses = {k: mean_of(lag_losses(case, k)) for k in sorted((0, *LAGS))}
    timesteps = "timestep" if abs(lag) == 1 else "timesteps"
    inside = is_printed(case, losses[lag])
    return Found(
        message=f"The logits fit the targets {abs(lag)} {timesteps} {'later' if lag > 0 else 'earlier'}: "
        f"{losses[lag]:.4g} nats instead of {losses[0]:.4g}{REPEATS if repeats else _cause(lag, inside)}.",
        cells=fit.cells,
        evidence={f"mean loss, lag {k:+d}" if k else "mean loss": loss for k, loss in losses.items()},
        fix={} if repeats else _fix(case, lag),
        repaired=None if repeats else lambda: moved(case, lag),
        severity="info" if inside or repeats else None,
    )


def _cause(lag: int, inside: bool) -> str:
    if inside:
        return "; the printed number is the former, so the training loop shifts internally"
    return {1: "; the targets were not shifted", -1: "; the targets were shifted twice"}.get(lag, "")


def _fix(case: Case, lag: int) -> dict[str, str]:
    if lag > 0:
        sliced = f"targets, weights = targets[:, {lag}:], weights[:, {lag}:]\nlogits = logits[:, :-{lag}]"
    else:
        sliced = f"targets, weights = targets[:, :{lag}], weights[:, :{lag}]\nlogits = logits[:, {-lag}:]"
    return written([WEIGHTS, both(sliced, LOSE), LOSSES, MEAN], case.analysis)


RULE = Rule(
    code="SHF06",
    name="logits-fit-another-timestep",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="alignment",
    needs=("logits",),
)
"""The logits fit their own targets best."""

"""Losses under the mask are NaN or infinite, and multiplying by the mask lets them through.

## What it checks
Whether the logits make a loss NaN or infinite where the weight is 0, while every loss that counts is finite.

## Why it matters
`0 * nan` is `nan`: a training loop that multiplies losses by the mask prints NaN, or its gradients are NaN although
the loss is not. Applying `where` to the loss alone fixes the number but leaves the gradient NaN.

## Example
One padded row of logits is NaN: `reduce_sum(loss * mask)` is NaN; `reduce_sum(where(mask, loss, 0))` is correct, but
its gradient is NaN for every class of that row.

## How to fix
Mask before the cross entropy: put harmless logits where the mask is 0, then mask the loss.

## When it is a false alarm
If the training loop replaces the logits before the loss, as `lossviz.sequence_loss` does, nothing leaks; the model
still produced NaN.

## Threads
Megatron-Bridge PR#3117, WeatherGenerator#2723, WeatherGenerator PR#2717, verl PR#6349, wtte-rnn#50, keras#18818
"""

from lossviz.fixes import fix_of
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many
from lossviz.rules.numeric._nonfinite import leaks, sanitised

__all__ = ["RULE"]


def _check(case: Case) -> Found | None:
    cells = leaks(case)
    if not cells.any():
        return None
    count = int(cells.sum())
    return Found(
        message=f"{many(count, 'padded timestep has', 'padded timesteps have')} NaN or infinite logits: "
        "multiplying by the mask makes the loss or its gradients NaN.",
        cells=cells,
        evidence={
            "timesteps under the mask": count,
            "NaN or infinite logits": int(case.analysis.non_finite[cells].sum()),
        },
        fix=fix_of(["NUM01"], case.analysis),
        repaired=lambda: sanitised(case, cells),
    )


RULE = Rule(
    code="NUM01",
    name="non-finite-under-mask",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="numbers",
    requires=("NUM02",),
    needs=("logits",),
)
"""Losses under the mask are finite."""

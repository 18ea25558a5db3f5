"""The printed number is finite, but masking the loss only after the cross entropy makes the gradient NaN.

## What it checks
Whether the softmax is NaN somewhere under the mask while the reported number is finite, which means that the training
loop masks with `where` rather than by multiplying.

## Why it matters
`where(mask, loss, 0)` gives the correct number, but the gradient through the branch not taken is 0 · NaN = NaN: one
optimizer step makes every weight NaN, and the printed loss gives no warning.

## Example
`where(v > 0, log(v), 0)` at v = 0 is 0, but its gradient is NaN; with a second `where` around v, the gradient is 0.

## How to fix
Use `where` twice: harmless logits before the cross entropy, 0 after it.

## When it is a false alarm
If the training loop also replaces the logits before the cross entropy, the gradient is 0. Inspect the gradient of the
logits once.

## Threads
tensorflow#2540, tensorflow#20091, tensorflow#27684, tensorflow#38349, pytorch#23156, pytorch#31829, returnn#576
"""

import math

from lossviz.fixes import fix_of
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many
from lossviz.rules.numeric._nonfinite import broken_rows, leaks, sanitised

__all__ = ["RULE"]


def _check(case: Case) -> Found | None:
    reported = case.batch.reported or "nan"
    # -inf at the target alone leaves the softmax, and with it the gradient, finite.
    cells = leaks(case) & broken_rows(case)
    if not cells.any() or not math.isfinite(float(reported)):
        return None
    count = int(cells.sum())
    gradients = count * case.shape[2]
    return Found(
        message=f"The printed {reported} is finite, so the training loop masks losses with `where`; "
        "unless it also replaces the logits first, "
        f"{many(gradients, 'gradient is', 'gradients are')} NaN, at "
        f"{many(count, 'padded timestep', 'padded timesteps')}.",
        cells=cells,
        printed=reported,
        evidence={"timesteps under the mask": count, "NaN gradients": gradients, "printed": float(reported)},
        fix=fix_of(["NUM01"], case.analysis),
        repaired=lambda: sanitised(case, cells),
    )


RULE = Rule(
    code="NUM02",
    name="gradient-through-where",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="numbers",
    needs=("reported",),
)
"""Gradients under the mask are finite."""

"""The loss was taken from other logits than these: scaled, tempered or soft-capped.

## What it checks
Whether the printed number is the mean loss of the logits times or divided by a usual number (a scale, a temperature),
or before or after a soft cap, c · tanh(z / c) with c from 10 to 100, where no formula of the recorded logits gives it.

## Why it matters
A fused loss that leaves out the model's logit scale or soft cap trains another model than the one that is evaluated; a
sampling temperature in the loss changes every gradient.

## Example
The golden batch has a mean of 1.2545; a loop that takes the loss of its logits × 0.5 prints 1.4097.

## How to fix
Take the loss from the logits as the model returns them: pass its scale or cap to a fused loss, and keep the temperature
out of it.

## When it is a false alarm
If the model scales or caps its logits after the ones that were recorded, the loop is right: record the final ones. With
fewer than five digits nothing is said, since one of a hundred scales comes close by chance.

## Threads
No thread of its own: rebuilt after reports of fused losses without the model's logit scale or soft cap
"""

from lossviz.rules._core.printed_number import printed_rule, unmasked

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="MOD10",
    name="other-logits",
    severity="warning",
    cells=unmasked,
    requires=("MOD01",),
)

"""NaN or infinite losses lie under the mask, where a multiplication would let them out.

## What it checks
Whether a loss or a logit is NaN or infinite where the weight is 0, while every loss that counts is finite.

## Why it matters
`0 * nan` is `nan`: a loop that multiplies its losses by the mask prints NaN, or its gradients are NaN although the loss
is not. `where` on the loss alone mends the number and leaves the gradient NaN.

## Example
One padded row of logits is NaN: `reduce_sum(loss * mask)` is NaN, `reduce_sum(where(mask, loss, 0))` is right, and its
gradient has NaN in every class of that row.

## How to fix
Select before the cross entropy: put harmless logits where the mask is 0, then mask the loss.

## When it is a false alarm
Where the loop selects before the loss, as `lossviz.sequence_loss` does, nothing leaks; the model still wrote NaN.

## Threads
Megatron-Bridge PR#3117, WeatherGenerator#2723, verl PR#6349, wtte-rnn#50, keras#18818
"""

import numpy as np

from lossviz.rules._case import Case
from lossviz.rules._rule import Found, Rule

__all__ = ["RULE"]


def _check(case: Case) -> Found | None:
    broken = (case.analysis.non_finite > 0) | ~np.isfinite(case.loss)
    in_range = (case.targets >= 0) & (case.targets < case.shape[2])
    cells = ~case.counts & broken & (in_range | (case.analysis.non_finite > 0))
    if not cells.any() or not np.isfinite(case.loss[case.counts]).all():
        return None
    logits = np.where(cells[..., None], 0, case.batch.logits)
    many = int(cells.sum())
    return Found(
        message=f"{many} padded {'timestep has' if many == 1 else 'timesteps have'} NaN or infinite logits: "
        "a loop that multiplies by the mask gets NaN in its loss or its gradients.",
        cells=cells,
        evidence={
            "timesteps under the mask": many,
            "NaN or infinite logits": int(case.analysis.non_finite[cells].sum()),
        },
        fix={
            "TensorFlow": "safe = tf.where(weights[..., None] > 0, logits, 0.0)\n"
            "loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=safe)",
            "PyTorch": "safe = torch.where(weights[..., None] > 0, logits, 0.0)\n"
            'loss = F.cross_entropy(safe.flatten(0, 1), targets.flatten(), reduction="none")',
        },
        repaired=lambda: case.batch.replace(logits=logits),
    )


RULE = Rule(
    code="NUM01",
    name="non-finite-under-mask",
    severity="error",
    doc=__doc__ or "",
    check=_check,
)

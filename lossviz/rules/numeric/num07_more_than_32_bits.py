"""The logits have more elements than a 32-bit index can address.

## What it checks
Whether B · T · V exceeds 2³¹ − 1.

## Why it matters
GPU kernels that index the flattened logits with 32 bits access the wrong memory: an illegal access, or silently wrong
losses and gradients.

## Example
43 × 2047 × 50,000 = 4.40e9 elements, the first batch size that failed in pytorch#111484.

## How to fix
Compute the loss for a few sequences at a time, add up losses and counts, and divide once.

## When it is a false alarm
Newer builds index these kernels with 64 bits, and the CPU always did. This is a risk, not a proof.

## Threads
pytorch#85786, pytorch#90793, pytorch#111484, pytorch#190139, Paddle PR#30590, audio#3736
"""

import numpy as np

from lossviz.fixes import MEAN, weigh
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule

__all__ = ["RULE"]

MAX_INT32 = 2**31 - 1


def _check(case: Case) -> Found | None:
    sequences, timesteps, classes = case.shape
    elements = sequences * timesteps * classes
    if elements <= MAX_INT32:
        return None
    ends = np.arange(1, sequences * timesteps + 1, dtype=np.int64) * classes
    rows = max(1, MAX_INT32 // (timesteps * classes))
    return Found(
        message=f"{sequences:,} × {timesteps:,} × {classes:,} = {elements:.3g} logits, more than {MAX_INT32:,}, the "
        "largest 32-bit index: some GPU kernels silently go wrong.",
        cells=(ends > MAX_INT32).reshape(sequences, timesteps),
        evidence={"logits": elements, "largest 32-bit index": MAX_INT32, "sequences that fit": rows},
        fix=_fix(case, rows),
    )


def _fix(case: Case, rows: int) -> dict[str, str]:
    weights = weigh(case.batch, case.batch.declared_mask)
    lines = {
        "TensorFlow": (
            weights[0],
            "losses = tf.concat([tf.nn.sparse_softmax_cross_entropy_with_logits(",
            f"    targets[i:i + {rows}], logits[i:i + {rows}]) for i in range(0, targets.shape[0], {rows})], 0)",
            MEAN.tensorflow,
        ),
        "PyTorch": (
            weights[1],
            'losses = torch.cat([F.cross_entropy(z.transpose(1, 2), y, reduction="none")',
            f"    for z, y in zip(logits.split({rows}), targets.split({rows}))])",
            MEAN.pytorch,
        ),
        "JAX": (
            weights[2],
            "losses = jnp.concatenate([optax.softmax_cross_entropy_with_integer_labels(",
            f"    logits[i:i + {rows}], targets[i:i + {rows}]) for i in range(0, len(targets), {rows})])",
            MEAN.jax,
        ),
    }
    return {library: "\n".join(text for text in texts if text) for library, texts in lines.items()}


RULE = Rule(
    code="NUM07", name="more-than-32-bits", severity="warning", doc=__doc__ or "", check=_check, needs=("logits",)
)
"""A 32-bit index reaches every logit."""

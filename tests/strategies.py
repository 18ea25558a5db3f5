"""Ways to reduce, and batches to try them on."""

import numpy as np
from hypothesis import strategies as st

from lossviz import Batch, Settings
from lossviz.reductions import REDUCTIONS
from tests.flags import RULES as FLAGS

BY_NAME = {
    reduction.name: Settings(reduction=reduction.name, accumulation_steps=2)
    for reduction in REDUCTIONS
    if reduction.name not in ("classification", "sequence_loss")
} | {"max_length_7": Settings(reduction="max_length", max_length=7)}
RULES = BY_NAME | {name: Settings(None, "sequence_loss", *flags) for name, flags in FLAGS.items()}


@st.composite
def batches(draw, *, weights=None, most=4):
    """Batches of finite logits with ties, wide spreads and weights among 0, ½, 1, 2 and −1."""
    shape = draw(st.tuples(*[st.integers(1, most)] * 2, st.integers(2, 7)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([0.0, 1.0, 5.0, 100.0]))
    offset = draw(st.sampled_from([0.0, -1e4, 1e4]))
    logits = np.round(random.normal(size=shape) * spread, 1) + offset
    allowed = weights or draw(st.sampled_from([(1.0,), (0.0, 1.0), (0.0, 0.5, 1.0, 2.0), (-1.0, 0.0, 1.0)]))
    return Batch.from_arrays(
        logits=logits,
        targets=random.integers(shape[2], size=shape[:2]),
        weights=random.choice(allowed, size=shape[:2]),
    )

"""Batches of the oracle, as lossviz sees them, and what their loops were told."""

from lossviz import Analysis, Batch, analyze
from lossviz.conventions import convention_coded
from lossviz.reductions import Options
from tests.golden import FRACTIONAL, golden_batch
from tests.printed.random_given import random_given

GROUPS = ((0,), (1, 2))
CLASS_WEIGHTS = (0.3, 2.0, 1.0, 1.5, 0.7, 1.2)
BYTES = (0, 0, 1, 3, 2, 4)
OPTIONS = Options(groups=GROUPS, smoothing=0.1, class_weights=CLASS_WEIGHTS, bytes_per_token=BYTES, z_loss=0.01)
"""What the golden batch's loop was told."""


def analysis_of(given) -> Analysis:
    return analyze(
        Batch.from_arrays(
            logits=given.logits,
            targets=given.targets,
            lengths=given.lengths,
            weights=given.weights,
            inputs=given.inputs,
            pad_id=given.pad_id,
            eos_id=given.eos_id,
        )
    )


def options_of(given) -> Options:
    return Options(
        accumulation_steps=given.accumulation_steps,
        world_size=given.world_size,
        groups=given.groups,
        max_length=given.max_length,
        smoothing=given.smoothing,
        class_weights=given.class_weights,
        bytes_per_token=given.bytes_per_token,
        z_loss=given.z,
    )


def random_analysis(seed, **changes):
    """(given, analysis, options) of one random batch."""
    given = random_given(seed, **changes)
    return given, analysis_of(given), options_of(given)


def golden_analysis(**changes) -> Analysis:
    return analyze(golden_batch(pad_id=0, eos_id=1, **changes))


def weighted_analysis() -> Analysis:
    return golden_analysis(lengths=None, weights=FRACTIONAL)


def value(code, analysis, options=None) -> float:
    return convention_coded(code).value(analysis, options)

"""Every number of an Analysis against the decimals of `tests.oracle`, `tf.nn` and the gradients of two frameworks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz import Batch, Settings, analyze
from tests import oracle

RULES = {
    "mean": Settings(),
    "language_model": Settings(reduction="language_model"),
    "encoder_decoder": Settings(reduction="encoder_decoder"),
    "at+ab": Settings(reduction="sequence_loss"),
    "st+sb": Settings(
        reduction="sequence_loss",
        average_across_timesteps=False,
        average_across_batch=False,
        sum_over_timesteps=True,
        sum_over_batch=True,
    ),
    "at": Settings(reduction="sequence_loss", average_across_batch=False),
    "ab": Settings(reduction="sequence_loss", average_across_timesteps=False),
    "st": Settings(
        reduction="sequence_loss", average_across_timesteps=False, average_across_batch=False, sum_over_timesteps=True
    ),
    "sb": Settings(
        reduction="sequence_loss", average_across_timesteps=False, average_across_batch=False, sum_over_batch=True
    ),
    "none": Settings(reduction="sequence_loss", average_across_timesteps=False, average_across_batch=False),
}
SCALARS = ("mean", "language_model", "encoder_decoder", "at+ab", "st+sb")
close = np.testing.assert_allclose


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


@given(batches())
@settings(deadline=None, max_examples=40)
def test_analyze_agrees_with_decimals_at_every_timestep(batch):
    expected = oracle.timesteps(batch.logits, batch.targets)
    a = analyze(batch, RULES["language_model"])
    close(a.batch_loss, expected["batch_loss"], rtol=1e-12)
    close(a.probability, expected["probability"], rtol=1e-12)
    close(a.perplexity, np.exp(expected["batch_loss"]), rtol=1e-11)
    close(a.entropy, expected["entropy"], rtol=1e-11, atol=1e-15)
    assert a.rank.tolist() == expected["rank"].tolist()
    close(a.gradient_norm, np.abs(batch.weights) * expected["gradient_norm"], rtol=1e-11)
    close(a.unpadded_loss, batch.weights * expected["batch_loss"], rtol=1e-12)
    assert a.mask.tolist() == (batch.weights != 0).tolist()
    assert a.weights.tolist() == batch.weights.tolist()
    assert not a.non_finite.any()
    assert a.invalid.tolist() == (batch.weights < 0).tolist()


@given(batches())
@settings(deadline=None, max_examples=20)
def test_analyze_lists_the_five_largest_classes(batch):
    a = analyze(batch)
    for b, t in np.ndindex(*batch.targets.shape):
        expected = oracle.top_five(batch.logits[b, t])
        missing = 5 - len(expected)
        assert a.top_classes[b, t].tolist() == [v for v, _ in expected] + [-1] * missing
        close(a.top_probabilities[b, t], [p for _, p in expected] + [0.0] * missing, rtol=1e-12)
        assert a.prediction[b, t] == expected[0][0]


@pytest.mark.parametrize("rule", RULES)
@given(batch=batches())
@settings(deadline=None, max_examples=15)
def test_analyze_reduces_as_the_formula_says(rule, batch):
    numerator, divisor, value = oracle.reduced(
        oracle.timesteps(batch.logits, batch.targets)["batch_loss"], batch.weights, rule
    )
    a = analyze(batch, RULES[rule])
    assert np.shape(a.value) == np.shape(a.divisor) == np.shape(a.numerator) == np.shape(value)
    assert a.is_scalar == isinstance(a.value, float) == (rule in SCALARS)
    close(a.numerator, numerator, rtol=1e-11, atol=1e-9)
    close(a.divisor, divisor, rtol=1e-12)
    close(a.value, value, rtol=1e-11, atol=1e-9)

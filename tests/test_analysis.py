"""Every number of an Analysis against the decimals of `tests.oracle`, `tf.nn` and the gradients of two frameworks."""

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
import torch
from hypothesis import given, settings

from lossviz import Batch, Settings, analyze, sequence_loss
from lossviz.errors import Cancelled, SettingsError
from tests import oracle
from tests.flags import ILLEGAL
from tests.strategies import BY_NAME, RULES, batches

SCALARS = (*BY_NAME, "at+ab", "st+sb")
close = np.testing.assert_allclose


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
    numerator, divisor, value = oracle.reduced(oracle.losses(batch.logits, batch.targets), batch.weights, rule)
    a = analyze(batch, RULES[rule])
    assert np.shape(a.value) == np.shape(a.divisor) == np.shape(a.numerator) == np.shape(value)
    assert a.is_scalar == isinstance(a.value, float) == (rule in SCALARS)
    close(a.numerator, numerator, rtol=1e-11, atol=1e-9)
    close(a.divisor, divisor, rtol=1e-12)
    close(a.value, value, rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("rule", RULES)
@given(batch=batches(weights=(0.0, 0.5, 1.0, 2.0)))
@settings(deadline=None, max_examples=10)
def test_shares_sum_to_one_of_each_number(rule, batch):
    a = analyze(batch, RULES[rule])
    axis = {"at": 1, "st": 1, "ab": 0, "sb": 0}.get(rule)
    sums = a.share if rule == "none" else a.share.sum(axis)
    close(sums, np.where(np.asarray(a.value) != 0, 1.0, 0.0), rtol=1e-12)
    assert not a.share[~a.mask].any()


@pytest.mark.parametrize("rule", RULES)
@given(batch=batches())
@settings(deadline=None, max_examples=10)
def test_coefficients_times_losses_add_up_to_the_number(rule, batch):
    """The number is Σ coefficient · batch_loss, and the gradient of each loss's logits is its coefficient's size."""
    a = analyze(batch, RULES[rule])
    expected = oracle.coefficients(batch.weights, rule)
    close(a.coefficients, expected, rtol=1e-12, atol=1e-15)
    axis = tuple(a.reduced_axes)
    close((a.coefficients * np.where(a.mask, a.batch_loss, 0)).sum(axis), a.value, rtol=1e-10, atol=1e-9)
    norms = oracle.timesteps(batch.logits, batch.targets)["gradient_norm"]
    close(a.gradient_norm, np.abs(expected) * norms, rtol=1e-10)


@pytest.mark.parametrize("rule", RULES)
@given(batch=batches())
@settings(deadline=None, max_examples=6)
def test_gradient_norm_is_that_of_the_number_in_tensorflow_and_torch(rule, batch):
    scale = oracle.coefficients(batch.weights, rule)
    variable = tf.Variable(batch.logits)
    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=batch.targets, logits=variable)
        number = tf.reduce_sum(scale * losses)
    by_tensorflow = np.linalg.norm(tape.gradient(number, variable).numpy(), axis=2)
    tensor = torch.tensor(batch.logits, requires_grad=True)
    losses = torch.nn.functional.cross_entropy(tensor.permute(0, 2, 1), torch.tensor(batch.targets), reduction="none")
    (losses * torch.tensor(scale)).sum().backward()
    norms = analyze(batch, RULES[rule]).gradient_norm
    close(norms, by_tensorflow, rtol=1e-9, atol=1e-12)
    close(norms, np.linalg.norm(tensor.grad.numpy(), axis=2), rtol=1e-9, atol=1e-12)


@given(batches(weights=(0.0, 0.5, 1.0)))
@settings(deadline=None, max_examples=10)
def test_analyze_is_the_sequence_loss_of_the_engine(batch):
    for rule in ("at+ab", "st+sb", "at", "ab", "st", "sb", "none"):
        expected = sequence_loss(batch.logits, batch.targets, batch.weights, *RULES[rule].flags)
        close(analyze(batch, RULES[rule]).value, expected.numpy(), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("flags", "message"), ILLEGAL.items())
def test_analyze_refuses_a_contradiction_before_the_long_work(golden, flags, message):
    chosen = Settings("lengths", "sequence_loss", *flags)
    asked = []
    with pytest.raises(SettingsError) as caught:
        analyze(golden, chosen, progress=lambda *done: asked.append(done))
    assert str(caught.value) == message
    assert asked == []
    with pytest.raises(SettingsError):
        analyze(golden).with_settings(chosen)


def test_flags_matter_to_sequence_loss_alone(golden):
    assert analyze(golden, Settings("lengths", "mean", True, True, True, True)).value == analyze(golden).value


@pytest.mark.parametrize("rule", RULES)
def test_with_settings_is_a_fresh_analysis(golden, rule):
    chosen = RULES[rule].replace(mask="nonpad")
    changed, fresh = analyze(golden).with_settings(chosen), analyze(golden, chosen)
    for name in ("value", "divisor", "share", "gradient_norm", "unpadded_loss", "weights"):
        assert np.array_equal(getattr(changed, name), getattr(fresh, name))
    assert (changed.settings, changed.reduction.name) == (chosen, chosen.reduction)


def test_analyze_reports_progress_and_can_be_stopped(golden):
    steps = []
    analyze(golden, progress=lambda done, total: steps.append((done, total)))
    assert steps[0] == (0, 15)
    assert steps[-1] == (15, 15)

    def stop(done, total):
        raise Cancelled("enough")

    with pytest.raises(Cancelled, match=r"^enough$"):
        analyze(golden, progress=stop)


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [("float64", 1e-12), ("float32", 2e-6), ("float16", 2e-6), (ml_dtypes.bfloat16, 2e-6), (">f4", 2e-6)],
)
@pytest.mark.parametrize("offset", [0.0, 1e4, -1e4])
def test_analyze_is_as_exact_as_its_logits(dtype, tolerance, offset):
    logits = (np.random.default_rng(5).normal(size=(3, 4, 9)) * 4 + offset).astype(dtype)
    targets = np.random.default_rng(6).integers(9, size=(3, 4))
    a, expected = analyze(Batch.from_arrays(logits=logits, targets=targets)), oracle.timesteps(logits, targets)
    close(a.batch_loss, expected["batch_loss"], rtol=tolerance)
    close(a.entropy, expected["entropy"], rtol=5 * tolerance)
    close(a.probability, expected["probability"], rtol=5 * tolerance)
    close(a.gradient_norm * a.divisor, expected["gradient_norm"], rtol=tolerance)
    assert a.rank.tolist() == expected["rank"].tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tiny_losses_keep_their_digits(dtype):
    logits = np.array([[[18.5, 0, -3, 0], [40, 0, 0, 0], [0, 90, 1, 2]]], dtype)
    targets = np.array([[0, 0, 1]])
    a, expected = analyze(Batch.from_arrays(logits=logits, targets=targets)), oracle.timesteps(logits, targets)
    assert expected["batch_loss"].max() < 2e-8
    for name in ("batch_loss", "entropy"):
        close(getattr(a, name), expected[name], rtol=5e-6)
    close(a.gradient_norm * 3, expected["gradient_norm"], rtol=2e-6)
    assert repr(a) == "Analysis(6.312e-09 nats = 1.893e-08 ÷ 3 timesteps that count)"


def test_repr_keeps_the_digits_of_a_large_divisor():
    batch = Batch.from_arrays(logits=np.zeros((1, 1, 2)), targets=[[0]], weights=[[1234567.0]])
    assert repr(analyze(batch)) == "Analysis(0.6931 nats = 855736.6353 ÷ 1234567 the sum of the weights)"


@pytest.mark.parametrize("rows", [slice(None), slice(1, 3)], ids=["whole", "slice"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_analyze_of_mapped_logits_is_that_of_the_same_in_memory(tmp_path, rows, dtype):
    path = tmp_path / "logits.npy"
    np.save(path, np.random.default_rng(2).normal(size=(4, 5, 6)).astype(dtype))
    mapped = np.load(path, mmap_mode="r")[rows]
    targets = np.random.default_rng(3).integers(6, size=mapped.shape[:2])
    a, b = (analyze(Batch.from_arrays(logits=logits, targets=targets)) for logits in (mapped, np.array(mapped)))
    assert isinstance(a.batch.logits, np.memmap)
    for name in ("batch_loss", "entropy", "gradient_norm", "top_probabilities", "rank"):
        assert getattr(a, name).tolist() == getattr(b, name).tolist()
    close(a.batch_loss, oracle.losses(np.array(mapped), targets), rtol=1e-12)


def test_other_weights_share_the_losses_and_other_targets_do_not(small):
    """What is computed again is the same as from the beginning."""
    batch = small(lengths=[2, 1])
    first = analyze(batch)
    shorter = batch.replace(lengths=[1, 1])
    assert (shorter.shares_losses(batch), batch.replace(targets=1 - batch.targets).shares_losses(batch)) == (
        True,
        False,
    )
    again = first.with_settings(Settings(reduction="language_model"), batch=shorter)
    assert again._timesteps is first._timesteps
    assert again.value == analyze(shorter, Settings(reduction="language_model")).value
    changed = batch.replace(logits=batch.logits + np.arange(batch.shape[2]))
    assert first.with_settings(Settings(), batch=changed).value == analyze(changed).value

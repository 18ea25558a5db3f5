"""The oracle against what it describes: PyTorch, Keras 3, TensorFlow and optax."""

from dataclasses import replace

import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest
import tensorflow as tf
import torch
import torch.nn.functional as F  # noqa: N812

from tests.golden import FRACTIONAL, LENGTHS, TARGETS, golden_logits
from tests.printed.given import Given
from tests.printed.printed_oracle import BUGS, CONVENTIONS, bfloat16, random_given

GOLDEN = Given(golden_logits(), TARGETS, LENGTHS, smoothing=0.1, class_weights=np.array([0.3, 2, 1, 1.5, 0.7, 1.2]))
BATCHES = {"golden": GOLDEN} | {f"random {seed}": random_given(seed) for seed in (0, 1, 2, 3)}
WEIGHTED = {"golden": replace(GOLDEN, weights=FRACTIONAL)}
WEIGHTED |= {f"random {seed}": random_given(seed, fractional=True) for seed in (0, 1, 2, 3)}
EITHER = {f"mask, {name}": g for name, g in BATCHES.items()} | {f"weights, {name}": g for name, g in WEIGHTED.items()}
batches = pytest.mark.parametrize("g", BATCHES.values(), ids=BATCHES)
weighted = pytest.mark.parametrize("g", WEIGHTED.values(), ids=WEIGHTED)
either = pytest.mark.parametrize("g", EITHER.values(), ids=EITHER)


def same(ours, theirs, rtol=1e-12):
    np.testing.assert_allclose(ours, np.asarray(theirs, dtype=float), rtol=rtol)


def say(g, keys):
    """The oracle's values of these keys, of both tables."""
    return {key: (CONVENTIONS | BUGS)[key](g) for key in keys.split()}


def all_are(g, keys, theirs, rtol=1e-12):
    for key, value in say(g, keys).items():
        np.testing.assert_allclose(value, float(theirs), rtol=rtol, err_msg=key)


# -------------------------------------------------------------------------------------------------------- PyTorch


def torch_loss(g, labels=None, **options):
    """F.cross_entropy of the flat batch, −100 where the mask is 0."""
    labels = np.where(g.W != 0, g.targets, -100) if labels is None else labels
    if "weight" in options:
        options["weight"] = torch.tensor(options["weight"])
    return F.cross_entropy(torch.tensor(g.logits).reshape(-1, g.V), torch.tensor(labels).reshape(-1), **options)


@batches
def test_libraries_torch_mean_and_sum(g):
    all_are(g, "C03 C03e C03n C03z C05k C05w C06t C07t C14n C18 C23 C23w mean at+ab st+sb RED08 RED15", torch_loss(g))
    all_are(g, "C01 language_model", torch_loss(g, reduction="sum"))
    all_are(g, "C02", torch_loss(g, g.targets, reduction="sum"))
    all_are(g, "C04 PAD01 RED07s MOD08", torch_loss(g, g.targets))
    all_are(g, "C06 C17l C20 encoder_decoder", torch_loss(g, reduction="sum") / len(g.targets))
    all_are(g, "PAD02 C05 RED06b RED08b", torch_loss(g, reduction="none").mean())


@batches
def test_libraries_torch_ignore_index_is_a_mask_by_id(g):
    all_are(g, "PAD04", torch_loss(g, g.targets, ignore_index=0))
    eos_is_pad = np.where(g.W == 0, g.eos_id, g.targets)
    all_are(g, "PAD05", torch_loss(g, eos_is_pad, ignore_index=g.eos_id))
    everything_else = np.where(g.W == 0, g.targets, -100)
    all_are(g, "PAD06", torch_loss(g, everything_else))


@batches
def test_libraries_torch_label_smoothing(g):
    e = g.smoothing
    all_are(g, "LS1 RED11", torch_loss(g, label_smoothing=e))
    np.testing.assert_allclose(CONVENTIONS["LS1"](g) * g.N, float(torch_loss(g, label_smoothing=e, reduction="sum")))


@batches
def test_libraries_torch_class_weights(g):
    cw = g.class_weights
    all_are(g, "C24 RED09", torch_loss(g, weight=cw))
    all_are(g, "RED09n", torch_loss(g, weight=cw, reduction="sum") / g.N)


@batches
def test_libraries_torch_per_row_and_per_timestep(g):
    loss = torch_loss(g, reduction="none").reshape(g.targets.shape)
    mask = torch.tensor(g.W)
    all_are(g, "C07 C07a C07g RED05", (loss.sum(1) / mask.sum(1)).mean(), 1e-11)
    all_are(g, "C09", (loss.sum(0) / mask.sum(0)).mean())
    all_are(g, "C10", (loss.sum(0) / mask.sum(0)).sum())
    all_are(g, "C08 RED06t", loss.sum(0).mean())
    all_are(g, "C08m RED06m", loss.sum() / (mask.shape[1] - 1))
    all_are(g, "C13", torch.exp(loss.sum(1) / mask.sum(1)).mean())
    all_are(g, "C12", torch.exp(torch_loss(g)))
    all_are(g, "C16 RED06", loss.mean(1).sum() / mask.sum())


@batches
def test_libraries_torch_masks_that_broadcast(g):
    """RED07: a [N·1] mask under an [N] loss."""
    loss, mask = torch_loss(g, g.targets, reduction="none"), torch.tensor(g.W).reshape(-1, 1)
    all_are(g, "RED07", (loss * mask).mean())
    all_are(g, "RED07s", loss.masked_select(mask.bool()).mean())
    assert loss.masked_select(mask.bool()).shape == (int(g.N) * g.targets.size,)


@batches
def test_libraries_torch_shift(g):
    labels = torch.tensor(np.where(g.W != 0, g.targets, -100))[:, 1:]
    shifted = F.cross_entropy(torch.tensor(g.logits)[:, :-1].transpose(1, 2), labels)
    all_are(g, "SH1 SHF02", shifted)
    current = np.where((g.W != 0)[:, 1:], g.targets[:, :-1], -100)
    all_are(g, "SHF01", F.cross_entropy(torch.tensor(g.logits)[:, 1:].transpose(1, 2), torch.tensor(current)))


@batches
def test_libraries_torch_flattened_the_wrong_way_and_softmax_twice(g):
    logits, labels = torch.tensor(g.logits), torch.tensor(np.where(g.W != 0, g.targets, -100)).reshape(-1)
    all_are(g, "SHF08", F.cross_entropy(logits.transpose(0, 1).reshape(-1, g.V), labels))
    all_are(g, "MOD01", F.cross_entropy(logits.softmax(-1).reshape(-1, g.V), labels))
    loss = torch_loss(g, g.targets, reduction="none")
    all_are(g, "SHF08m", (loss * torch.tensor(g.W).T.reshape(-1)).sum() / g.N)
    order = torch.argsort(torch.tensor(-g.lengths), stable=True)
    all_are(g, "SHF10", F.cross_entropy(logits[order].reshape(-1, g.V), labels))


@batches
def test_libraries_torch_divergences_of_soft_targets(g):
    """ESPnet: q = 1−e and e/(V−1); JoeyNMT: e/(V−2), then 0 in the pad column."""
    log_p, e = torch.tensor(g.logits).log_softmax(-1).reshape(-1, g.V), g.smoothing
    labels, counts = torch.tensor(g.targets).reshape(-1, 1), torch.tensor(g.W).reshape(-1, 1)

    def divergence(other):
        return torch.full_like(log_p, other).scatter_(1, labels, 1 - e)

    kl = F.kl_div(log_p, divergence(e / (g.V - 1)), reduction="none") * counts
    all_are(g, "LS3s", kl.sum(), 1e-11)
    all_are(g, "LS4", kl.sum() / len(g.targets), 1e-11)
    all_are(g, "LS3 LS4n", kl.sum() / counts.sum(), 1e-11)
    q = divergence(e / (g.V - 2))
    q[:, g.pad_id] = 0
    all_are(g, "LS5 RED11c", (F.kl_div(log_p, q, reduction="none") * counts).sum(), 1e-11)


@batches
def test_libraries_bfloat16_logits(g):
    logits = torch.tensor(g.logits)
    np.testing.assert_array_equal(bfloat16(g.logits), logits.bfloat16().double())
    wide = F.cross_entropy(logits.bfloat16().double().transpose(1, 2), torch.tensor(np.where(g.W, g.targets, -100)))
    all_are(g, "NUM06", wide)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = F.cross_entropy(logits.bfloat16().transpose(1, 2), torch.tensor(np.where(g.W, g.targets, -100)))
    assert mixed.dtype == torch.float32
    all_are(g, "NUM06", mixed, 1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_libraries_sigmoid_of_the_last_timestep(seed):
    random = np.random.default_rng(seed)
    logits, labels = random.normal(size=(4, 5, 1)), random.integers(2, size=(4, 5))
    g = Given(logits, labels, random.integers(1, 6, size=4))
    read, wanted = logits[range(4), g.lengths - 1, 0], labels[range(4), g.lengths - 1].astype(float)
    theirs = F.binary_cross_entropy_with_logits(torch.tensor(read), torch.tensor(wanted), reduction="sum")
    all_are(g, "classification", theirs)
    all_are(g, "classification", tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=wanted, logits=read)))


# -------------------------------------------------------------------------------------------------------- Keras 3


def keras_loss(g, reduction, *, mask=None, sample_weight=None, labels=None, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=options.pop("from_logits", True), reduction=reduction, dtype="float64", **options
    )
    logits = tf.constant(g.logits, tf.float64)
    if mask is not None:
        logits._keras_mask = tf.constant(mask)
    return np.asarray(loss(g.targets if labels is None else labels, logits, sample_weight=sample_weight))


@either
@pytest.mark.parametrize(
    ("reduction", "keys"),
    [
        ("sum", "C01 language_model"),
        ("sum_over_batch_size", "C05 PAD02 RED08b"),
        ("mean", "C05 PAD02 RED08b"),
        ("mean_with_sample_weight", "C03 C05w mean at+ab C23w RED08"),
    ],
)
def test_libraries_keras_sample_weight(g, reduction, keys):
    all_are(g, keys, keras_loss(g, reduction, sample_weight=g.W), 1e-7)


@either
def test_libraries_keras_sample_weight_without_a_reduction(g):
    for reduction in ("none", None):
        same(g.CE * g.W, keras_loss(g, reduction, sample_weight=g.W), 1e-7)


@batches
@pytest.mark.parametrize(
    ("reduction", "key"),
    [("sum", "C02"), ("sum_over_batch_size", "C04"), ("mean", "C04"), ("mean_with_sample_weight", "C04")],
)
def test_libraries_keras_without_weights(g, reduction, key):
    all_are(g, key, keras_loss(g, reduction), 1e-7)


@either
@pytest.mark.parametrize(
    ("reduction", "keys"),
    [
        ("sum", "C01"),
        ("sum_over_batch_size", "C05k"),
        ("mean", "C05k"),
        ("mean_with_sample_weight", "C05w C03n"),
    ],
)
def test_libraries_keras_live_mask(g, reduction, keys):
    """The mask on the predictions, the weights beside it."""
    mask = np.arange(g.targets.shape[1]) < g.lengths[:, None]
    weights = None if g.weights is None else g.W
    all_are(g, keys, keras_loss(g, reduction, mask=mask, sample_weight=weights), 1e-7)


def test_libraries_keras_live_mask_counts_weights_of_zero_inside_it():
    weights = np.where(np.arange(15).reshape(3, 5) == 0, 0.0, GOLDEN.W)
    g = replace(GOLDEN, weights=weights)
    mask = np.arange(5) < LENGTHS[:, None]
    all_are(g, "C05k", keras_loss(g, "sum_over_batch_size", mask=mask, sample_weight=weights), 1e-7)
    assert CONVENTIONS["C05k"](g) == pytest.approx(13.1 / 11)
    assert CONVENTIONS["C03z"](g) == pytest.approx(13.1 / 10)


def test_libraries_keras_live_mask_of_nothing():
    g = replace(GOLDEN, lengths=np.zeros(3, dtype=int))
    assert keras_loss(g, "sum_over_batch_size", mask=g.W != 0) == CONVENTIONS["C05k"](g) == 0.0
    assert keras_loss(g, "mean_with_sample_weight", sample_weight=g.W) == CONVENTIONS["C05w"](g) == 0.0
    assert float(torch_loss(g, reduction="sum")) == CONVENTIONS["C01"](g) == 0.0
    assert torch_loss(g).isnan()
    assert np.isnan(CONVENTIONS["C03"](g))


@batches
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "mean_with_sample_weight"])
def test_libraries_keras_ignore_class(g, reduction):
    """−100 is the declared mask; the pad id is a mask by id, whose real tokens of that id are lost."""
    all_are(g, "PAD04", keras_loss(g, reduction, ignore_class=g.pad_id), 1e-7)
    ignored = np.where(g.W != 0, g.targets, -100)
    all_are(g, "C03 C05k", keras_loss(g, reduction, labels=ignored, ignore_class=-100), 1e-7)


@batches
def test_libraries_keras_logits_read_as_probabilities(g):
    all_are(g, "MOD02u", keras_loss(g, "mean", from_logits=False), 1e-6)
    all_are(g, "MOD02", keras_loss(g, "mean_with_sample_weight", sample_weight=g.W, from_logits=False), 1e-6)


@batches
def test_libraries_keras_smoothing_of_dense_labels(g):
    """q = (1−e) onehot + e/V, as in PyTorch."""
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=g.smoothing, reduction="mean_with_sample_weight", dtype="float64"
    )
    all_are(g, "LS1", loss(np.eye(g.V)[g.targets], tf.constant(g.logits, tf.float64), sample_weight=g.W), 1e-7)


@batches
def test_libraries_keras_accuracy_over_everything(g):
    metric = keras.metrics.SparseCategoricalAccuracy()
    metric.update_state(g.targets, g.logits)
    all_are(g, "PAD17", metric.result(), 1e-6)


# ------------------------------------------------------------------------------------------------------ TensorFlow


@either
def test_libraries_tensorflow_sparse_cross_entropy(g):
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=g.targets, logits=tf.constant(g.logits, tf.float64))
    same(g.CE, loss)
    w = tf.constant(g.W)
    all_are(g, "C03n at+ab", tf.math.divide_no_nan(tf.reduce_sum(loss * w), tf.reduce_sum(w)))
    nonzero = tf.cast(tf.math.count_nonzero(w), tf.float64)
    all_are(g, "C03z C23 st+sb RED08z", tf.math.divide_no_nan(tf.reduce_sum(loss * w), nonzero))
    all_are(g, "RED15", tf.reduce_sum(loss * w * w) / tf.reduce_sum(w))


@batches
def test_libraries_tensorflow_masks_of_lengths(g):
    loss, columns = tf.constant(g.CE), g.targets.shape[1]
    for key, lengths in {"C03": g.lengths, "PAD08-": g.lengths - 1, "PAD08+": g.lengths + 1}.items():
        mask = tf.sequence_mask(lengths, columns, tf.float64)
        all_are(g, key, tf.reduce_sum(loss * mask) / tf.reduce_sum(mask))
    mask = tf.reverse(tf.sequence_mask(g.lengths, columns, tf.float64), [1])
    all_are(g, "PAD07", tf.reduce_sum(loss * mask) / tf.reduce_sum(mask))


@either
def test_libraries_tensorflow_soft_labels(g):
    def smoothed(target, other):
        q = np.where(np.eye(g.V)[g.targets] == 1, target, other)
        loss = tf.nn.softmax_cross_entropy_with_logits(labels=q, logits=tf.constant(g.logits, tf.float64))
        return tf.reduce_sum(loss * g.W) / g.N

    e, classes = g.smoothing, g.V
    all_are(g, "LS1", smoothed(1 - e + e / classes, e / classes))
    all_are(g, "LS2 RED11b", smoothed(1 - e, e / (classes - 1)))
    at_best = -(1 - e) * np.log(1 - e) - e * np.log(e / (classes - 1))
    all_are(g, "LS3", smoothed(1 - e, e / (classes - 1)) - at_best, 1e-10)


@either
def test_libraries_tensorflow_z_loss(g):
    g = replace(g, z=0.01)
    loss = tf.constant(g.CE) + g.z * tf.math.reduce_logsumexp(tf.constant(g.logits, tf.float64), axis=-1) ** 2
    all_are(g, "Z1s", tf.reduce_sum(loss * g.W))
    all_are(g, "Z1", tf.reduce_sum(loss * g.W) / tf.reduce_sum(g.W))


V1 = tf.compat.v1.losses


@either
@pytest.mark.parametrize(
    ("reduction", "keys"),
    [
        (V1.Reduction.SUM, "C01"),
        (V1.Reduction.MEAN, "C23w C03"),
        (V1.Reduction.SUM_OVER_BATCH_SIZE, "C05"),
        (V1.Reduction.SUM_BY_NONZERO_WEIGHTS, "C23 C03z"),
        (V1.Reduction.SUM_OVER_NONZERO_WEIGHTS, "C23 C03z"),
    ],
)
def test_libraries_tensorflow_1_losses(g, reduction, keys):
    """It works in float32."""
    theirs = V1.sparse_softmax_cross_entropy(g.targets, tf.constant(g.logits), weights=g.W, reduction=reduction)
    all_are(g, keys, theirs, 1e-6)


@either
def test_libraries_tensorflow_1_losses_without_a_reduction(g):
    unreduced = V1.Reduction.NONE
    same(g.CE * g.W, V1.sparse_softmax_cross_entropy(g.targets, tf.constant(g.logits), g.W, reduction=unreduced), 1e-6)


# ------------------------------------------------------------------------------------------ the same in all of them


def with_torch(g, e):
    return F.cross_entropy(
        torch.tensor(g.logits).transpose(1, 2), torch.tensor(g.targets), reduction="none", label_smoothing=e
    )


def with_tensorflow(g, e):
    q = np.eye(g.V)[g.targets] * (1 - e) + e / g.V
    return tf.nn.softmax_cross_entropy_with_logits(labels=q, logits=tf.constant(g.logits, tf.float64))


def with_keras(g, e):
    q = np.eye(g.V)[g.targets]
    return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=e, reduction=None)(q, g.logits)


def with_optax(g, e):
    q = optax.smooth_labels(jnp.asarray(np.eye(g.V)[g.targets]), e)
    return optax.softmax_cross_entropy(jnp.asarray(g.logits), q)


LIBRARIES = {"torch": with_torch, "tensorflow": with_tensorflow, "keras": with_keras, "optax": with_optax}


@batches
@pytest.mark.parametrize("name", LIBRARIES)
def test_libraries_agree_per_timestep(name, g):
    """JAX and Keras work in float32 by default."""
    same(g.CE, LIBRARIES[name](g, 0.0), 2e-5)
    same(g.LS_V, LIBRARIES[name](g, g.smoothing), 2e-5)


@weighted
def test_libraries_weights_of_torch_are_multiplied_by_hand(g):
    loss, w = torch_loss(g, g.targets, reduction="none").reshape(g.targets.shape), torch.tensor(g.W)
    all_are(g, "C05w C23w RED08", (loss * w).sum() / w.sum())
    all_are(g, "C07 C07a", ((loss * w).sum(1) / w.sum(1)).mean(), 1e-11)
    all_are(g, "C09", ((loss * w).sum(0) / w.sum(0)).mean())

"""`Convention.value` against what PyTorch, Keras 3, TensorFlow 1's losses and optax print."""

import keras
import numpy as np
import optax
import pytest
import tensorflow as tf
import torch
import torch.nn.functional as F  # noqa: N812

from lossviz import Batch, Settings, analyze
from lossviz.conventions import convention_coded
from lossviz.reductions import Options
from tests.conventions.batches import golden_analysis, random_analysis, weighted_analysis

PLAIN = {"golden": golden_analysis} | {f"random {s}": lambda s=s: random_analysis(s)[1] for s in (5, 6, 7)}
WEIGHTED = {"golden weights": weighted_analysis} | {
    f"random weights {s}": lambda s=s: random_analysis(s, fractional=True)[1] for s in (5, 6, 7)
}
plain = pytest.mark.parametrize("make", PLAIN.values(), ids=PLAIN)
either = pytest.mark.parametrize("make", (PLAIN | WEIGHTED).values(), ids=PLAIN | WEIGHTED)


def all_are(analysis, codes, printed, rel=1e-9, **options):
    """Every convention of the codes is the number that was printed."""
    values = {code: convention_coded(code).value(analysis, Options(**options)) for code in codes.split()}
    assert values == pytest.approx(dict.fromkeys(values, float(printed)), rel=rel, nan_ok=True)


def torch_loss(analysis, *, ignored=True, **options):
    targets = analysis.batch.targets
    labels = np.where(analysis.mask, targets, -100) if ignored else targets
    return F.cross_entropy(torch.tensor(analysis.batch.logits).transpose(1, 2), torch.tensor(labels), **options)


# -------------------------------------------------------------------------------------------------------- PyTorch


@plain
def test_convention_libraries_torch_reductions(make):
    analysis = make()
    all_are(analysis, "C01 language_model", torch_loss(analysis, reduction="sum"))
    all_are(analysis, "C03 C14n C18 C03n C05w sequence_loss", torch_loss(analysis, reduction="mean"))
    all_are(analysis, "C02", torch_loss(analysis, ignored=False, reduction="sum"))
    all_are(analysis, "C04", torch_loss(analysis, ignored=False, reduction="mean"))
    unreduced = torch_loss(analysis, reduction="none")
    all_are(analysis, "C05", unreduced.mean())
    all_are(analysis, "C06 C17l C20 encoder_decoder", unreduced.sum(1).mean())
    all_are(analysis, "C08", unreduced.sum(0).mean())


@plain
def test_convention_libraries_torch_label_smoothing(make):
    analysis = make()
    all_are(analysis, "LS1", torch_loss(analysis, label_smoothing=0.1), smoothing=0.1)


@plain
def test_convention_libraries_torch_class_weights(make):
    analysis = make()
    weights = np.random.default_rng(0).uniform(0.5, 2, analysis.batch.shape[2])
    all_are(analysis, "C24", torch_loss(analysis, weight=torch.tensor(weights)), class_weights=weights)


@plain
def test_convention_libraries_torch_per_sequence_and_timestep(make):
    analysis = make()
    loss, mask = torch_loss(analysis, reduction="none"), torch.tensor(analysis.mask)
    all_are(analysis, "C07 C07a C07g", (loss.sum(1) / mask.sum(1)).mean())
    all_are(analysis, "C09", (loss.sum(0) / mask.sum(0)).mean())
    all_are(analysis, "C10", (loss.sum(0) / mask.sum(0)).sum())
    all_are(analysis, "C12", torch_loss(analysis).exp())
    all_are(analysis, "C13", (loss.sum(1) / mask.sum(1)).exp().mean())
    all_are(analysis, "C11", torch_loss(analysis) / np.log(2))


@plain
def test_convention_libraries_torch_micro_batches(make):
    """Two loops over the same halves: the mean of their means, and the last one."""
    analysis = make()
    labels = torch.tensor(np.where(analysis.mask, analysis.batch.targets, -100))
    halves = zip(torch.tensor(analysis.batch.logits).tensor_split(2), labels.tensor_split(2), strict=True)
    means = [(len(y), F.cross_entropy(x.transpose(1, 2), y)) for x, y in halves]
    all_are(analysis, "C18o C21", sum(mean for _, mean in means) / 2, accumulation_steps=2)
    all_are(analysis, "C21b", sum(n * mean for n, mean in means) / len(labels), accumulation_steps=2)
    all_are(analysis, "C19", means[-1][1], accumulation_steps=2)


@plain
def test_convention_libraries_torch_shifts_inside(make):
    """As Hugging Face's ForCausalLMLoss: −100 is appended to the labels, and the first one dropped."""
    analysis = make()
    labels = F.pad(torch.tensor(np.where(analysis.mask, analysis.batch.targets, -100)), (0, 1), value=-100)[:, 1:]
    shifted = F.cross_entropy(torch.tensor(analysis.batch.logits).transpose(1, 2), labels, ignore_index=-100)
    all_are(analysis, "SH1 SH2", shifted)


@plain
def test_convention_libraries_torch_divergences(make):
    analysis = make()
    classes, e = analysis.batch.shape[2], 0.1
    log_p = torch.tensor(analysis.batch.logits).log_softmax(-1)
    counts, targets = torch.tensor(analysis.mask)[..., None], torch.tensor(analysis.batch.targets)[..., None]
    q = torch.full_like(log_p, e / (classes - 1)).scatter_(2, targets, 1 - e)
    kl = (F.kl_div(log_p, q, reduction="none") * counts).sum()
    all_are(analysis, "LS3s", kl, smoothing=e)
    all_are(analysis, "LS4", kl / len(targets), smoothing=e)
    all_are(analysis, "LS3 LS4n", kl / counts.sum(), smoothing=e)
    q = torch.full_like(log_p, e / (classes - 2)).scatter_(2, targets, 1 - e)
    q[..., 0] = 0
    all_are(analysis, "LS5", (F.kl_div(log_p, q, reduction="none") * counts).sum(), smoothing=e)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_convention_libraries_torch_of_nothing(reduction):
    """Mean: NaN. Sum: 0."""
    analysis = golden_analysis(lengths=[0, 0, 0])
    all_are(analysis, {"mean": "C03", "sum": "C01"}[reduction], torch_loss(analysis, reduction=reduction))
    all_are(analysis, "LS1", torch_loss(analysis, label_smoothing=0.1), smoothing=0.1)
    all_are(analysis, "C24", torch_loss(analysis, weight=torch.ones(6).double()), class_weights=np.ones(6))


def test_convention_libraries_torch_of_one_logit():
    random = np.random.default_rng(0)
    logits, labels, lengths = random.normal(size=(4, 5, 1)), random.integers(2, size=(4, 5)), np.array([1, 5, 3, 2])
    batch = Batch.from_arrays(logits=logits, targets=labels, lengths=lengths)
    last = np.arange(4), lengths - 1
    theirs = F.binary_cross_entropy_with_logits(
        torch.tensor(logits[last][:, 0]), torch.tensor(labels[last].astype(float)), reduction="sum"
    )
    for settings in (Settings(), Settings(reduction="classification")):
        all_are(analyze(batch, settings), "classification", theirs, 1e-6)


# -------------------------------------------------------------------------------------------------------- Keras 3


def keras_loss(analysis, reduction, *, mask=None, sample_weight=None, **options):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction, dtype="float64", **options)
    logits = tf.constant(analysis.batch.logits, tf.float64)
    if mask is not None:
        logits._keras_mask = tf.constant(mask)
    return loss(analysis.batch.targets, logits, sample_weight=sample_weight).numpy()


BY_REDUCTION = {"sum": "C01", "sum_over_batch_size": "C05", "mean": "C05", "mean_with_sample_weight": "C05w"}
MASKED = {"sum": "C01", "sum_over_batch_size": "C05k", "mean": "C05k", "mean_with_sample_weight": "C05w"}
UNWEIGHTED = {"sum": "C02", "sum_over_batch_size": "C04", "mean": "C04", "mean_with_sample_weight": "C04"}


@either
@pytest.mark.parametrize(("reduction", "code"), BY_REDUCTION.items())
def test_convention_libraries_keras_sample_weight(make, reduction, code):
    analysis = make()
    all_are(analysis, code, keras_loss(analysis, reduction, sample_weight=analysis.weights), 1e-6)


@either
@pytest.mark.parametrize(("reduction", "code"), UNWEIGHTED.items())
def test_convention_libraries_keras_without_weights(make, reduction, code):
    analysis = make()
    all_are(analysis, code, keras_loss(analysis, reduction), 1e-6)


@either
@pytest.mark.parametrize("reduction", ["none", None])
def test_convention_libraries_keras_without_a_reduction(make, reduction):
    analysis = make()
    unreduced = keras_loss(analysis, reduction, sample_weight=analysis.weights)
    np.testing.assert_allclose(unreduced, analysis.unpadded_loss, rtol=1e-6)


@either
@pytest.mark.parametrize(("reduction", "code"), MASKED.items())
def test_convention_libraries_keras_live_mask(make, reduction, code):
    """`_keras_mask` on the predictions, as a layer leaves it, and the weights beside it where there are some."""
    analysis = make()
    lengths = analysis.batch.lengths
    mask = analysis.mask if lengths is None else np.arange(analysis.batch.shape[1]) < lengths[:, None]
    printed = keras_loss(analysis, reduction, mask=mask, sample_weight=analysis.batch.weights)
    all_are(analysis, code, printed, 1e-6)


def test_convention_libraries_keras_live_mask_counts_a_weight_of_zero():
    weights = np.where(np.arange(15).reshape(3, 5) == 0, 0.0, golden_analysis().weights)
    analysis = golden_analysis(weights=weights)
    mask = golden_analysis().mask
    all_are(analysis, "C05k", keras_loss(analysis, "mean", mask=mask, sample_weight=weights), 1e-6)


@pytest.mark.parametrize("reduction", BY_REDUCTION)
def test_convention_libraries_keras_of_nothing(reduction):
    analysis = golden_analysis(lengths=[0, 0, 0])
    assert keras_loss(analysis, reduction, sample_weight=analysis.weights) == 0.0
    assert keras_loss(analysis, reduction, mask=analysis.mask) == 0.0
    all_are(analysis, f"{BY_REDUCTION[reduction]} {MASKED[reduction]}", 0.0)


@plain
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "mean_with_sample_weight"])
def test_convention_libraries_keras_ignore_class(make, reduction):
    """`ignore_class` leaves the ignored timesteps out of the divisor, in 3.15."""
    batch = make().batch
    ignored = analyze(batch.replace(lengths=None, weights=None, ignore_id=0))
    assert ignored.mask_name == "ignore_id"
    all_are(ignored, "C03 C05k C05w", keras_loss(ignored, reduction, ignore_class=0), 1e-6)


@plain
def test_convention_libraries_keras_dense_label_smoothing(make):
    analysis = make()
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=0.1, reduction="mean_with_sample_weight", dtype="float64"
    )
    onehot = np.eye(analysis.batch.shape[2])[analysis.batch.targets]
    printed = loss(onehot, tf.constant(analysis.batch.logits, tf.float64), sample_weight=analysis.weights)
    all_are(analysis, "LS1", printed, 1e-6, smoothing=0.1)


# ------------------------------------------------------------------------------------------------------ TensorFlow

V1 = tf.compat.v1.losses
OF_TF1 = {
    V1.Reduction.SUM: "C01",
    V1.Reduction.MEAN: "C23w",
    V1.Reduction.SUM_OVER_BATCH_SIZE: "C05",
    V1.Reduction.SUM_BY_NONZERO_WEIGHTS: "C23 C03z",
    V1.Reduction.SUM_OVER_NONZERO_WEIGHTS: "C23 C03z",
}


@either
@pytest.mark.parametrize(("reduction", "codes"), OF_TF1.items())
def test_convention_libraries_tensorflow_1(make, reduction, codes):
    analysis = make()
    logits = tf.constant(analysis.batch.logits)
    printed = V1.sparse_softmax_cross_entropy(analysis.batch.targets, logits, analysis.weights, reduction=reduction)
    all_are(analysis, codes, printed, 1e-6)


@pytest.mark.parametrize(("reduction", "codes"), OF_TF1.items())
def test_convention_libraries_tensorflow_1_of_nothing(reduction, codes):
    analysis = golden_analysis(lengths=[0, 0, 0])
    logits = tf.constant(analysis.batch.logits)
    printed = V1.sparse_softmax_cross_entropy(analysis.batch.targets, logits, analysis.weights, reduction=reduction)
    assert float(printed) == 0.0
    all_are(analysis, codes, printed)


@either
def test_convention_libraries_tensorflow_soft_labels_and_z_loss(make):
    analysis = make()
    classes, e = analysis.batch.shape[2], 0.1
    logits, w = tf.constant(analysis.batch.logits, tf.float64), tf.constant(analysis.weights)
    q = np.where(np.eye(classes)[analysis.batch.targets] == 1, 1 - e, e / (classes - 1))
    printed = tf.reduce_sum(w * tf.nn.softmax_cross_entropy_with_logits(q, logits)) / tf.reduce_sum(w)
    all_are(analysis, "LS2", printed, smoothing=e)
    all_are(analysis, "LS2b", printed / np.log(2), smoothing=e)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(analysis.batch.targets, logits)
    total = tf.reduce_sum(w * (loss + 0.01 * tf.reduce_logsumexp(logits, -1) ** 2))
    all_are(analysis, "Z1s", total, z_loss=0.01)
    all_are(analysis, "Z1", total / tf.reduce_sum(w), z_loss=0.01)


# ---------------------------------------------------------------------------------------- losses without a mean


def _numpy(logits, targets, e):
    q = np.eye(logits.shape[2])[targets] * (1 - e) + e / logits.shape[2]
    return -(q * (logits - np.log(np.exp(logits).sum(-1, keepdims=True)))).sum(-1)


def _optax(logits, targets, e):
    q = optax.smooth_labels(np.eye(logits.shape[2])[targets], e)
    return optax.softmax_cross_entropy(logits, q)


SMOOTHED = {"numpy": _numpy, "optax": _optax}


@plain
@pytest.mark.parametrize("library", SMOOTHED)
def test_convention_libraries_masked_means(library, make):
    """JAX loops divide by hand: `(loss * mask).sum() / mask.sum()`; JAX works in float32."""
    analysis = make()
    for e, code in ((0.0, "C03"), (0.1, "LS1")):
        loss = np.asarray(SMOOTHED[library](analysis.batch.logits, analysis.batch.targets, e))
        all_are(analysis, code, (loss * analysis.weights).sum() / analysis.weights.sum(), 1e-5, smoothing=e)

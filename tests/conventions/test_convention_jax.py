"""`Convention.value` against JAX in float64: optax's losses, and the arithmetic of T5X and MaxText."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from lossviz import Batch, Settings, analyze
from lossviz.conventions import convention_coded
from lossviz.reductions import Options
from tests.conventions.batches import golden_analysis, random_analysis, weighted_analysis
from tests.golden import golden_logits

PLAIN = {"golden": golden_analysis, "random 5": lambda: random_analysis(5)[1]}
WEIGHTED = {"golden weights": weighted_analysis, "random weights 5": lambda: random_analysis(5, fractional=True)[1]}
plain = pytest.mark.parametrize("make", PLAIN.values(), ids=PLAIN)
either = pytest.mark.parametrize("make", (PLAIN | WEIGHTED).values(), ids=PLAIN | WEIGHTED)
pytestmark = pytest.mark.xdist_group("jax")
E, Z = 0.1, 0.01


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def all_are(analysis, codes, printed, rel=1e-9, **options):
    """Every convention of the codes is the number that was printed."""
    values = {code: convention_coded(code).value(analysis, Options(**options)) for code in codes.split()}
    assert values == pytest.approx(dict.fromkeys(values, float(printed)), rel=rel)


def arrays(analysis):
    """Logits, targets and weights as JAX has them."""
    return tuple(map(jnp.asarray, (analysis.batch.logits, analysis.batch.targets, analysis.weights)))


@either
def test_convention_jax_means_of_optax(make):
    analysis = make()
    logits, targets, w = arrays(analysis)
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, targets)
    assert loss.dtype == np.float64
    all_are(analysis, "C02", loss.sum())
    all_are(analysis, "C04", loss.mean())
    total, mean = (loss * w).sum(), (loss * w).sum() / w.sum()
    all_are(analysis, "C01 language_model", total)
    all_are(analysis, "C03 C03n C05w C07t C14n C18 C23w sequence_loss", mean)
    all_are(analysis, "C03z C23", total / jnp.count_nonzero(w))
    all_are(analysis, "C05", (loss * w).mean())
    all_are(analysis, "C06 C17l C20 encoder_decoder", (loss * w).sum(1).mean())
    all_are(analysis, "C07 C07a C07g", ((loss * w).sum(1) / w.sum(1)).mean())
    all_are(analysis, "C08", (loss * w).sum(0).mean())
    all_are(analysis, "C09", ((loss * w).sum(0) / w.sum(0)).mean())
    all_are(analysis, "C10", ((loss * w).sum(0) / w.sum(0)).sum())
    all_are(analysis, "C11", mean / jnp.log(2))
    all_are(analysis, "C12", jnp.exp(mean))
    all_are(analysis, "C13", jnp.exp((loss * w).sum(1) / w.sum(1)).mean())


@either
def test_convention_jax_smoothed_labels_of_optax(make):
    analysis = make()
    logits, targets, w = arrays(analysis)
    loss = optax.softmax_cross_entropy(logits, optax.smooth_labels(jnp.eye(logits.shape[2])[targets], E))
    all_are(analysis, "LS1", (loss * w).sum() / w.sum(), smoothing=E)


@either
def test_convention_jax_divergences_of_optax(make):
    """q is 1−e at the target and e/(V−1) elsewhere; JoeyNMT's e/(V−2), and then 0 for the pad id, here 0."""
    analysis = make()
    logits, targets, w = arrays(analysis)
    classes, log_p = logits.shape[2], jax.nn.log_softmax(logits)
    onehot = jnp.eye(classes)[targets]
    kl = (optax.kl_divergence(log_p, jnp.where(onehot == 1, 1 - E, E / (classes - 1))) * w).sum()
    all_are(analysis, "LS3s", kl, smoothing=E)
    all_are(analysis, "LS4", kl / len(targets), smoothing=E)
    all_are(analysis, "LS3 LS4n", kl / w.sum(), smoothing=E)
    joey = jnp.where(onehot == 1, 1 - E, E / (classes - 2)).at[..., 0].set(0)
    all_are(analysis, "LS5", (optax.kl_divergence(log_p, joey) * w).sum(), smoothing=E)


def t5x(logits, targets, weights, *, e=0.0, z=0.0, divisor=None):
    """t5x/losses.py: soft labels, z · log Z² added, the least value taken off, then weights, and the divisor last."""
    low = e / (logits.shape[2] - 1)
    least = -((1 - e) * jnp.log(1 - e) + (logits.shape[2] - 1) * low * jnp.log(low + 1e-20))
    log_z = jax.scipy.special.logsumexp(logits, axis=-1)
    soft = jnp.where(jnp.eye(logits.shape[2])[targets] == 1, 1 - e, low)
    loss = (soft * (log_z[..., None] - logits)).sum(-1) + z * log_z**2 - least
    return (loss * weights).sum() / (1 if divisor is None else divisor)


@either
def test_convention_jax_sums_and_divisors_of_t5x(make):
    """loss_normalizing_factor: None, NUM_REAL_TARGET_TOKENS, NUM_TOTAL_TARGET_TOKENS."""
    analysis = make()
    given = arrays(analysis)
    all_are(analysis, "C01", t5x(*given))
    all_are(analysis, "LS3s", t5x(*given, e=E), smoothing=E)
    all_are(analysis, "Z1s", t5x(*given, z=Z), z_loss=Z)
    all_are(analysis, "C03", t5x(*given, divisor=given[2].sum()))
    all_are(analysis, "LS3 LS4n", t5x(*given, e=E, divisor=given[2].sum()), smoothing=E)
    all_are(analysis, "C05", t5x(*given, divisor=given[1].size))


def average_per_sequence(logits, targets, weights):
    """T5X divides each sequence's weights by their sum, 0 / 0 being 0, and the loss by the sum of what comes out."""
    own = jnp.nan_to_num(weights / weights.sum(axis=-1, keepdims=True), nan=0, posinf=0, neginf=0)
    return t5x(logits, targets, own, divisor=own.sum())


@either
def test_convention_jax_average_per_sequence_of_t5x(make):
    all_are(make(), "C07 C07a C07g", average_per_sequence(*arrays(make())))


def test_convention_jax_average_per_sequence_of_t5x_leaves_out_empty_sequences():
    """The means are 6.8 / 5 and 4.6 / 2; C07g divides them by three sequences."""
    analysis = golden_analysis(lengths=[5, 0, 2])
    printed = average_per_sequence(*arrays(analysis))
    all_are(analysis, "C07a", printed)
    assert float(printed) == pytest.approx((1.36 + 2.3) / 2)
    all_are(analysis, "C07 C07g", printed * 2 / 3)


@plain
def test_convention_jax_z_loss_of_maxtext(make):
    """It counts the timesteps of a segment, and adds 10⁻⁸ to the count."""
    analysis = make()
    logits, targets, w = arrays(analysis)
    loss = optax.softmax_cross_entropy(logits, jax.nn.one_hot(targets, logits.shape[2]))
    loss += Z * jax.nn.logsumexp(logits, axis=-1) ** 2
    all_are(analysis, "Z1", (loss * (w != 0)).sum() / ((w != 0).sum() + 1e-8), 1e-8, z_loss=Z)


def test_convention_jax_sigmoid_of_the_last_timestep():
    random = np.random.default_rng(0)
    logits, labels, lengths = random.normal(size=(4, 5, 1)), random.integers(2, size=(4, 5)), np.array([1, 5, 3, 2])
    analysis = analyze(
        Batch.from_arrays(logits=logits, targets=labels, lengths=lengths), Settings(reduction="classification")
    )
    last = np.arange(4), lengths - 1
    all_are(analysis, "classification", optax.sigmoid_binary_cross_entropy(logits[last][:, 0], labels[last]).sum())


def test_convention_jax_minus_infinity_beside_the_target():
    """0 · ln 0 is 0 in `safe_softmax_cross_entropy` and in lossviz, and NaN in `softmax_cross_entropy`."""
    logits = golden_logits()
    logits[0, 0, 5] = -np.inf
    analysis = golden_analysis(logits=logits)
    z, targets, w = arrays(analysis)
    onehot = jnp.eye(6)[targets]
    safe = optax.safe_softmax_cross_entropy(z, onehot)
    all_are(analysis, "C03", (safe * w).sum() / w.sum())
    with_labels = optax.softmax_cross_entropy_with_integer_labels(z, targets)
    all_are(analysis, "C03", (with_labels * w).sum() / w.sum())
    assert np.argwhere(np.isnan(optax.softmax_cross_entropy(z, onehot))).tolist() == [[0, 0]]

"""The losses of common mistakes: against definitions in extended precision, Keras, TensorFlow and PyTorch."""

import dataclasses
import math
import threading

import keras
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz.engine import Alternatives, _blocks, alternative_losses, alternatives
from lossviz.errors import Cancelled, InputError
from tests.engine._oracle import confident, confidently_wrong, relative_error
from tests.golden import LENGTHS, LOSS, TARGETS, golden_logits

FIELDS = [field.name for field in dataclasses.fields(Alternatives)]
OF_TARGET = ["twice", "as_probabilities", "in_bfloat16", "in_float16"]
INF, NAN = np.inf, np.nan
ROWS, CLASSES = 32, 700


@pytest.fixture(params=["fast", "exact"])
def path(request, monkeypatch):
    """Sends every batch down one path in small blocks."""
    monkeypatch.setattr(alternatives, "FAST_FROM", 1 if request.param == "fast" else 1 << 62)
    monkeypatch.setattr(alternatives, "BLOCK", ROWS * CLASSES // 4)
    return request.param


def cross_entropy(z, y):
    """-log p [N] in extended precision: the sum over the other classes, relative to the target or to the largest."""
    z, every = z.astype(np.float64).astype(np.longdouble), np.arange(len(z))
    best = z.argmax(1)
    others = np.exp(z - z[every, best][:, None])
    others[every, best] = 0
    return (z[every, best] - z[every, y]) + np.log1p(others.sum(1))


def expected_losses(logits, y):
    """The fields of `Alternatives` for finite logits [N, V] and targets [N] in [0, V), from their definitions."""
    z, every = logits.astype(np.float64).astype(np.longdouble), np.arange(len(logits))
    loss = cross_entropy(logits, y)[:, None] + (z[every, y][:, None] - z)  # of every class
    p = np.exp(-loss)
    clipped = np.clip(z, 1e-7, 1 - 1e-7)
    others = np.where(np.arange(z.shape[1]) == y[:, None], 0, clipped).sum(1)
    single = logits.astype(np.float32)
    return {
        "logsumexp": z[every, y] + loss[every, y],
        "uniform_loss": loss.mean(1),
        "twice": np.log(np.exp(p).sum(1)) - p[every, y],
        "as_probabilities": np.log1p(others / clipped[every, y]),
        "in_bfloat16": cross_entropy(single.astype(ml_dtypes.bfloat16), y),
        "in_float16": cross_entropy(single.astype(np.float16), y),
    }


def assert_right(x, y, tolerance=1e-6):
    actual, expected = alternative_losses(x[None], y[None]), expected_losses(x, y)
    for name in FIELDS:
        assert relative_error(getattr(actual, name)[0], expected[name]) <= tolerance, name


def batch(count=ROWS, classes=CLASSES, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal((2, count // 2, classes)) * 3).astype(np.float32).astype(dtype)
    return x, rng.integers(0, classes, (2, count // 2))


def rows(count=ROWS, classes=CLASSES, dtype=np.float32):
    x, y = batch(count, classes, dtype)
    return x.reshape(count, classes), y.reshape(count)


def same(actual, expected):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name), err_msg=name)


def test_alternative_losses_of_the_golden_batch(path):
    actual = alternative_losses(golden_logits(), TARGETS)
    counts = np.arange(5) < LENGTHS[:, None]
    tolerance = 2e-7 if path == "fast" else 1e-14
    assert round(actual.twice[counts].mean(), 4) == 1.5300
    np.testing.assert_allclose(actual.as_probabilities, np.log(6), rtol=1e-7)  # every logit is clipped to 1e-7
    np.testing.assert_allclose(actual.logsumexp, 0, atol=tolerance)  # already normalised
    others = np.log((1 - np.exp(-LOSS)) / 5)
    np.testing.assert_allclose(actual.uniform_loss, (LOSS - 5 * others) / 6, rtol=tolerance)
    smoothed = 0.9 * LOSS + 0.1 * actual.uniform_loss
    assert round(smoothed[counts].mean(), 4) == 1.3517  # spec/conventions.md, LS1


def test_alternative_losses_are_float64_of_shape_batch_time(path):
    actual = alternative_losses(*batch(dtype=np.float16))
    shapes = {name: (getattr(actual, name).dtype.name, getattr(actual, name).shape) for name in FIELDS}
    assert shapes == dict.fromkeys(FIELDS, ("float64", (2, ROWS // 2)))


@pytest.mark.parametrize("classes", [1, 2, 6, CLASSES])
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_alternative_losses_are_right_for_any_dtype_and_count_of_classes(path, dtype, classes):
    exact = path == "exact" or dtype == np.float64
    x, y = rows(ROWS, classes, dtype)
    assert_right(x, y, 1e-13 if exact else 1e-6)


@pytest.mark.parametrize("offset", [0.0, 1e4, -1e4])
def test_alternative_losses_are_right_at_any_confidence_and_offset(path, offset):
    for make in (confident, confidently_wrong):
        x, y = make(np.random.default_rng(1), ROWS, CLASSES, offset)
        assert_right(x.astype(np.float32), y, 5e-6)
    x, y = rows()
    assert_right(x + np.float32(offset), y)


@pytest.mark.parametrize("scale", [1e-7, 1e-5, 1e3, 4e3])
def test_alternative_losses_are_right_for_tiny_and_huge_logits(path, scale):
    x, y = rows()  # the tiny ones are subnormal in float16
    assert_right(x * np.float32(scale), y)


def test_twice_and_as_probabilities_have_no_loss_where_there_is_one_class(path):
    actual = alternative_losses(np.array([[[3.0]]], np.float32), np.array([[0]]))
    assert {name: getattr(actual, name).item() for name in FIELDS} == dict.fromkeys(FIELDS, 0.0) | {"logsumexp": 3.0}


@pytest.mark.parametrize("logits", [(2.0, -1.0, 0.5), (0.2, 0.5, 0.3), (5.0, -5.0, -5.0), (INF, 0.5, -INF)])
def test_as_probabilities_is_what_keras_gives(path, logits):
    x, y = np.array([[logits] * 3], np.float32), np.array([[0, 1, 2]])
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=False, reduction=None)(y, x)
    np.testing.assert_allclose(alternative_losses(x, y).as_probabilities, expected.numpy(), rtol=2e-6, atol=2e-7)


def test_alternative_losses_agree_with_tensorflow_and_torch(path):
    x, y = batch()
    actual = alternative_losses(x, y)
    p = tf.nn.softmax(x.astype(np.float64))
    twice = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=p)
    z, labels = torch.tensor(x).double(), torch.tensor(y).flatten()

    def torch_loss(logits):
        flat = logits.double().reshape(-1, CLASSES)
        return torch.nn.functional.cross_entropy(flat, labels, reduction="none").reshape(y.shape)

    expected = {
        "logsumexp": torch.logsumexp(z, -1),
        "uniform_loss": -torch.log_softmax(z, -1).mean(-1),
        "twice": twice,
        "in_bfloat16": torch_loss(torch.tensor(x).bfloat16()),
        "in_float16": torch_loss(torch.tensor(x).half()),
    }
    for name, losses in expected.items():
        np.testing.assert_allclose(getattr(actual, name), losses.numpy(), rtol=1e-6, err_msg=name)


LOW, HIGH = 1e-7, 1 - 1e-7
NOT_FINITE = [  # logits, then the six losses of class 0
    ([0, NAN, 1], [NAN] * 6),
    ([NAN, 0, 1], [NAN] * 6),
    ([INF, NAN, -INF], [NAN] * 6),
    ([0, INF, 1], [INF, NAN, NAN, np.log(2 * HIGH / LOW + 1), NAN, NAN]),
    ([INF, 0, 0], [INF, NAN, NAN, np.log1p(2 * LOW / HIGH), NAN, NAN]),
    ([-INF, INF, 0], [INF, NAN, NAN, np.log(HIGH / LOW + 2), NAN, NAN]),
    ([-INF, -INF, -INF], [-INF, NAN, NAN, np.log(3), NAN, NAN]),
    ([-INF, 0, 0], [np.log(2), INF, np.log(1 + 2 * np.exp(0.5)), np.log(3), INF, INF]),
    ([0, -INF, -INF], [0, INF, np.log(math.e + 2) - 1, np.log(3), 0, 0]),
    (
        [-1e9, 0, 0],
        [np.log(2), 1e9 / 3 + np.log(2), np.log(1 + 2 * np.exp(0.5)), np.log(3), 998244352 + np.log(2), INF],
    ),
    ([0, -1e9, 0], [np.log(2), 1e9 / 3 + np.log(2), np.log(1 + 2 * np.exp(0.5)) - 0.5, np.log(3), *[np.log(2)] * 2]),
    ([0, -3e38, -3e38], [0, 2e38, np.log(math.e + 2) - 1, np.log(3), 0, 0]),
    ([7e4, 0, 0], [7e4, 2 / 3 * 7e4, np.log(math.e + 2) - 1, np.log1p(2 * LOW / HIGH), 0, NAN]),
]


@pytest.mark.parametrize(("logits", "expected"), NOT_FINITE)
def test_alternative_losses_of_a_row_that_is_not_finite_or_overflows(path, logits, expected):
    x = np.array([[[0.0, 0.5, 1.0], logits, [0.0, 0.5, 1.0]]], np.float32)
    actual = alternative_losses(x, np.array([[0, 0, 0]]))
    np.testing.assert_allclose([getattr(actual, name)[0, 1] for name in FIELDS], expected, rtol=1e-6)
    beside = expected_losses(x[0, :1], np.array([0]))
    for name in FIELDS:
        np.testing.assert_allclose(getattr(actual, name)[0, ::2], float(beside[name][0]), rtol=1e-6)


def test_the_two_paths_agree_on_what_is_not_finite(monkeypatch):
    x, y = batch()
    x[0, 0, 3], x[0, 1, y[0, 1]], x[0, 2, 4], x[0, 3, y[0, 3]] = NAN, NAN, INF, INF
    x[0, 4, y[0, 4]], x[0, 5, 7:], x[0, 6], x[0, 7] = -INF, -INF, -INF, NAN
    x[0, 8, 9:], x[1, :, 11] = -3.4e38, -INF
    y[0, 9:12] = -100, CLASSES, 2**32
    expected = alternative_losses(x, y)
    monkeypatch.setattr(alternatives, "FAST_FROM", 1)
    actual = alternative_losses(x, y)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(actual, name), getattr(expected, name), rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("label", [-100, -1, 6, 2**32, 2**32 + 1])
def test_alternative_losses_of_a_target_that_is_no_class(path, label):
    x, y = rows(2, 6)
    expected = expected_losses(x, y)
    y[1] = label
    actual = alternative_losses(x[None], y[None])
    for name in FIELDS:
        of_second = NAN if name in OF_TARGET else float(expected[name][1])
        wanted = [float(expected[name][0]), of_second]
        np.testing.assert_allclose(getattr(actual, name)[0], wanted, rtol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.floats(-1e3, 1e3))
def test_a_constant_added_to_the_logits_moves_logsumexp_only(seed, constant):
    rng = np.random.default_rng(seed)
    x, y = np.round(rng.normal(size=(2, 3, 7)) * 64) / 64, rng.integers(0, 7, (2, 3))
    moved, expected = alternative_losses(x + np.round(constant), y), alternative_losses(x, y)  # exact in binary
    np.testing.assert_allclose(moved.logsumexp, expected.logsumexp + np.round(constant), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(moved.twice, expected.twice, rtol=1e-12)
    np.testing.assert_allclose(moved.uniform_loss, expected.uniform_loss, rtol=1e-12)
    assert (expected.uniform_loss >= np.log(7) - 1e-12).all()  # Jensen


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (0, 0, 1)])
def test_alternative_losses_of_an_empty_batch_are_empty(path, shape):
    seen = []
    targets = np.zeros(shape[:2], int)
    actual = alternative_losses(np.zeros(shape), targets, progress=lambda *done: seen.append(done))
    assert seen == []
    assert {getattr(actual, name).shape for name in FIELDS} == {shape[:2]}


def test_alternative_losses_read_a_memory_mapped_file(path, tmp_path):
    for dtype in (np.float32, np.float64):
        x, y = batch(dtype=dtype)
        file = tmp_path / f"{np.dtype(dtype).name}.npy"
        np.save(file, x)
        mapped = np.load(file, mmap_mode="r")
        expected = alternative_losses(x, y)
        same(alternative_losses(mapped, y), expected)


def test_alternative_losses_read_arrays_that_are_transposed_read_only_or_byte_swapped(path):
    x, y = batch()
    expected = alternative_losses(x, y)
    frozen = x.copy()
    frozen.flags.writeable = False
    for other in (np.asfortranarray(x), x.swapaxes(0, 1).copy().swapaxes(0, 1), x.astype(">f4"), frozen):
        same(alternative_losses(other, y), expected)
    same(alternative_losses(x.astype(">f8"), y), alternative_losses(x.astype(np.float64), y))


def test_progress_counts_the_timesteps_on_the_calling_thread(path):
    seen = []
    alternative_losses(*batch(), progress=lambda done, total: seen.append((done, total, threading.get_ident())))
    assert [(done, ROWS, threading.get_ident()) for done in range(0, ROWS + 1, ROWS // 4)] == seen


def test_an_exception_in_progress_stops_the_work_and_goes_on(path):
    before = threading.active_count()

    def progress(done, total):
        if done:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        alternative_losses(*batch(), progress=progress)
    assert before == threading.active_count()


def test_cancelled_stops_the_work(path):
    done = []
    with pytest.raises(Cancelled) as error:
        alternative_losses(*batch(), progress=lambda rows, _: done.append(rows), cancelled=lambda: len(done) == 2)
    assert f"The diagnosis was stopped after {ROWS // 4} of {ROWS} timesteps." == str(error.value)
    assert done == [0, ROWS // 4]


MISFITS = [
    (
        np.zeros((2, 3)),
        np.zeros((2, 3), int),
        "`logits` must have shape [B, T, V] with at least one class; got (2, 3).",
    ),
    (
        np.zeros((2, 3, 4), int),
        np.zeros((2, 3), int),
        "`logits` must be float16, bfloat16, float32 or float64; got int64. Pass `logits.astype('float32')`.",
    ),
    (
        np.zeros((2, 3, 4)),
        np.zeros((3, 2), int),
        "`targets` must have shape (2, 3), the first two axes of `logits`; got (3, 2).",
    ),
]


@pytest.mark.parametrize(("logits", "targets", "message"), MISFITS)
def test_alternative_losses_refuse_what_does_not_fit(logits, targets, message):
    with pytest.raises(InputError) as error:
        alternative_losses(logits, targets)
    assert message == str(error.value)


@pytest.fixture
def by_xla(monkeypatch):
    """Sends every batch through programs of four blocks of the rows below."""
    monkeypatch.setenv("LOSSVIZ_XLA", "1")
    monkeypatch.setattr(alternatives, "XLA_FROM", 1)
    monkeypatch.setattr(_blocks, "XLA_ELEMENTS", ROWS * CLASSES // 4)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32])
def test_the_compiled_path_is_right_for_any_dtype_confidence_and_offset(by_xla, dtype):
    assert_right(*rows(ROWS, CLASSES, dtype))
    assert_right(*rows(ROWS - 2, CLASSES, dtype))  # the last block is not full
    for make in (confident, confidently_wrong):
        for offset in (0.0, 1e4, -1e4):
            x, y = make(np.random.default_rng(1), ROWS, CLASSES, offset)
            assert_right(x.astype(np.float32), y, 5e-6)


def test_the_compiled_path_is_right_for_tiny_and_huge_logits_and_ties(by_xla):
    x, y = rows()
    for scale in (1e-7, 1e-5, 1e3, 4e3):  # the tiny ones are subnormal in float16
        assert_right(x * np.float32(scale), y)
    assert_right(np.zeros_like(x), y)
    assert_right(np.round(x), y)


def test_the_compiled_path_agrees_on_what_is_not_finite_or_no_class(by_xla, monkeypatch):
    x, y = batch()
    x[0, 0, 3], x[0, 1, y[0, 1]], x[0, 2, 4], x[0, 3, y[0, 3]] = NAN, NAN, INF, INF
    x[0, 4, y[0, 4]], x[0, 5, 7:], x[0, 6], x[0, 7] = -INF, -INF, -INF, NAN
    x[0, 8, 9:], x[1, :, 11], x[1, 3, 5] = -3.4e38, -INF, 7e4
    y[0, 9:12] = -100, CLASSES, 2**32
    actual = alternative_losses(x, y)
    monkeypatch.setenv("LOSSVIZ_XLA", "0")
    expected = alternative_losses(x, y)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(actual, name), getattr(expected, name), rtol=1e-6, err_msg=name)

"""The three paths of the diagnosis agree, whatever holds the logits, and can be watched and stopped."""

import dataclasses
import os
import sys
import threading

import ml_dtypes
import numpy as np
import pytest

from lossviz.engine import _blocks, _graph, _xla_flags, per_timestep
from lossviz.errors import Cancelled, InputError
from lossviz.file_arrays import open_array
from lossviz.timesteps import Timesteps
from tests.engine._oracle import confident, confidently_wrong, numbers, relative_error

FIELDS = [field.name for field in dataclasses.fields(Timesteps)]
TOLERANCES = {"loss": 2e-6, "gradient_norm": 2e-6, "entropy": 5e-6, "probability": 5e-6}
ROWS, CLASSES = 64, 1100


@pytest.fixture(params=["xla", "ops", "graph"])
def path(request, monkeypatch):
    """Sends every batch, however small, down one path in small blocks."""
    monkeypatch.setenv("LOSSVIZ_XLA", "1" if request.param == "xla" else "0")
    monkeypatch.setattr(_blocks, "BLOCKS_FROM", 1 << 62 if request.param == "graph" else 1)
    monkeypatch.setattr(_blocks, "XLA_ELEMENTS", ROWS * CLASSES // 4)
    monkeypatch.setattr(_blocks, "OPS_ELEMENTS", ROWS * CLASSES // 4)
    monkeypatch.setattr(_graph, "BLOCK", ROWS * CLASSES // 4)
    assert _xla_flags.available() == (request.param == "xla")
    return request.param


def batch(count=ROWS, classes=CLASSES, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    x = (rng.standard_normal((2, count // 2, classes)) * 3).astype(dtype)
    return x, rng.integers(0, classes, (2, count // 2))


def assert_right(x, y, width=1.0):
    actual, expected = per_timestep(x[None], y[None]), numbers(x, y)
    for name, tolerance in TOLERANCES.items():
        assert relative_error(getattr(actual, name)[0], expected[name]) <= tolerance * width, name
    for name in ("rank", "non_finite", "top_classes"):
        np.testing.assert_array_equal(getattr(actual, name)[0], expected[name])
    np.testing.assert_allclose(actual.top_probabilities[0], expected["top_probabilities"].astype(float), rtol=5e-6)


def same(actual, expected):
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name))


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_per_timestep_is_accurate_for_every_dtype(path, dtype):
    x, y = batch(dtype=dtype)
    assert_right(x.reshape(ROWS, CLASSES), y.reshape(ROWS), 1e-6 if dtype == np.float64 else 1)


@pytest.mark.parametrize("offset", [0.0, 1e4, -1e4])
def test_per_timestep_is_accurate_at_any_confidence_and_offset(path, offset):
    for make in (confident, confidently_wrong):
        x, y = make(np.random.default_rng(1), ROWS, CLASSES, offset)
        assert_right(x.astype(np.float32), y)
    x, y = batch()
    assert_right((x + np.float32(offset)).reshape(ROWS, CLASSES), y.reshape(ROWS))


@pytest.mark.parametrize("classes", [8000, 50257])
def test_per_timestep_is_accurate_for_many_classes(path, classes):
    x, y = confident(np.random.default_rng(2), 4, classes)
    sure = x.astype(np.float32)
    x, z = batch(4, classes)
    uniform = (x * 1e-3).reshape(4, classes)
    assert_right(np.concatenate([sure, x.reshape(4, classes), uniform]), np.concatenate([y, z.ravel(), z.ravel()]))


@pytest.mark.parametrize("classes", [1, 2, 4, 5, 7])
def test_per_timestep_is_right_for_few_classes(path, classes):
    x, y = batch(ROWS, classes)
    actual, expected = per_timestep(x, y), numbers(x.reshape(ROWS, classes), y.reshape(ROWS))
    width = min(5, classes)
    np.testing.assert_allclose(actual.loss.ravel(), expected["loss"].astype(float), rtol=2e-6)
    np.testing.assert_array_equal(actual.top_classes.reshape(ROWS, 5)[:, :width], expected["top_classes"])
    assert ([-1] * (5 - width), [0.0] * (5 - width)) == (
        actual.top_classes[0, 0, width:].tolist(),
        actual.top_probabilities[0, 0, width:].tolist(),
    )


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_per_timestep_gives_a_tie_to_the_lowest_class(path, dtype):
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 3, (ROWS, CLASSES)).astype(dtype), rng.integers(0, CLASSES, ROWS)
    x[0] = 0
    assert_right(x, y)


def test_per_timestep_marks_what_is_not_finite_as_the_small_path_does(path, monkeypatch):
    x, y = batch()
    x[0, 0, 3], x[0, 1, y[0, 1]], x[0, 2, 4], x[0, 3, y[0, 3]] = np.nan, np.nan, np.inf, np.inf
    x[0, 4, y[0, 4]], x[0, 5, 7:], x[0, 6], x[0, 7] = -np.inf, -np.inf, -np.inf, np.nan
    y[0, 8], y[0, 9], y[0, 10], y[0, 5] = -100, CLASSES, 2**32, 3
    x[0, 11] = -np.inf
    x[0, 11, y[0, 11]] = 2
    actual = per_timestep(x, y)
    monkeypatch.setattr(_blocks, "BLOCKS_FROM", 1 << 62)
    expected = per_timestep(x, y)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(actual, name), getattr(expected, name), rtol=5e-6, err_msg=name)
    assert np.flatnonzero(np.isnan(actual.entropy[0])).tolist() == [0, 1, 2, 3, 6, 7]


def test_per_timestep_reads_a_memory_mapped_file_at_any_offset(path, tmp_path):
    x, y = batch()
    expected = per_timestep(x, y)
    for offset in (0, 64, 65, 4096, 5000):
        file = tmp_path / f"{offset}.bin"
        file.write_bytes(b"\0" * offset + x.tobytes())
        for mode in ("r", "c"):
            mapped = np.memmap(file, np.float32, mode, offset, x.shape)
            same(per_timestep(mapped, y), expected)
            same(per_timestep(mapped[1:], y[1:]), per_timestep(x[1:], y[1:]))
    np.save(tmp_path / "x.npy", x)
    same(per_timestep(np.load(tmp_path / "x.npy", mmap_mode="r"), y), expected)


def test_per_timestep_reads_the_map_when_its_file_was_replaced(path, tmp_path):
    x, y = batch()
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.save(tmp_path / "other.npy", x + 1)
    (tmp_path / "other.npy").replace(tmp_path / "x.npy")
    expected = per_timestep(x, y)
    same(per_timestep(mapped, y), expected)
    (tmp_path / "x.npy").unlink()
    same(per_timestep(mapped, y), expected)


def test_per_timestep_reads_arrays_that_are_not_contiguous_read_only_or_byte_swapped(path):
    x, y = batch()
    expected = per_timestep(x, y)
    frozen, wide = x.copy(), np.zeros((2, ROWS, CLASSES), np.float32)
    frozen.flags.writeable = False
    wide[:, 1::2] = x
    for other in (x.swapaxes(0, 1).copy().swapaxes(0, 1), frozen, wide[:, 1::2], x.astype(">f4")):
        same(per_timestep(other, y), expected)
    same(per_timestep(x[:, :-1], y[:, :-1]), per_timestep(x[:, :-1].copy(), y[:, :-1]))


@pytest.mark.parametrize("shift", range(0, 68, 4))
def test_per_timestep_reads_memory_at_any_alignment(path, shift):
    x, y = batch(ROWS, 16)
    memory = np.zeros(x.nbytes + 128, np.uint8)
    start = -memory.ctypes.data % 64 + shift
    there = memory[start : start + x.nbytes].view(np.float32).reshape(x.shape)
    there[:] = x
    same(per_timestep(there, y), per_timestep(x.copy(), y))


def test_progress_counts_the_timesteps_on_the_calling_thread(path):
    x, y = batch()
    seen = []
    per_timestep(x, y, progress=lambda done, total: seen.append((done, total, threading.get_ident())))
    assert (0, ROWS, threading.get_ident()) == seen[0]
    assert (ROWS, ROWS, threading.get_ident()) == seen[-1]
    assert len(seen) >= 5
    assert sorted(seen) == seen


@pytest.mark.parametrize("exception", [KeyboardInterrupt, ZeroDivisionError])
def test_an_exception_in_progress_stops_the_work_and_goes_on(path, exception):
    x, y = batch()
    before = threading.active_count()

    def progress(done, total):
        if done:
            raise exception

    with pytest.raises(exception):
        per_timestep(x, y, progress=progress)
    assert before == threading.active_count()


def test_cancelled_stops_the_work(path):
    x, y = batch()
    done = []
    with pytest.raises(Cancelled) as error:
        per_timestep(x, y, progress=lambda rows, _: done.append(rows), cancelled=lambda: len(done) == 2)
    assert f"The diagnosis was stopped after {done[-1]} of {ROWS} timesteps." == str(error.value)
    assert len(done) == 2


def test_an_error_in_a_worker_is_raised_on_the_calling_thread(path, monkeypatch):
    class Failure(Exception):
        pass

    def fail(*_):
        raise Failure

    before = threading.active_count()
    monkeypatch.setattr(sys.modules["lossviz.engine.per_timestep"], "_store", fail)  # the attribute is the function
    with pytest.raises(Failure):
        per_timestep(*batch())
    assert before == threading.active_count()


def test_per_timestep_reads_an_array_in_a_file_however_it_is_turned(path, tmp_path):
    x, y = batch()
    edited = x.copy()
    edited[1, 2, 3] = 50
    for dtype in ("<f4", ">f4", "<f2", "<f8"):
        (tmp_path / "x.bin").write_bytes(b"x" * 5 + x.astype(dtype).tobytes())
        kept = open_array(tmp_path / "x.bin", np.dtype(dtype), x.shape, 5)
        for turn in (
            lambda a: a, lambda a: a[1:], lambda a: a[:, 3:], lambda a: a[:, :, :-1], lambda a: a[::-1, ::3],
            lambda a: a.reshape(4, -1, CLASSES), lambda a: a.swapaxes(0, 1), lambda a: a.swapaxes(1, 2),
        ):  # fmt: skip
            turned = turn(x.astype(dtype))
            labels = y.reshape(-1)[: turned.shape[0] * turned.shape[1]] % turned.shape[2]
            labels = np.resize(labels, turned.shape[:2])
            same(per_timestep(turn(kept), labels), per_timestep(np.ascontiguousarray(turned), labels))
        changed = kept.editable()
        changed[1, 2, 3] = 50
        same(per_timestep(changed, y), per_timestep(edited.astype(dtype), y))


def test_a_file_that_became_shorter_is_an_error_in_words(path, tmp_path):
    x, y = batch()
    x.tofile(tmp_path / "x.bin")
    kept = open_array(tmp_path / "x.bin", x.dtype, x.shape, 0)
    os.truncate(tmp_path / "x.bin", 100)
    with pytest.raises(InputError) as error:
        per_timestep(kept, y)
    assert str(error.value) == "`x.bin` changed on disk: open it again."


def test_several_threads_may_ask_at_once(path):
    asked = [batch(seed=seed) for seed in range(4)]
    expected = [per_timestep(x, y) for x, y in asked]
    actual = [None] * 4

    def ask(place):
        actual[place] = per_timestep(*asked[place])

    threads = [threading.Thread(target=ask, args=[place]) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got, wanted in zip(actual, expected, strict=True):
        same(got, wanted)

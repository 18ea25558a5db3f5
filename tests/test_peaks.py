"""What is taken for a while beside a batch: so much for each timestep, and no copy of the logits."""

import tracemalloc
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from lossviz import Batch, analyze, diagnose, formats, identify
from lossviz.conventions import compare_conventions
from lossviz.errors import FormatError, InputError
from lossviz.identification._context import Context
from lossviz.identification.candidates._class_labels import class_labels
from lossviz.reductions import Options
from lossviz.tables import download

MOST = {"analyze": 250, "identify": 800, "compare_conventions": 100, "parquet": 250, "json": 350}
"""Bytes per timestep, of what NumPy, pandas and Python take: docs/reliability.md."""


def made(*shape: int, dtype: Any = np.float32) -> Batch:
    rng = np.random.default_rng(0)
    targets = rng.integers(1, shape[2], shape[:2])
    lengths = rng.integers(shape[1] // 2, shape[1] + 1, shape[0])
    logits, inputs = rng.normal(size=shape).astype(dtype), np.roll(targets, 1, axis=1)
    batch = Batch.from_arrays(logits=logits, targets=targets, lengths=lengths, inputs=inputs, pad_id=0)
    return batch.replace(reported=f"{float(np.mean(analyze(batch).batch_loss)):.6f}")  # all positions: PAD01


def peak(work: Callable[[], Any]) -> int:
    """The bytes that are in use at most while something is done, beside those of before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_peaks_are_so_many_bytes_for_each_timestep() -> None:
    few, many = made(64, 256, 3), made(128, 512, 3)
    analysis, timesteps = analyze(few), few.targets.size
    download(analyze(made(4, 4, 3)), "parquet")  # loads what it needs
    each = {
        "analyze": peak(partial(analyze, few)) / timesteps,
        "compare_conventions": peak(partial(compare_conventions, analysis)) / timesteps,
        **{name: peak(partial(download, analysis, name)) / timesteps for name in ("json", "parquet")},
    }
    first, second = (peak(partial(identify, analyze(one), one.reported)) for one in (few, many))
    each["identify"] = (second - first) / (many.targets.size - timesteps)  # it takes 30 MiB of any batch
    assert {name: round(one) for name, one in each.items() if one > MOST[name]} == {}


def test_binary_cross_entropy_over_the_classes_widens_some_rows_at_a_time() -> None:
    """It took five copies of the logits in float64, twenty times those of half precision."""
    batch = made(16, 15, 8_192, dtype=np.float16)
    context = Context(analyze(batch), Options())
    assert len(context.analysis.logsumexp) == 16
    assert peak(lambda: list(class_labels(context))) < 4 * batch.logits.nbytes


def test_file_of_a_hundred_million_timesteps_in_kilobytes_is_refused() -> None:
    """Zeros: it unpacks to what an upload may, but their numbers would take 20 GB."""
    stream = BytesIO()
    np.savez_compressed(
        stream, logits=np.zeros((1, 8_000_000, 2), np.float16), targets=np.zeros((1, 8_000_000), np.int8)
    )
    assert len(stream.getvalue()) < 100_000
    for read in (formats.read, formats.contents):
        with pytest.raises(FormatError) as error:
            read(stream.getvalue(), name="a.npz")
        assert str(error.value).endswith(
            "at most 1 GiB are unpacked. Each of its 8,000,000 timesteps takes 200 bytes: save fewer."
        )


def test_number_of_too_many_timesteps_is_compared_with_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.identification._identify.MOST_TIMESTEPS", 15)
    monkeypatch.setattr("lossviz.rules._core.printed_number.MOST_TIMESTEPS", 15)
    batch = made(4, 4, 3)
    with pytest.raises(InputError) as error:
        identify(batch, "1.5")
    assert str(error.value) == (
        "A number is compared on at most 15 timesteps, since each takes 800 bytes; got 16. Pass fewer sequences."
    )
    reasons = {one.reason for one in diagnose(batch).outcomes}
    assert "A printed number is compared on at most 15 timesteps." in reasons

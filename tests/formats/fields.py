"""Fields to write and read back, made by hand and by hypothesis."""

from io import BytesIO
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lossviz import formats
from lossviz.errors import FormatError

FLOATS = [np.dtype(kind) for kind in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)]
INTEGERS = [np.dtype(kind) for kind in "bhilBHI"]

# NumPy's fixed-width text drops trailing NULs of a title; a vocabulary keeps them.
TITLES = st.text(max_size=20).filter(lambda text: not text.endswith("\0"))


def tiny() -> dict[str, Any]:
    """Two sequences of two timesteps and three classes, small enough to check by eye."""
    return {
        "logits": np.arange(12, dtype=np.float32).reshape(2, 2, 3) / 4,
        "targets": np.array([[1, 2], [1, 0]]),
        "lengths": np.array([2, 1]),
        "vocabulary": ["<pad>", "a", "b"],
        "pad_id": 0,
        "reported": "1.250",
        "title": "Two sequences",
    }


def encoded(fields: dict[str, Any], name: str) -> bytes:
    """The bytes of a file with these fields."""
    stream = BytesIO()
    formats.write(fields, stream, name)
    return stream.getvalue()


def refusal(source: Any, **options: Any) -> str:
    """The message with which a source is refused."""
    with pytest.raises(FormatError) as error:
        formats.read(source, **options)
    return str(error.value)


def same(expected: dict[str, Any], actual: dict[str, Any]) -> bool:
    """Whether two sets of fields agree in names, dtypes, shapes and every bit, NaN included."""
    assert list(actual) == [name for name in formats.FIELDS if name in expected]
    for name, value in expected.items():
        if isinstance(value, np.ndarray):
            found = actual[name]
            assert (found.dtype, found.shape) == (value.dtype, value.shape), name
            as_bits = [np.where(np.isnan(a.astype(float)), np.nan, a.astype(float)) for a in (value, found)]
            np.testing.assert_array_equal(*as_bits)
        else:
            assert actual[name] == value
    return True


@st.composite
def batches(draw: st.DrawFn) -> dict[str, Any]:
    """Fields of any dtype that a batch may have, with whichever of the optional ones."""
    batch, timesteps, classes = (draw(st.integers(1, 4)) for _ in range(3))
    wide = draw(st.sampled_from(FLOATS))
    numbers = st.floats(width=16) if wide.itemsize == 2 else st.floats(width=8 * wide.itemsize)
    logits = draw(hnp.arrays(np.float64, (batch, timesteps, classes), elements=numbers))
    fields: dict[str, Any] = {"logits": logits.astype(wide)}
    shapes = {"targets": (batch, timesteps), "inputs": (batch, timesteps), "segment_ids": (batch, timesteps)}
    for name, shape in (shapes | {"lengths": (batch,)}).items():
        if name == "targets" or draw(st.booleans()):
            fields[name] = draw(hnp.arrays(draw(st.sampled_from(INTEGERS)), shape))
    if draw(st.booleans()):
        kind = draw(st.sampled_from([np.dtype(np.float32), np.dtype(np.float64), np.dtype(bool)]))
        fields["weights"] = draw(hnp.arrays(kind, (batch, timesteps)))
    if draw(st.booleans()):
        fields["vocabulary"] = draw(st.lists(st.text(max_size=5), min_size=classes, max_size=classes))
    if draw(st.booleans()):
        fields["input_vocabulary"] = draw(st.lists(st.text(max_size=5), max_size=5))
    for name in ("pad_id", "eos_id", "ignore_id"):
        if draw(st.booleans()):
            fields[name] = draw(st.integers(-(2**31), 2**31))
    for name in ("reported", "title"):
        if draw(st.booleans()):
            fields[name] = draw(TITLES)
    return fields

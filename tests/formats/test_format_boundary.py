"""Whatever a reader raises becomes one FormatError of one printable sentence."""

import io

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from lossviz import formats
from lossviz.errors import FormatError
from tests.formats.fields import refusal


def parquet(columns, names):
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table([pyarrow.array(column) for column in columns], names=names), stream)
    return stream.getvalue()


def test_read_of_duplicate_parquet_columns_is_a_sentence():
    names = ["sequence", "timestep", "target", "target", "logit_0"]
    message = refusal(parquet([[0], [0], [0], [0], [0.5]], names), name="a.parquet")
    assert message.startswith("`a.parquet` is damaged, or written in a way lossviz doesn't know (")
    assert message.endswith("). Save or copy it again.")


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError("deep"), SystemError("odd"), ZeroDivisionError()])
def test_read_names_the_type_of_what_a_reader_raised(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(formats, "choose", fail)
    reason = ": ".join(filter(None, (type(error).__name__, str(error))))
    assert refusal(b'{"logits": [[[1.0]]], "targets": [[0]]}', name="a.json") == (
        f"`a.json` is damaged, or written in a way lossviz doesn't know ({reason}). Save or copy it again."
    )


@pytest.mark.parametrize("read", [lambda d, n: formats.read(d, name=n), lambda d, n: formats.read_many({n: d})])
def test_message_about_names_in_a_file_is_short_and_printable(read):
    stream = io.BytesIO()
    np.savez(stream, **{"\x1b[31m" + "x" * 60_000: np.zeros(3)})
    with pytest.raises(FormatError) as error:
        read(stream.getvalue(), "a.npz")
    assert str(error.value).startswith("`a.npz` holds `\\x1b[31mxxx")
    assert (str(error.value).isprintable(), len(str(error.value)) < 2_000) == (True, True)


@pytest.mark.parametrize("suffix", ["npz", "npy", "json", "jsonl", "csv", "safetensors", "parquet", "arrow"])
def test_contents_of_a_damaged_file_is_one_sentence(monkeypatch, suffix):
    def fail(*_):
        raise RecursionError("deep")

    monkeypatch.setattr("lossviz.formats._common.Source.head", fail)
    monkeypatch.setattr("lossviz.formats._common.Source.encoded", fail)
    with pytest.raises(FormatError) as error:
        formats.contents(b"x", name=f"a.{suffix}")
    assert str(error.value) == (
        f"`a.{suffix}` is damaged, or written in a way lossviz doesn't know (RecursionError: deep). "
        "Save or copy it again."
    )

"""Arrow files and streams: one row per sequence, lists in its cells; damaged ones, and what unpacks to too much."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest

from lossviz.errors import FormatError
from lossviz.formats import contents

ROWS = [{"labels": [1, 2], "losses": [None, 1.5]}, {"labels": [3], "losses": [0.5]}]


def encoded(rows: list[dict[str, Any]], *, stream: bool = False) -> bytes:
    table, sink = pyarrow.Table.from_pylist(rows), pyarrow.BufferOutputStream()
    with (pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=1)  # rows in record batches of their own
    return bytes(sink.getvalue())


@pytest.mark.parametrize("name", ["a.arrow", "a.feather"])
@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
def test_arrow_rows_are_sequences(name: str, stream: bool, tmp_path: Path) -> None:
    data = encoded(ROWS, stream=stream)
    (tmp_path / name).write_bytes(data)
    for fields in (contents(data, name=name), contents(tmp_path / name)):
        assert [row.tolist() for row in fields["labels"]] == [[1, 2], [3]]
        np.testing.assert_array_equal(fields["losses"][0], [np.nan, 1.5])


def answer(data: bytes) -> str:
    """The names of the fields, or why there are none."""
    try:
        return ", ".join(contents(data, name="a.arrow"))
    except FormatError as error:
        return str(error)


@pytest.mark.parametrize("stream", [False, True], ids=["file", "stream"])
def test_arrow_that_was_cut_is_one_sentence(stream: bool) -> None:
    data = encoded(ROWS, stream=stream)
    for length in range(1, len(data) - 8, max(1, len(data) // 40)):
        assert answer(data[:length]).startswith(("labels", "`a.arrow` "))


def test_arrow_of_another_kind_is_refused() -> None:
    with pytest.raises(FormatError) as error:
        contents(b"hello, world", name="a.arrow")
    assert str(error.value).startswith("`a.arrow` was cut off or is no Arrow file: ")
    assert str(error.value).endswith("Save or copy it again.")


def test_arrow_without_rows_is_refused() -> None:
    table, sink = (
        pyarrow.table({"labels": pyarrow.array([], pyarrow.list_(pyarrow.int64()))}),
        pyarrow.BufferOutputStream(),
    )
    with pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(FormatError) as error:
        contents(bytes(sink.getvalue()), name="a.arrow")
    assert str(error.value) == "`a.arrow` holds no row. Write one row per sequence."


def test_arrow_counts_what_it_unpacks_to(monkeypatch: pytest.MonkeyPatch) -> None:
    from lossviz.formats import _common

    monkeypatch.setattr(_common, "LIMITS", _common.Limits(upload_decoded_bytes=1000))
    with pytest.raises(FormatError, match="Save one batch"):
        contents(encoded([{"labels": [1] * 500}] * 3), name="a.arrow")

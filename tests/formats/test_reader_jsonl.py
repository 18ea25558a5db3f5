r"""JSON Lines: one sequence or one batch a line; what is missing, damaged or hostile is said with its line."""

import json
from typing import Any

import numpy as np
import pytest

from lossviz.errors import FormatError
from lossviz.formats import LIMITS, contents, find_reader


def lines(*records: Any) -> bytes:
    return "\n".join(json.dumps(record) for record in records).encode()


def read(data: bytes, name: str = "a.jsonl") -> dict[str, Any]:
    return contents(data, name=name)


def test_jsonl_rows_of_one_length_are_one_array_and_others_stay_rows() -> None:
    fields = read(lines({"labels": [1, 2], "losses": [0.5, 1]}, {"labels": [3, 4], "losses": [0.5]}))
    assert fields["labels"].tolist() == [[1, 2], [3, 4]]
    assert [row.tolist() for row in fields["losses"]] == [[0.5, 1.0], [0.5]]


def test_jsonl_null_among_numbers_was_not_recorded() -> None:
    fields = read(lines({"labels": [1, 2], "losses": [None, 1.5]}, {"labels": [3, 4], "losses": [None, 0.5]}))
    np.testing.assert_array_equal(fields["losses"], [[np.nan, 1.5], [np.nan, 0.5]])


def test_jsonl_of_one_line_is_a_sequence_or_a_batch() -> None:
    assert read(lines({"labels": [1, 2], "pad_id": 0}))["labels"].tolist() == [[1, 2]]
    assert read(lines({"labels": [[1, 2], [3, 4]]}), "a.ndjson")["labels"].tolist() == [[1, 2], [3, 4]]


def test_jsonl_leaves_out_what_some_records_lack_but_never_labels() -> None:
    assert "note" not in read(lines({"labels": [1], "note": "a"}, {"labels": [2]}))
    with pytest.raises(FormatError) as error:
        read(lines({"labels": [1]}, {"note": "a"}))
    assert str(error.value) == "Row 1 of `a.jsonl` has no `labels`, which other rows have."


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "`a.jsonl` is empty. Save or copy it again."),
        (b'{"labels": [1]}\n{"labels": [2', "`line 2 of a.jsonl` is not JSON: "),
        (
            b'{"labels": [1]}\n[1, 2]',
            "Line 2 of `a.jsonl` is no JSON object; each line holds the fields of one sequence.",
        ),
        (b'{"labels": [1], "labels": [2]}', "`line 1 of a.jsonl` holds the key `labels` twice. Keep one of them."),
        (b"\xff\xfe", "`a.jsonl` is not UTF-8 text: byte 0 is 0xff. Save it as UTF-8."),
        (b"[" * 100_000, "`line 1 of a.jsonl` is nested too deeply"),
    ],
    ids=["empty", "cut", "no object", "a key twice", "no text", "deep"],
)
def test_jsonl_that_is_bad_is_one_sentence(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as error:
        read(data)
    assert str(error.value).startswith(message)


def test_jsonl_of_blank_lines_is_refused() -> None:
    with pytest.raises(FormatError) as error:
        read(b"\n \n")
    assert str(error.value) == "`a.jsonl` holds no row. Write one row per sequence."


def test_jsonl_of_too_many_numbers_is_refused() -> None:
    with pytest.raises(FormatError, match=r"are read from text\. Save it as \.npz\.$"):
        read(b'{"labels": [' + b"1," * LIMITS.text_cells + b"1]}")


def test_find_reader_refuses_what_nothing_reads() -> None:
    for name in ("a.jsonl", "a.NDJSON", "a.arrow", "a.feather", "a.npz", "a.parquet"):
        find_reader(name)
    with pytest.raises(FormatError) as error:
        find_reader("run/a.jsonx")
    assert str(error.value).startswith("`a.jsonx` has the suffix `.jsonx`; ")

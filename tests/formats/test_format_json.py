"""JSON: what may stand in a list, and where it says that something can't."""

import json
from typing import Any

import numpy as np
import pytest

from lossviz import formats
from lossviz.formats import _common
from tests.formats.fields import encoded, refusal, tiny


def read(text: str) -> dict[str, Any]:
    return formats.read(text.encode(), name="a.json")


def refused(text: str) -> str:
    return refusal(text.encode(), name="a.json")


def with_logits(logits: str) -> str:
    return f'{{"logits": {logits}, "targets": [[1]]}}'


def test_json_reads_nan_and_infinity_in_logits() -> None:
    logits = read(with_logits("[[[NaN, Infinity, -Infinity, 1.5]]]"))["logits"]
    np.testing.assert_array_equal(logits, [[[np.nan, np.inf, -np.inf, 1.5]]])
    assert logits.dtype == np.float64


def test_json_whole_number_logits_become_float32_and_dtypes_win() -> None:
    assert read(with_logits("[[[1, 2]]]"))["logits"].dtype == np.float32
    text = '{"logits": [[[1, 2]]], "targets": [[1]], "dtypes": {"logits": "bfloat16", "targets": "int16"}}'
    assert [read(text)[name].dtype.name for name in ("logits", "targets")] == ["bfloat16", "int16"]


def test_json_is_plain_and_writes_short_numbers() -> None:
    content = json.loads(encoded(tiny() | {"logits": np.full((1, 1, 2), 0.1, np.float32)}, "json"))
    assert content["logits"] == [[[0.1, 0.1]]]
    assert content["dtypes"] == {"logits": "float32", "targets": "int64", "lengths": "int64"}
    assert (content["reported"], content["pad_id"]) == ("1.250", 0)


def test_json_leaves_out_what_is_null_and_ignores_keys_it_does_not_know() -> None:
    text = '{"logits": [[[1, 2]]], "targets": [[1]], "lengths": null, "perplexities": [null], "meta": {"a": 1}}'
    assert list(read(text)) == ["logits", "targets"]


def test_json_keeps_content_that_is_wrong() -> None:
    text = '{"logits": [[[1]]], "targets": [[4294967296]], "lengths": [2.7], "weights": [[-1]]}'
    fields = read(text)
    assert [fields[name].tolist() for name in ("targets", "lengths", "weights")] == [[[2**32]], [2.7], [[-1]]]


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (
            "[[[1, 2], [3]]]",
            (
                "`logits[0][1]` has 1 entries, but the first list at that level has 2. Pad the lists to one length, "
                "and pass "
                "the real ones as `lengths`."
            ),
        ),
        ("[[[1, null]]]", "`logits[0][0][1]` is null. Write a number, or NaN where there is none."),
        ('[[[1, "x"]]]', "`logits[0][0][1]` must be a number; got `'x'`."),
        (
            "[[[1, [2]]]]",
            "`logits[0][0][1]` is a list, where the first entry is a number. Pad ragged lists to one length.",
        ),
        ("[[[1], 2]]", "`logits[0][1]` must be a list with 1 entries, as the first one is; got `2`."),
        ("[[[1, 18446744073709551616]]]", "`logits[0][0][1]` must fit in 64 bits; got 18446744073709551616."),
        ('{"a": 1}', "`logits` must be a number; got `{'a': 1}`."),
    ],
)
def test_json_says_where_a_list_is_wrong(logits: str, message: str) -> None:
    assert refused(with_logits(logits)) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[1, 2]",
            (
                "`a.json` holds a list; looked for an object with `logits` and `targets`, such as "
                '{"logits": [[[0.5, 0.5]]], "targets": [[1]]}.'
            ),
        ),
        (
            '{"logits": [[[1, 2]]',
            "`a.json` is not JSON: Expecting ',' delimiter at line 1, column 21, where the end stands.",
        ),
        (
            "<!DOCTYPE html>",
            "`a.json` is not JSON: Expecting value at line 1, column 1, where `<!DOCTYPE html>` stands.",
        ),
        ('{"logits": 1, "logits": 2}', "`a.json` holds the key `logits` twice. Keep one of them."),
        ("[" * 100_000, "`a.json` is nested too deeply; logits are lists in three levels, [B][T][V]."),
        (
            f'{{"logits": {"1" * 5000}}}',
            "`a.json` holds a whole number of more than 4,300 digits. Write it as 1e300.",
        ),
        (
            with_logits("[[[1, 2]]]")[:-1] + ', "vocabulary": {"a": 0}}',
            "`vocabulary` must be a list of texts; got `{'a': 0}`.",
        ),
        (
            with_logits("[[[1, 2]]]")[:-1] + ', "vocabulary": ["a", "\\ud800"]}',
            "`vocabulary` in `a.json` must be UTF-8 text; got '\\ud800'.",
        ),
        (
            with_logits("[[[1, 2]]]")[:-1] + ', "reported": 1.25}',
            '`reported` in `a.json` must be text, such as "1.2545"; got `reported` () float64.',
        ),
    ],
)
def test_json_that_cannot_be_read_says_why(text: str, message: str) -> None:
    assert refused(text) == message


def test_json_unknown_dtype_lists_the_known_ones() -> None:
    text = '{"logits": [[[1, 2]]], "targets": [[1]], "dtypes": {"logits": "object"}}'
    assert refused(text) == (
        "`dtypes` in `a.json` gives `logits` the dtype `object`; known are bool, int8, int16, int32, int64, "
        "uint8, uint16, "
        "uint32, uint64, float16, float32, float64, bfloat16."
    )


def test_json_that_is_not_utf8_says_at_which_byte() -> None:
    assert refusal('{"title": "ä"}'.encode("latin-1"), name="a.json") == (
        "`a.json` is not UTF-8 text: byte 11 is 0xe4. Save it as UTF-8."
    )
    assert refusal("{}".encode("utf-16"), name="a.json") == (
        "`a.json` is not UTF-8 text: byte 0 is 0xff. Save it as UTF-8."
    )


def test_json_with_too_many_numbers_or_lists_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.formats.text.parse_json.LIMITS", _common.Limits(text_cells=4, text_lists=9))
    assert refused(with_logits("[[[1, 2, 3, 4]]]")) == (
        "`a.json` holds about 5 numbers; at most 4 are read from text. Save it as .npz."
    )
    assert refused("[" * 10) == "`a.json` holds about 10 lists; at most 9 are read from text. Save it as .npz."


def test_json_that_is_too_large_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.formats._common.LIMITS", _common.Limits(text_bytes=10))
    assert refused(with_logits("[[[1]]]")) == (
        "`a.json` is 37 bytes of text; at most 10 bytes are read. Save it as .npz, which needs no decoding."
    )

"""A long text is read in blocks, a short one number by number: both give the same arrays, and the same sentences."""

import json
import random
import tracemalloc
from typing import Any

import numpy as np
import pytest

from lossviz import formats
from lossviz.errors import FormatError
from lossviz.formats import csv_
from lossviz.formats.text import long_lists, parse_json
from lossviz.formats.text.long_lists import list_of_numbers

CSV = [
    "sequence,timestep,target,logit_0,logit_1,length\n0,0,1,0.5,2.0,2\n0,1,0,nan,-inf,2\n",
    'sequence;timestep;class;logit;target;token\r\n0;0;0;0.5;1;<pad>\r\n0;0;1;2.0;1;"a;b"\r\n',
    'sequence,timestep,class,logit,target,token\n0,0,0,0.5,1,"new\nline"\n0,0,1,2,1,7\n',
    "sequence\ttimestep\ttarget\tlogit_1\tnote\tlogit_0\n0\t0\t1\t1\tab\t3\n0\t1\t0\t2\tc\t4\n",
    "sequence,timestep,target,loss,rank\n0,0,1,0.5,1\n0,1,2,,\n\n0,2,2,1e-3,4\n",
    '# lossviz {"pad_id": 0, "dtypes": {"logits": "float16"}}\nsequence,timestep,target,logit_0,logit_1\n0,0,1,1,2\n',
    "sequence,timestep,target,weight,logit_0,logit_1\n0,0,1,True,7.0,8\n0,1,0,false,9,10\n",
    "sequence,timestep,target,logit_0,logit_1\n 0, 0, 1 ,+1.5,1e400\n",
]
JSON = [
    '{"logits": [[[2.0, 0.5, NaN], [0.1, -Infinity, 3e-1]]], "targets": [[1, 2]], "lengths": [2]}',
    '{"targets": [[1,2],[3,4]],\n "losses": [[0.5, 1],\n [2, 3]], "title": "[[1, 2], 3]", "vocabulary": ["[1]", "b"]}',
    '[{"logits": [[0.5, 1.5]], "labels": [1]}, {"logits": [[1, 2], [3, 4]], "labels": [0, 1], "meta": {"a": [1, 2]}}]',
    '{"logits": [[[1, 2]], [[3, 4]]], "targets": [[0], [18446744073709551615]], "title": "\\u00000"}',
    '{"logits": [[[1, 2]]], "targets": [[true]], "😀": [[1, 2], [3]], "vocabulary": [1, 2]}',
]
ODD = [
    "",
    ",",
    "]",
    "[",
    "}",
    '"',
    "\n",
    " ",
    "0x1f",
    "1_0",
    "-",
    "nan",
    "NaN",
    "1 2",
    "é",
    "\\",
    "e9",
    ".",
    "\x00",
    ";",
]


def read(text: str, name: str, *, long: bool) -> Any:
    """What comes of a text, as values that can be compared."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (parse_json, csv_):
            patched.setattr(module, "LONG", 0 if long else 1 << 60)
        patched.setattr(long_lists, "_LIST", 2)
        patched.setattr(long_lists, "_BLOCK", 30)
        try:
            found = (formats.contents if name.endswith("json") else formats.read)(text.encode(), name=name)
        except FormatError as error:
            return type(error).__name__, str(error)
    return {key: _comparable(value) for key, value in found.items()}


def _comparable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes() if value.dtype != object else value.tolist()
    return [_comparable(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("texts", "name"), [(CSV, "a.csv"), (JSON, "a.json")])
def test_long_text_is_read_as_a_short_one(texts: list[str], name: str) -> None:
    for text in texts:
        assert read(text, name, long=True) == read(text, name, long=False), text
    dice, taken = random.Random(0), 0
    for _ in range(400):
        text = dice.choice(texts)
        at = dice.randrange(len(text))
        text = text[:at] + dice.choice(ODD) + text[at + dice.randrange(3) :]
        expected = read(text, name, long=False)
        assert read(text, name, long=True) == expected, text
        taken += isinstance(expected, dict)
    assert 20 < taken < 380


@pytest.mark.parametrize(
    "text", [b"[[1, 2], [3]]", b"[[1,] 2, [3, 4]]", b"[[1 2], [3, 4]]", b"[[1,, 2], [3, 4, 5]]", b"[1][2]"]
)
def test_list_that_is_not_rectangular_is_left_to_the_reader_that_says_so(text: bytes) -> None:
    assert list_of_numbers(text) is None


def test_long_json_is_read_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """One letter outside of ASCII used to make a text four times as large; lists of floats, five times."""
    logits = np.random.default_rng(0).normal(size=(4, 100, 600)).astype(np.float32)
    text = json.dumps({"title": "😀", "logits": logits.tolist(), "targets": np.zeros((4, 100), int).tolist()}).encode()
    monkeypatch.setattr(long_lists, "_BLOCK", 1 << 18)
    tracemalloc.start()
    found = formats.read(text, name="a.json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found["title"], found["logits"].dtype, len(text) > 2**22) == ("😀", np.float64, True)
    np.testing.assert_array_equal(found["logits"], logits)
    assert peak < 3 * len(text)


def test_long_tables_are_read_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("read row by row")

    monkeypatch.setattr(csv_, "_rows", refuse)
    logits = np.random.default_rng(0).normal(size=(2, 60, 900))
    rows = [
        f"{i // 60},{i % 60},1," + ",".join(map(repr, row.tolist())) for i, row in enumerate(logits.reshape(120, 900))
    ]
    header = ",".join(["sequence", "timestep", "target", *(f"logit_{c}" for c in range(900))])
    found = formats.read("\n".join([header, *rows]).encode(), name="wide.csv")
    np.testing.assert_array_equal(found["logits"], logits)
    cells = [
        f"{i // 60},{i % 60},{c},{x!r},1"
        for i, row in enumerate(logits.reshape(120, 900)[:, :400].tolist())
        for c, x in enumerate(row)
    ]
    found = formats.read("\n".join(["sequence,timestep,class,logit,target", *cells]).encode(), name="long.csv")
    np.testing.assert_array_equal(found["logits"], logits[:, :, :400])
    assert found["targets"].dtype == np.int64

"""Parquet: the three ways to hold logits, missing values, damage that must not kill the process, bombs."""

from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossviz import formats
from lossviz.formats import _common
from tests.formats.fields import encoded, refusal, tiny

KEYS = {"sequence": [0, 0], "timestep": [0, 1], "target": [1, 0]}


def saved(columns: dict[str, Any]) -> bytes:
    stream = BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


def read(columns: dict[str, Any], **options: Any) -> dict[str, Any]:
    return formats.read(saved(columns), name="a.parquet", **options)


def refused(columns: dict[str, Any], **options: Any) -> str:
    return refusal(saved(columns), name="a.parquet", **options)


def test_parquet_can_be_read_by_pandas() -> None:
    table = pd.read_parquet(BytesIO(encoded(tiny(), "parquet")))
    assert list(table.columns) == ["sequence", "timestep", "target", "length", "logits"]
    assert table["logits"][1].tolist() == [0.75, 1.0, 1.25]


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float32()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 2)],
    ids=["list", "large", "fixed"],
)
def test_parquet_logits_as_lists(kind: pa.DataType) -> None:
    fields = read(KEYS | {"logits": pa.array([[1, 2], [3, float("nan")]], kind)})
    assert fields["logits"].dtype == np.float32
    np.testing.assert_array_equal(fields["logits"], [[[1, 2], [3, np.nan]]])


def test_parquet_logits_in_columns_and_rows_are_the_same() -> None:
    wide = read(KEYS | {"logit_0": [1.0, 3.0], "logit_1": [2.0, 4.0]})
    table = pd.DataFrame([(0, t, c, 1.0 + 2 * t + c, 1 - t, "ab"[c]) for t in (1, 0) for c in (1, 0)])
    table.columns = pd.Index(["sequence", "timestep", "class", "logit", "target", "token"])
    stream = BytesIO()
    table.to_parquet(stream, index=False)
    long = formats.read(stream, name="a.parquet")
    assert wide["logits"].tolist() == long["logits"].tolist() == [[[1, 2], [3, 4]]]
    assert wide["targets"].tolist() == long["targets"].tolist() == [[1, 0]]
    assert long["vocabulary"] == ["a", "b"]


def test_parquet_many_blocks_of_lists_are_joined() -> None:
    logits = np.random.default_rng(0).normal(size=(3, 300, 4))
    fields = {"logits": logits, "targets": np.zeros((3, 300), np.int64)}
    np.testing.assert_array_equal(formats.read(encoded(fields, "parquet"), name="a.parquet")["logits"], logits)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            KEYS | {"logits": [[1.0, 2.0], [3.0]]},
            "Row 1, column `logits` has 1 logits, but row 0 has 2. Give each timestep V numbers.",
        ),
        (
            KEYS | {"logits": [[1.0, 2.0], None]},
            "Row 1, column `logits` has 0 logits, but row 0 has 2. Give each timestep V numbers.",
        ),
        (
            KEYS | {"logits": [[1.0, 2.0], [3.0, None]]},
            "Row 1, column `logits` has a missing logit. Write a number, or NaN where there is none.",
        ),
        (KEYS | {"logits": [["a"], ["b"]]}, "Column `logits` must hold lists of numbers; got list<element: string>."),
        (
            KEYS | {"target": [1, None], "logits": [[1.0], [2.0]]},
            "Row 1, column `target` is missing. Write a number, or NaN where there is none.",
        ),
        (KEYS | {"target": ["a", "b"], "logits": [[1.0], [2.0]]}, "Column `target` must hold numbers; got"),
        (
            KEYS | {"timestep": [0, 0], "logits": [[1.0], [2.0]]},
            "Row 0 and row 1 of `a.parquet` are both sequence 0, timestep 0.",
        ),
        (
            KEYS,
            (
                "`a.parquet` holds `sequence` (2,) int64, `timestep` (2,) int64 and `target` (2,) int64; looked for "
                "`logit_0`. "
                "Pass `names=` to say which is which."
            ),
        ),
    ],
)
def test_parquet_says_which_row_is_wrong(columns: dict[str, Any], message: str) -> None:
    found = refused(columns)
    assert found == message or (message.endswith("got") and found.startswith(message))


def test_parquet_lists_under_another_name_are_mapped() -> None:
    columns = {"sequence": [0], "timestep": [0], "label": [1], "scores": [[1.0, 2.0]]}
    fields = read(columns, names={"target": "label", "logit": "scores"})
    assert (fields["logits"].tolist(), fields["targets"].tolist()) == ([[[1, 2]]], [[1]])


def test_parquet_that_is_something_else_or_cut_off_says_so() -> None:
    assert refusal(b"PK\x03\x04", name="a.parquet") == (
        "`a.parquet` is not a Parquet file: it starts like a zip archive. Write the table with `DataFrame.to_parquet`."
    )
    assert refusal(encoded(tiny(), "parquet")[:-9], name="a.parquet").startswith("`a.parquet` was cut off or damaged: ")


def test_parquet_bomb_of_equal_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.formats._common.LIMITS", _common.Limits(upload_decoded_bytes=8_000))
    rows = 300
    keys = {"sequence": np.zeros(rows, int), "timestep": np.arange(rows), "target": np.zeros(rows, int)}
    assert " KiB; at most 7.812 KiB are unpacked. Save it as .npz." in refused(keys | {"logit_0": np.zeros(rows)})
    keys = {name: column[:100] for name, column in keys.items()}
    assert " KiB and would unpack to 42.21 KiB; at most 7.812 KiB are unpacked. Save it as .npz." in refused(
        keys | {"logits": list(np.zeros((100, 50)))}
    )


def test_parquet_long_token_that_repeats_is_held_once() -> None:
    token = "x" * 1_000_000
    rows = 2_000
    columns = {
        "sequence": np.zeros(rows, int),
        "timestep": np.arange(rows),
        "class": np.zeros(rows, int),
        "logit": np.zeros(rows),
        "target": np.zeros(rows, int),
        "token": pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [token]),
    }
    data = saved(columns)
    assert len(data) < 5_000_000
    assert formats.read(data, name="a.parquet")["vocabulary"] == [token]

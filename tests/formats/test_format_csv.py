"""CSV: the two long forms, their order, their delimiters, and the cell that is wrong."""

import csv
import io
from typing import Any

import numpy as np
import pytest

from lossviz import formats
from lossviz.errors import FormatError
from lossviz.formats import _common
from tests.formats.fields import encoded, refusal, tiny

WIDE = """sequence,timestep,target,logit_0,logit_1,length
0,0,1,0.5,2.0,2
0,1,0,0.1,nan,2
1,0,1,-inf,3,1
1,1,0,4,5,1
"""
LONG = """sequence,timestep,class,logit,target,token,weight
0,0,0,0.5,1,<pad>,1
0,0,1,2.0,1,"a, b",1
0,1,0,0.1,0,<pad>,0.5
0,1,1,0.2,0,"a, b",0.5
"""


def read(text: str, **options: Any) -> dict[str, Any]:
    return formats.read(text.encode(), name="a.csv", **options)


def refused(text: str, **options: Any) -> str:
    return refusal(text.encode(), name="a.csv", **options)


def test_csv_one_row_a_timestep() -> None:
    fields = read(WIDE)
    np.testing.assert_array_equal(fields["logits"], [[[0.5, 2.0], [0.1, np.nan]], [[-np.inf, 3], [4, 5]]])
    assert fields["targets"].tolist() == [[1, 0], [1, 0]]
    assert fields["lengths"].tolist() == [2, 1]


def test_csv_one_row_a_class() -> None:
    fields = read(LONG)
    assert fields["logits"].tolist() == [[[0.5, 2.0], [0.1, 0.2]]]
    assert fields["weights"].tolist() == [[1, 0.5]]
    assert fields["vocabulary"] == ["<pad>", "a, b"]


@pytest.mark.parametrize("text", [WIDE, LONG])
def test_csv_order_of_rows_and_columns_does_not_matter(text: str) -> None:
    rows = [row[::-1] for row in csv.reader(io.StringIO(text))]
    stream = io.StringIO()
    csv.writer(stream).writerows([rows[0], *rows[:0:-1]])
    for name, value in read(text).items():
        np.testing.assert_array_equal(read(stream.getvalue())[name], value)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_csv_delimiter_byte_order_mark_and_line_ends(delimiter: str) -> None:
    text = "\ufeff" + WIDE.replace(",", delimiter).replace("\n", "\r\n") + "\r\n"
    np.testing.assert_array_equal(read(text)["logits"], read(WIDE)["logits"])


def test_csv_whole_number_logits_become_float32_and_truth_values_numbers() -> None:
    fields = read("sequence,timestep,target,logit_0,logit_1,weight\n0,0,1,1,2,True\n0,1,1,1,2,False\n")
    assert fields["logits"].dtype == np.float32
    assert fields["weights"].tolist() == [[1, 0]]


def test_csv_writes_one_row_a_timestep_after_what_no_column_holds() -> None:
    assert encoded(tiny(), "csv").decode().splitlines()[:3] == [
        (
            '# lossviz {"vocabulary": ["<pad>", "a", "b"], "pad_id": 0, "reported": "1.250", "title": "Two '
            'sequences", "dtypes": '
            '{"logits": "float32", "targets": "int64", "lengths": "int64"}}'
        ),
        "sequence,timestep,target,length,logit_0,logit_1,logit_2",
        "0,0,1,2,0.0,0.25,0.5",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.1,nan", ",nan", "Line 3, column `logit_0` is empty. Write a number, or nan where there is none."),
        ("0.1,nan", "0.1,NA", "Line 3, column `logit_1` must be a number with a decimal point; got `NA`."),
        (
            "0,1,0,0.1,nan,2",
            "0,1,0,0.1,2",
            (
                "Line 3 of `a.csv` has 5 cells, but the header has 6. Put text that holds the delimiter in double "
                "quotes."
            ),
        ),
        (
            "1,0,1,-inf,3,1\n",
            "",
            (
                "`a.csv` has no row for sequence 1, timestep 0. Write a row for each of the 2 timesteps of every "
                "sequence, "
                "padding too, and give the real length as `length`."
            ),
        ),
        ("1,0,1,-inf", "0,1,1,-inf", "Line 3 and Line 4 of `a.csv` are both sequence 0, timestep 1."),
        (
            "4,5,1",
            "4,5,2",
            (
                "Line 5 of `a.csv` has length 2, but sequence 1 has 1 before. Give length the same value in all "
                "rows of one "
                "sequence."
            ),
        ),
        (
            "1,1,0,4",
            "1,-1,0,4",
            "`timestep` must count from 0 in whole numbers; line 5 has -1. Number the timesteps 0, 1, 2…",
        ),
        ("logit_1", "logit_2", "The table has a column `logit_2` and no `logit_1`. Number them from 0."),
        ("length", "target", "`a.csv` has two columns called `target`. Keep one of them."),
    ],
)
def test_csv_says_which_cell_is_wrong(old: str, new: str, message: str) -> None:
    assert refused(WIDE.replace(old, new, 1)) == message.replace("Line 3 and Line 4", "Line 3 and line 4")


def test_csv_class_form_says_which_class_is_missing_or_contradicts() -> None:
    assert refused(LONG.replace('0,1,1,0.2,0,"a, b",0.5\n', "")).startswith(
        "`a.csv` has no row for sequence 0, timestep 1, class 1. "
    )
    assert refused(LONG.replace('0.2,0,"a, b"', '0.2,1,"a, b"')) == (
        "Line 5 of `a.csv` has target 1, but timestep 1 of sequence 0 has 0 before. Give target the same value "
        "in all rows "
        "of one timestep."
    )
    assert refused(LONG.replace('0.2,0,"a, b"', "0.2,0,c")) == (
        "Line 5 of `a.csv` calls class 1 `c`, but it was `a, b` before. Give each class one token."
    )


def test_csv_decimal_comma_is_refused() -> None:
    text = WIDE.replace(",", ";").replace(".", ",")
    assert refused(text) == "Line 2, column `logit_0` must be a number with a decimal point; got `0,5`."


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("[1]", '`a.csv` keeps `[1]` beside its columns; looked for an object such as {"pad_id": 0}.'),
        ('{"pad_id": {}}', "`pad_id` in `a.csv` must be one integer; got `pad_id` () object."),
        ('{"vocabulary": "ab"}', "`vocabulary` in `a.csv` must be a list of texts; got `vocabulary` str."),
        (
            '{"dtypes": {"logits": []}}',
            (
                "`dtypes` in `a.csv` gives `logits` the dtype `[]`; known are bool, int8, int16, int32, int64, "
                "uint8, uint16, "
                "uint32, uint64, float16, float32, float64, bfloat16."
            ),
        ),
    ],
)
def test_csv_first_line_says_what_is_wrong_in_it(rest: str, message: str) -> None:
    assert refused(f"# lossviz {rest}\n{WIDE}") == message


def test_csv_without_rows_or_without_a_table_says_so() -> None:
    assert refused(WIDE.split("\n")[0]) == (
        "`a.csv` has a header and no rows. Write one row per timestep, or one per class."
    )
    assert refused("hello\n") == (
        "`a.csv` is not a CSV table: it starts like nothing lossviz knows. Its first line must name the columns: "
        "sequence,timestep,target,logit_0,…"
    )
    assert refused('{"logits": [[[1, 2]]]}') == (
        "`a.csv` is not a CSV table: it starts like JSON text. Its first line must name the columns: "
        "sequence,timestep,target,logit_0,…"
    )


def test_csv_other_column_names_are_proposed_and_mapped() -> None:
    text = WIDE.replace("sequence", "seq").replace("target", "label").replace("logit_", "output_")
    assert refused(text) == (
        "`a.csv` holds `seq` (4,) int64, `timestep` (4,) int64, `label` (4,) int64, `output_0` (4,) float64, "
        "`output_1` (4,) "
        "float64 and `length` (4,) int64; looked for `sequence`, `logit_0` and `target`. Did you mean `seq` for "
        "`sequence` "
        'and `label` for `target`? Pass `names={"sequence": "seq", "target": "label"}`.'
    )
    fields = read(text, names={"sequence": "seq", "target": "label", "logit": "output"})
    np.testing.assert_array_equal(fields["logits"], read(WIDE)["logits"])
    fields = read(text, names={"sequence": "seq", "targets": "label", "logits": "output"})
    assert fields["targets"].tolist() == [[1, 0], [1, 0]]


def test_csv_unused_mask_is_asked_about() -> None:
    text = LONG.replace("weight", "mask")
    assert refused(text) == (
        '`a.csv` also holds `mask` (4,) float64. Did you mean `mask` for `weight`? Pass `names={"weight": '
        '"mask"}`, or '
        "`names={}` to leave it out."
    )
    assert "weights" not in read(text, names={})
    assert read(text, names={"weight": "mask"})["weights"].tolist() == [[1, 0.5]]


def test_csv_with_too_many_cells_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.formats.csv_.LIMITS", _common.Limits(text_cells=20))
    assert refused(WIDE) == "`a.csv` holds more than 20 cells. Save it as .npz or .parquet."


def test_csv_cell_without_end_says_where() -> None:
    assert refused('sequence,timestep\n0,"' + "x" * 200_000) == (
        "Line 2 of `a.csv` can't be read: field larger than field limit (131072)."
    )


def test_csv_cannot_hold_an_empty_batch() -> None:
    with pytest.raises(FormatError) as error:
        encoded({"logits": np.zeros((0, 2, 3)), "targets": np.zeros((0, 2), int)}, "csv")
    assert str(error.value) == "A table has no rows for logits of shape (0, 2, 3). Choose .npz."

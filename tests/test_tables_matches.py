"""What `identify` answered, as rows and as JSON; and the convention that comes nearest."""

import json

import numpy as np
import pytest

from lossviz import Batch, analyze, tables
from lossviz.identification import Match
from tests.golden import golden_batch

MATCH = Match(
    code="PAD03",
    title="Mask in the divisor only",
    value=np.float64(1.3182),
    difference=np.float64("nan"),
    formula=r"\frac{1}{N}",
    kind="bug",
    explanation="Your loop adds up all 15 positions.",
    fix={"PyTorch": "loss.sum()"},
    rank=2,
    codes=("PAD03", "C12"),
    aliases=("C02",),
    how_to_distinguish="More digits.",
    accidental=np.bool_(True),
    arrays=lambda: (np.ones((3, 5)), np.arange(15).reshape(3, 5) < 11),
)


def test_matches_table_has_a_row_a_match():
    table = tables.matches_table([MATCH, MATCH])
    assert list(table.columns) == ["rank", "code", "kind", "value", "difference", "title"]
    assert table.iloc[1][["rank", "code", "kind", "value", "title"]].tolist() == [
        *(2, "PAD03", "bug", 1.3182, "Mask in the divisor only")
    ]


def test_matches_table_of_nothing_keeps_its_columns():
    table = tables.matches_table([])
    assert (list(table.columns), len(table)) == (["rank", "code", "kind", "value", "difference", "title"], 0)


def test_match_records_are_json():
    """NaN is a string, NumPy's numbers are Python's, and the arrays are a count."""
    [record] = tables.match_records([MATCH])
    assert json.loads(json.dumps([record], allow_nan=False)) == [record]
    assert record == {
        "rank": 2,
        "code": "PAD03",
        "codes": ["PAD03", "C12"],
        "kind": "bug",
        "title": "Mask in the divisor only",
        "value": 1.3182,
        "difference": "NaN",
        "formula": r"\frac{1}{N}",
        "explanation": "Your loop adds up all 15 positions.",
        "fix": {"PyTorch": "loss.sum()"},
        "aliases": ["C02"],
        "apart": "More digits.",
        "accidental": True,
        "counts": 11,
    }


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (77.123456, "The nearest is C02, Sum of everything, no mask: 14.5000, which is 62.6235 less."),
        (4.4, "The nearest is C06, "),
        (0.0, "The nearest is C16, "),
    ],
)
def test_nearest_convention_is_named_with_its_distance(number, sentence):
    assert tables.nearest_convention(analyze(golden_batch()), number).startswith(sentence)


def test_nearest_convention_of_no_number_is_nothing():
    golden = analyze(golden_batch())
    nan = analyze(Batch.from_arrays(logits=np.full((1, 1, 2), np.nan), targets=[[0]]))
    assert tables.nearest_convention(golden, float("nan")) == ""
    assert tables.nearest_convention(golden, float("inf")) == ""
    assert tables.nearest_convention(nan, 1.0) == ""

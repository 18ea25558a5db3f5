import csv
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lossviz import Batch, Settings, analyze, tables
from lossviz.errors import InputError
from tests.golden import FRACTIONAL, LENGTHS, LOSS, TARGETS, VOCABULARY, golden_batch, golden_logits

HEADERS = [
    "sequence",
    "timestep",
    "target",
    "token",
    "mask",
    "weight",
    "batch_loss",
    "unpadded_loss",
    "share",
    "probability",
    "perplexity",
    "entropy",
    "rank",
    "prediction",
    "predicted_token",
    "gradient_norm",
    "non_finite",
    "invalid",
]
NO_SIGMOID = (
    "`reduction='classification'` needs one sigmoid logit per timestep, `logits` of shape (B, T, 1); "
    "got (3, 5, 6). For 6 classes choose 'mean', 'language_model' or 'encoder_decoder'."
)
MASK = np.arange(5) < LENGTHS[:, None]


@pytest.fixture(scope="module")
def golden():
    return analyze(golden_batch(vocabulary=VOCABULARY))


@pytest.fixture(scope="module")
def broken():
    """Timestep 1 holds a NaN logit, timestep 2 a target that is no class, timestep 3 an infinite loss."""
    logits = np.zeros((1, 4, 2))
    logits[0, 1, 0] = np.nan
    logits[0, 3, 1] = -np.inf
    return analyze(Batch.from_arrays(logits=logits, targets=[[0, 1, 7, 1]]))


def test_timesteps_table_has_a_row_a_timestep_in_the_words_of_the_field(golden):
    table = tables.timesteps_table(golden)
    assert list(table.columns) == HEADERS
    assert table["sequence"].tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert table["timestep"].tolist() == [0, 1, 2, 3, 4] * 3
    assert table["target"].tolist() == TARGETS.ravel().tolist()
    assert table["token"].tolist() == [VOCABULARY[target] for target in TARGETS.ravel()]
    assert table["mask"].tolist() == MASK.ravel().tolist()
    np.testing.assert_allclose(table["batch_loss"], LOSS.ravel(), rtol=1e-9)
    np.testing.assert_allclose(table["unpadded_loss"], np.where(MASK, LOSS, 0).ravel(), rtol=1e-9)
    np.testing.assert_allclose(table["share"], np.where(MASK, LOSS, 0).ravel() / 13.8, rtol=1e-9)
    np.testing.assert_allclose(table["perplexity"], np.exp(LOSS).ravel(), rtol=1e-9)


def test_timesteps_table_takes_every_measure_from_the_analysis(golden):
    table = tables.timesteps_table(golden)
    for header in ("mask", "batch_loss", "unpadded_loss", "share", "probability", "perplexity", "entropy", "rank"):
        assert table[header].tolist() == getattr(golden, header).ravel().tolist()
    for header in ("prediction", "gradient_norm", "non_finite", "invalid"):
        assert table[header].tolist() == getattr(golden, header).ravel().tolist()


def test_timesteps_table_has_the_inputs_where_the_batch_has_them():
    table = tables.timesteps_table(analyze(golden_batch(inputs=TARGETS + 1)))
    assert list(table.columns) == [*HEADERS[:4], "input", *HEADERS[4:]]
    assert table["input"].tolist() == (TARGETS + 1).ravel().tolist()


def test_timesteps_table_names_a_target_without_a_word_by_its_id():
    batch = Batch.from_arrays(logits=np.zeros((1, 3, 2)), targets=[[1, -100, 2]], vocabulary=["a", "b"])
    assert tables.timesteps_table(analyze(batch))["token"].tolist() == ["b", "-100", "2"]


def test_timesteps_table_is_empty_for_an_empty_batch():
    table = tables.timesteps_table(
        analyze(Batch.from_arrays(logits=np.zeros((0, 5, 3)), targets=np.zeros((0, 5), int)))
    )
    assert (list(table.columns), len(table)) == (HEADERS, 0)


def test_sequences_table_sums_each_sequence():
    table = tables.sequences_table(analyze(golden_batch(weights=FRACTIONAL)))
    assert list(table.columns) == ["sequence", "length", "counts", "weight", "unpadded_loss", "mean_loss", "share"]
    assert table["length"].tolist() == [5, 4, 2]
    assert table["counts"].tolist() == [5, 4, 2]
    assert table["weight"].tolist() == [4.0, 5.0, 1.5]
    np.testing.assert_allclose(table["unpadded_loss"], [4.55, 2.5, 4.3], rtol=1e-9)
    np.testing.assert_allclose(table["mean_loss"], [4.55 / 4, 2.5 / 5, 4.3 / 1.5], rtol=1e-9)
    np.testing.assert_allclose(table["share"], np.array([4.55, 2.5, 4.3]) / 11.35, rtol=1e-9)


def test_sequences_table_gives_an_empty_sequence_the_mean_0():
    table = tables.sequences_table(analyze(golden_batch(lengths=[5, 0, 2])))
    assert table.iloc[1].tolist() == [1, 0, 0, 0, 0, 0, 0]


def test_per_timestep_table_sums_each_timestep(golden):
    table = tables.per_timestep_table(golden)
    assert list(table.columns) == ["timestep", "counts", "weight", "unpadded_loss", "mean_loss", "share"]
    assert table["counts"].tolist() == [3, 3, 2, 2, 1]
    np.testing.assert_allclose(table["unpadded_loss"], [4.8, 3.0, 4.4, 1.5, 0.1], rtol=1e-9)
    np.testing.assert_allclose(table["mean_loss"], [1.6, 1.0, 2.2, 0.75, 0.1], rtol=1e-9)


def test_tables_add_up_the_shares_of_one_number_only():
    """Of one number a sequence, a sequence's shares add up to 1, and those at a timestep to nothing."""
    by_sequence = analyze(golden_batch(), Settings(reduction="sequence_loss", average_across_batch=False))
    np.testing.assert_allclose(tables.sequences_table(by_sequence)["share"], [1.0, 1.0, 1.0])
    assert "share" not in tables.per_timestep_table(by_sequence).columns
    unreduced = by_sequence.with_settings(by_sequence.settings.replace(average_across_timesteps=False))
    assert "share" not in tables.sequences_table(unreduced).columns


def test_sequences_table_shares_of_a_mean_of_means():
    """Each sequence's mean over the sum of the means, 1.36 + 0.6 + 2.3."""
    table = tables.sequences_table(analyze(golden_batch(), Settings(reduction="sequence_means")))
    np.testing.assert_allclose(table["share"], np.array([1.36, 0.6, 2.3]) / 4.26, rtol=1e-9)


def test_reductions_table_gives_all_five_their_numerator_and_divisor(golden):
    table = tables.reductions_table(golden)
    assert table["name"].tolist() == ["mean", "language_model", "encoder_decoder", "classification", "sequence_loss"]
    np.testing.assert_allclose(table["value"], [13.8 / 11, 13.8, 4.6, np.nan, 13.8 / 11], rtol=1e-9)
    np.testing.assert_allclose(table["divisor"], [11, 1, 3, np.nan, 11])
    assert table["divisor_counts"].tolist() == [
        "timesteps that count",
        "nothing: the losses are summed",
        "sequences in the batch",
        "",
        "timesteps that count",
    ]
    assert table["note"].tolist() == [
        "",
        "",
        "",
        NO_SIGMOID,
        "",
    ]


def test_reductions_table_says_so_where_a_reduction_gives_several_numbers():
    settings = Settings(reduction="sequence_loss", average_across_batch=False)
    row = tables.reductions_table(analyze(golden_batch(), settings)).iloc[4]
    assert (np.isnan(row["value"]), row["note"]) == (True, "3 numbers, of shape (3,)")


def test_reductions_table_measures_a_classifier_by_its_sigmoid():
    batch = Batch.from_arrays(logits=np.zeros((2, 3, 1)), targets=[[0, 0, 1], [1, 0, 0]], lengths=[3, 1])
    table = tables.reductions_table(analyze(batch)).set_index("name")
    assert np.isnan(table.loc["mean", "value"])  # to a softmax of one class, the label 1 is no class
    np.testing.assert_allclose(table.loc["classification", "value"], 2 * np.log(2), rtol=1e-9)


def test_cell_table_and_steps_table_hold_the_explanation(golden):
    explanation = golden.explain(0, 2)
    classes, steps = tables.cell_table(explanation), tables.steps_table(explanation)
    assert list(classes.columns) == [
        *("class", "token", "logit", "shifted", "exponential", "probability", "gradient", "is_target")
    ]
    assert len(classes) == len(explanation.classes)
    assert classes.loc[classes["is_target"], "token"].tolist() == ["the"]
    assert list(steps.columns) == ["step", "formula", "value"]
    np.testing.assert_allclose(steps["value"].iloc[-1], 3.5 / 11, rtol=1e-9)


def test_problems_table_has_a_row_a_problem(broken):
    table = tables.problems_table(broken)
    assert list(table.columns) == ["kind", "message", "timesteps"]
    assert table[["kind", "timesteps"]].values.tolist() == [["label", 1], ["logits", 2]]
    assert table["message"].tolist() == [problem.message for problem in broken.problems]


def test_problems_table_keeps_its_columns_where_nothing_is_wrong(golden):
    assert list(tables.problems_table(golden).columns) == ["kind", "message", "timesteps"]


def test_summary_is_the_number_with_its_divisor(golden):
    summary = tables.summary(golden)
    assert (round(summary.pop("value"), 9), round(summary.pop("numerator"), 9)) == (1.254545455, 13.8)
    assert summary == {
        "title": "Golden batch",
        "reported": None,
        "shape": [3, 5, 6],
        "counts": 11,
        "mask": "lengths",
        "settings": {
            "mask": None,
            "reduction": "mean",
            "average_across_timesteps": True,
            "average_across_batch": True,
            "sum_over_timesteps": False,
            "sum_over_batch": False,
            "accumulation_steps": None,
            "max_length": None,
        },
        "divisor": 11.0,
        "divisor_counts": "timesteps that count",
        "problems": [],
    }


def test_to_csv_gives_every_number_back_exactly(golden):
    text = tables.to_csv(golden).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == HEADERS
    assert [float(row["batch_loss"]) for row in rows] == golden.batch_loss.ravel().tolist()
    assert [int(row["target"]) for row in rows] == TARGETS.ravel().tolist()


def test_to_csv_leaves_no_text_that_a_spreadsheet_would_run():
    words = ["=1+1", "+1", "-", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "＝1", "plain", 'a"b,c\nd', "'=1"]
    batch = Batch.from_arrays(logits=np.zeros((1, 12, 12)), targets=[list(range(12))], vocabulary=words)
    rows = list(csv.DictReader(io.StringIO(tables.to_csv(analyze(batch)).decode(), newline="")))
    assert [row["token"] for row in rows] == [*("'" + word for word in words[:9]), *words[9:]]
    assert {row["predicted_token"] for row in rows} == {"'=1+1"}


def test_to_csv_writes_nan_and_inf_as_words(broken):
    rows = list(csv.DictReader(io.StringIO(tables.to_csv(broken).decode())))
    assert [row["batch_loss"] for row in rows[1:]] == ["NaN", "NaN", "inf"]


def test_to_json_is_strict_and_holds_every_array(golden):
    document = json.loads(tables.to_json(golden), parse_constant=pytest.fail)
    assert document["divisor"] == 11.0
    assert document["timesteps"]["targets"] == TARGETS.tolist()
    assert document["timesteps"]["batch_loss"] == golden.batch_loss.tolist()
    assert set(document["timesteps"]) == {"targets", "weights", *HEADERS[4:14], *HEADERS[15:]} - {"weight"}


def test_to_json_writes_nan_and_inf_as_strings_that_float_reads(broken):
    document = json.loads(tables.to_json(broken), parse_constant=pytest.fail)
    assert document["value"] == "NaN"
    assert document["timesteps"]["batch_loss"][0][1:] == ["NaN", "NaN", "Infinity"]
    assert float(document["timesteps"]["batch_loss"][0][3]) == np.inf
    assert document["problems"][0] == {
        "kind": "label",
        "message": broken.problems[0].message,
        "cells": [[0, 2]],
    }


def test_to_json_keeps_the_numbers_of_a_vector_reduction():
    settings = Settings(reduction="sequence_loss", average_across_batch=False)
    document = json.loads(tables.to_json(analyze(golden_batch(), settings)))
    np.testing.assert_allclose(document["value"], [6.8 / 5, 2.4 / 4, 4.6 / 2], rtol=1e-9)
    assert document["divisor"] == [5.0, 4.0, 2.0]


def test_to_parquet_holds_the_table_and_the_summary(golden):
    table = pq.read_table(io.BytesIO(tables.to_parquet(golden)))
    pd.testing.assert_frame_equal(table.to_pandas(), tables.timesteps_table(golden))
    assert json.loads(table.schema.metadata[b"lossviz"]) == tables.summary(golden)


@pytest.mark.parametrize(
    ("file_format", "written"), [("csv", rb"\ud800"), ("json", rb"\udfff"), ("parquet", rb"\ud800")]
)
def test_download_writes_text_that_is_no_unicode(file_format, written):
    batch = golden_batch(vocabulary=("\ud800", *VOCABULARY[1:]), title="\udfff")
    analysis = analyze(batch)
    assert written in tables.download(analysis, file_format)
    assert tables.timesteps_table(analysis)["token"][6] == r"\ud800"


def test_download_lists_the_formats_that_exist(golden):
    with pytest.raises(InputError) as caught:
        tables.download(golden, "xlsx")
    assert str(caught.value) == "`file_format` must be one of 'csv', 'json', 'parquet'; got 'xlsx'."


def test_tables_leave_the_analysis_as_it_was(golden):
    before = replace(golden)
    for file_format in tables.DOWNLOADS:
        tables.download(golden, file_format)
    assert all(np.array_equal(getattr(before, name), getattr(golden, name)) for name in ("share", "batch_loss", "rank"))
    assert np.array_equal(golden.batch.logits, golden_logits())

"""`compare_conventions`: its columns, its options, what it says where there is no number, and what it loads."""

import subprocess
import sys

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze, compare_conventions
from lossviz.conventions import CONVENTIONS, convention_coded
from lossviz.conventions.compare import merged_options
from lossviz.errors import SettingsError
from lossviz.samples import SAMPLES, load_sample
from tests.conventions.batches import OPTIONS, golden_analysis, weighted_analysis

SAID = {name: getattr(OPTIONS, name) for name in ("groups", "smoothing", "class_weights", "bytes_per_token", "z_loss")}
COLUMNS = ["code", "name", "value", "numerator", "divisor", "divisor_counts", "unit", "difference"]
COLUMNS += ["group", "libraries", "note"]
ALL_OPTIONS = (
    "accumulation_steps, world_size, groups, max_length, smoothing, class_weights, bytes_per_token, z_loss, flags"
)


def test_compare_conventions_is_one_row_a_convention():
    table = compare_conventions(golden_analysis(), **SAID)
    assert list(table.columns) == COLUMNS
    assert table.code.tolist() == [row.code for row in CONVENTIONS]
    assert table.name.tolist() == [row.name for row in CONVENTIONS]
    assert table.unit.tolist() == [row.unit for row in CONVENTIONS]
    assert table.group.tolist() == [row.group for row in CONVENTIONS]
    quotients = [row.quotient(golden_analysis(), OPTIONS) for row in CONVENTIONS]
    for column in ("value", "numerator", "divisor"):
        assert table[column].tolist() == pytest.approx([getattr(q, column) for q in quotients], nan_ok=True)
    assert table.divisor_counts.tolist() == [q.counts for q in quotients]


def test_compare_conventions_one_row_in_full():
    row = compare_conventions(golden_analysis()).set_index("code").loc["C05"]
    assert row["name"] == "Keras 3 with sample_weight"
    assert row["value"] == pytest.approx(0.92)
    assert (row["numerator"], row["divisor"]) == (pytest.approx(13.8), 15.0)
    assert row["divisor_counts"] == "positions, padding included"
    assert (row["unit"], row["group"]) == ("nats", "positions")
    assert row["difference"] == pytest.approx(0.92 - 13.8 / 11)
    assert row["libraries"] == "Keras 3, Keras 2, TensorFlow 1"
    assert row["note"] == ""


def test_compare_conventions_difference_is_to_the_number_in_use_and_in_its_unit():
    analysis = golden_analysis()
    for settings, own in {Settings(): 13.8 / 11, Settings(reduction="encoder_decoder"): 4.6}.items():
        table = compare_conventions(analysis.with_settings(settings)).set_index("code")
        assert table.difference["C01"] == pytest.approx(13.8 - own)
        assert table.difference[["C11", "C12"]].isna().all()
    per_sequence = analysis.with_settings(Settings(reduction="sequence_loss", average_across_batch=False))
    assert compare_conventions(per_sequence).difference.isna().all()


def test_compare_conventions_says_what_a_row_needs():
    table = compare_conventions(golden_analysis()).set_index("code")
    needing = {row.code: row.needs for row in CONVENTIONS if row.needs}
    assert len(needing) == 18
    for code, [name] in needing.items():
        assert table.note[code] == f"Needs `{name}`."
        assert table.loc[code, ["value", "numerator", "divisor", "difference"]].isna().all()
        assert table.divisor_counts[code] == ""
    others = table.drop(index=[*needing, "classification"])
    assert others.value.notna().all()
    assert others.note.tolist() == [convention_coded(code).note for code in others.index]


def test_compare_conventions_takes_options_from_the_settings_and_lets_them_be_said_anew():
    settings = Settings(reduction="max_length", max_length=10, accumulation_steps=3)
    analysis = golden_analysis().with_settings(settings)
    table = compare_conventions(analysis).set_index("code")
    assert table.value[["C17", "C18o"]].tolist() == pytest.approx([0.46, 1.42])
    anew = compare_conventions(analysis, max_length=20, groups=((0,), (1, 2))).set_index("code")
    assert anew.value[["C17", "C18o"]].tolist() == pytest.approx([0.23, (1.36 + 7 / 6) / 2])


def test_compare_conventions_flags():
    analysis = weighted_analysis()
    sums = compare_conventions(analysis, flags=(False, False, True, True)).set_index("code")
    assert sums.value["sequence_loss"] == pytest.approx(11.35 / 11)
    contradiction = compare_conventions(analysis, flags=(True, True, True, False)).set_index("code")
    assert np.isnan(contradiction.value["sequence_loss"])
    assert contradiction.note["sequence_loss"] == (
        "`average_across_timesteps` and `sum_over_timesteps` cannot both be True: the same axis would be averaged and "
        "summed. Set one of them to False."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"smoothin": 0.1},
            f"There is no option `smoothin`. Did you mean `smoothing`? There are {ALL_OPTIONS}.",
        ),
        ({"smoothing": 1.0}, "`smoothing` must be from 0 up to, not including, 1; got 1.0."),
        (
            {"class_weights": [1.0, 2.0]},
            "`class_weights` must have 6 numbers, one for each class of `logits`; got 2.",
        ),
        (
            {"bytes_per_token": []},
            "`bytes_per_token` must have 6 numbers, one for each class of `logits`; got 0.",
        ),
        (
            {"groups": ((0, 1), (1,))},
            (
                "`groups` must hold each of the sequences 0 to 2 once; got ((0, 1), (1,)). "
                "Leave it out to cut the batch evenly."
            ),
        ),
    ],
)
def test_compare_conventions_refuses_options(options, message):
    for refuse in (compare_conventions, lambda analysis, **said: merged_options(analysis, said)):
        with pytest.raises(SettingsError) as caught:
            refuse(golden_analysis(), **options)
        assert str(caught.value) == message


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_compare_conventions_of_every_sample(sample):
    analysis = analyze(Batch.from_arrays(**load_sample(sample.name)), Settings(reduction="mean"))
    classes = analysis.batch.shape[2]
    said = SAID | {"groups": None, "class_weights": np.ones(classes), "bytes_per_token": np.ones(classes)}
    table = compare_conventions(analysis, accumulation_steps=2, **said).set_index("code")
    assert len(table) == len(CONVENTIONS)
    [value, mean] = [analysis.value, table.value["C03n"]]
    assert value == pytest.approx(mean, nan_ok=True)


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (0, 0, 1), (2, 3, 1), (1, 1, 2)])
def test_compare_conventions_of_small_and_empty_batches(shape):
    batch = Batch.from_arrays(logits=np.zeros(shape), targets=np.zeros(shape[:2], int))
    for reduction in ("mean", "classification") if shape[2] == 1 else ("mean",):
        analysis = analyze(batch, Settings(reduction=reduction))
        classes = analysis.scores.shape[2]
        said = SAID | {"groups": None, "class_weights": np.ones(classes), "bytes_per_token": np.ones(classes)}
        table = compare_conventions(analysis, accumulation_steps=2, **said).set_index("code")
        counted = shape[0] * (min(shape[1], 1) if reduction == "classification" else shape[1])
        assert table.value["C01"] == pytest.approx(counted * np.log(classes))
        assert table.divisor["C03"] == counted


def test_compare_conventions_makes_a_second_pass_for_smoothing_only(monkeypatch):
    analysis, passes = golden_analysis(), []
    original = type(analysis).alternatives
    monkeypatch.setattr(type(analysis), "alternatives", lambda self: passes.append(1) or original(self))
    compare_conventions(analysis, **{**SAID, "smoothing": None, "z_loss": None})
    assert passes == []
    compare_conventions(analysis, **SAID)
    assert len(passes) == 1  # for the uniform loss, which all rows share; the z-loss needs none


def test_compare_conventions_is_imported_without_pandas_and_tensorflow():
    code = "import sys, lossviz.conventions as c; print(sorted({'tensorflow', 'pandas'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert loaded == "[]\n"

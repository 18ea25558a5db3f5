"""Edits as data: made in order, undone by leaving them out, and never written to the source."""

import ml_dtypes
import numpy as np
import pytest

from lossviz import Batch, Edit, analyze, apply_edits
from lossviz.edits import EDITABLE, differences
from lossviz.errors import InputError


def refusal(do):
    with pytest.raises(InputError) as caught:
        do()
    return str(caught.value)


def test_apply_edits_sets_one_entry_of_each_field(small):
    batch = small(weights=np.ones((2, 3)), inputs=np.zeros((2, 3), int))
    edits = [
        Edit("logits", (1, 2, 3), -1.5),
        Edit("targets", (0, 1), 0),
        Edit("inputs", (1, 0), 7),
        Edit("weights", (0, 2), 0.5),
        Edit("lengths", (1,), 2),
    ]
    edited = apply_edits(batch, edits)
    changed = {name: np.argwhere(getattr(edited, name) != getattr(batch, name)).tolist() for name in EDITABLE}
    assert changed == {
        "targets": [[0, 1]],
        "inputs": [[1, 0]],
        "weights": [[0, 2]],
        "lengths": [[1]],
        "logits": [[1, 2, 3]],
    }
    assert [edited.logits[1, 2, 3], edited.targets[0, 1], edited.inputs[1, 0]] == [-1.5, 0, 7]
    assert [edited.weights[0, 2], edited.lengths[1]] == [0.5, 2]
    assert apply_edits(batch, []) is batch


def test_apply_edits_leaves_the_source_alone(small):
    batch = small()
    before = {name: np.array(value) for name, value in batch.fields().items()}
    apply_edits(batch, [Edit("logits", (0, 0, 0), 9), Edit("targets", (0, 0), 0), Edit("lengths", (0,), 1)])
    assert all(np.array_equal(value, before[name]) for name, value in batch.fields().items())


def test_apply_edits_makes_the_last_of_an_entry(small):
    assert apply_edits(small(), [Edit("lengths", (0,), 1), Edit("lengths", (0,), 2)]).lengths.tolist() == [2, 1]


def test_apply_edits_admits_wrong_content(small):
    edits = [Edit("targets", (0, 0), -100), Edit("lengths", (1,), 2.7), Edit("logits", (0, 0, 0), float("nan"))]
    edited = apply_edits(small(), edits)
    assert edited.targets[0, 0] == -100
    assert edited.lengths.tolist() == [3.0, 2.7]
    assert np.isnan(edited.logits[0, 0, 0])
    assert apply_edits(small(), [Edit("targets", (0, 0), 2**32)]).targets[0, 0] == 2**32
    assert apply_edits(small(), [Edit("lengths", (0,), -(2**70))]).lengths.tolist() == [-(2.0**70), 1.0]


def test_apply_edits_starts_weights_from_the_mask_in_use(small):
    assert apply_edits(small(), [Edit("weights", (0, 1), 0.5)]).weights.tolist() == [[1, 0.5, 1], [1, 0, 0]]
    by_pad_id = apply_edits(small(lengths=None, pad_id=0), [Edit("weights", (0, 1), 0)])
    assert by_pad_id.weights.tolist() == [[1, 0, 1], [1, 0, 0]]


def test_apply_edits_starts_weights_from_lengths_edited_before(small):
    edited = apply_edits(small(), [Edit("lengths", (1,), 3), Edit("weights", (0, 0), 2)])
    assert edited.weights.tolist() == [[2, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    ("given", "lengths"),
    [({"pad_id": 0}, [2, 1]), ({"ignore_id": 3}, [2, 3]), ({}, [2, 3]), ({"weights": [[0, 0, 0], [1, 0, 1]]}, [2, 3])],
)
def test_apply_edits_starts_lengths_from_the_last_timestep_that_counts(small, given, lengths):
    assert apply_edits(small(lengths=None, **given), [Edit("lengths", (0,), 2)]).lengths.tolist() == lengths


def test_apply_edits_of_one_length_keeps_the_other_rows_of_the_number(small):
    batch = small(lengths=None, pad_id=0)
    assert analyze(apply_edits(batch, [Edit("lengths", (0,), 3)])).divisor == analyze(batch).divisor == 4


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("lengths", (2,), 1), "`lengths[2] = 1` lies outside of lengths, which has shape (2,)."),
        (("targets", (0, -1), 1), "`targets[0, -1] = 1` lies outside of targets, which has shape (2, 3)."),
        (("logits", (0, 0, 4), 0.5), "`logits[0, 0, 4] = 0.5` lies outside of logits, which has shape (2, 3, 4)."),
        (("targets", (0, 0), 1.5), "`targets[0, 0] = 1.5` must be a whole number of 64 bits: targets holds integers."),
        (
            ("targets", (0, 0), float("nan")),
            "`targets[0, 0] = nan` must be a whole number of 64 bits: targets holds integers.",
        ),
        (
            ("targets", (0, 0), 2**63),
            "`targets[0, 0] = 9.22337203685478e+18` must be a whole number of 64 bits: targets holds integers.",
        ),
        (("inputs", (0, 0), 1), "`inputs` can't be edited: this batch has none."),
        (("lengths", (0,), float("inf")), "`lengths` must be finite numbers; got inf."),
        (
            ("weights", (0, 1), float("nan")),
            (
                "`weights` must be finite numbers; got nan at sequence 0, timestep 1. "
                "An additive attention mask (0 and -inf) becomes weights with `mask == 0`."
            ),
        ),
    ],
)
def test_apply_edits_refuses_what_can_not_be_held(small, edit, message):
    assert refusal(lambda: apply_edits(small(), [Edit(*edit)])) == message


@pytest.mark.parametrize(
    ("dtype", "value"), [("float16", 70000), ("float32", -1e39), (ml_dtypes.bfloat16, 1e39)], ids=str
)
def test_apply_edits_refuses_a_logit_that_would_become_infinite(small, dtype, value):
    batch = small(logits=np.zeros((2, 3, 4), dtype))
    expected = f"`logits[0, 0, 0] = {value:.15g}` is too large for logits, which holds {np.dtype(dtype).name}."
    assert refusal(lambda: apply_edits(batch, [Edit("logits", (0, 0, 0), value)])) == expected
    assert apply_edits(batch, [Edit("logits", (0, 0, 0), float("inf"))]).logits[0, 0, 0] == float("inf")


def test_edit_refuses_an_unknown_field_and_a_wrong_index():
    assert refusal(lambda: Edit("vocabulary", (0,), 1)) == (
        "`field` must be one of 'targets', 'inputs', 'weights', 'lengths', 'logits'; got 'vocabulary'."
    )
    assert refusal(lambda: Edit("targets", (0,), 1)) == "`index` of targets must have 2 numbers; got (0,)."


def test_edit_shows_all_digits():
    values = [1, 1.0, -0.1, 4294967296, 2.7, float("nan")]
    shown = [str(Edit("lengths", (0,), value)).removeprefix("lengths[0] = ") for value in values]
    assert shown == ["1", "1", "-0.1", "4294967296", "2.7", "nan"]


def test_differences_are_the_last_edits_that_change_something(small):
    source = small(logits=np.full((2, 3, 4), 0.1, np.float32), inputs=np.zeros((2, 3), int))
    edits = [
        Edit("lengths", (0,), 1),
        Edit("lengths", (0,), 3),
        Edit("lengths", (1,), 2.5),
        Edit("targets", (0, 0), 9),
        Edit("targets", (0, 0), 2),
        Edit("logits", (0, 0, 0), 0.1),
        Edit("logits", (0, 0, 1), 0.2),
        Edit("weights", (0, 0), 1),
        Edit("lengths", (0,), 1e300),
    ]
    assert [str(edit) for edit in differences(source, edits)] == [
        "lengths[0] = 1e+300",
        "lengths[1] = 2.5",
        "targets[0, 0] = 2",
        "logits[0, 0, 1] = 0.2",
        "weights[0, 0] = 1",
    ]


def test_differences_know_that_nan_is_nan(small):
    source = small(logits=np.full((2, 3, 4), np.nan))
    assert differences(source, [Edit("logits", (0, 0, 0), float("nan"))]) == ()


@pytest.fixture
def stored(tmp_path):
    """A `.npy` of logits [5, 3, 4] float32, its path and its bytes."""
    path = tmp_path / "logits.npy"
    np.save(path, np.random.default_rng(1).normal(size=(5, 3, 4)).astype("float32"))
    return path, path.read_bytes()


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.parametrize("rows", [slice(None), slice(2, 4)], ids=["whole", "slice"])
def test_apply_edits_of_mapped_logits_leaves_the_file_alone(stored, mode, rows):
    path, before = stored
    logits = np.load(path, mmap_mode=mode)[rows]
    batch = Batch.from_arrays(logits=logits, targets=np.zeros(logits.shape[:2], int))
    expected = np.array(logits)
    expected[1, 2, 3], expected[0, 0, 0] = 5, np.nan
    edits = [Edit("logits", (1, 2, 3), 5), Edit("logits", (0, 0, 0), float("nan"))]
    edited = apply_edits(batch, edits)
    assert np.array_equal(edited.logits, expected, equal_nan=True)
    assert np.isnan(analyze(edited).value)
    assert not np.isnan(batch.logits).any()
    assert np.array_equal(apply_edits(edited, [Edit("logits", (0, 0, 0), 1)]).logits[0, 0, :1], [1])
    del edited
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["logits"], (0,), 1.0), f"`field` must be one of {', '.join(map(repr, EDITABLE))}; got ['logits']."),
        (("logits", 3, 1.0), "`index` of logits must have 3 numbers; got 3."),
        (("lengths", (0.5,), 1), "`index` of lengths must have 1 numbers; got (0.5,)."),
        (("lengths", (0,), "4"), "`value` must be a number that float64 holds; got '4'."),
        (("lengths", (0,), None), "`value` must be a number that float64 holds; got None."),
        (("logits", (0, 0, 0), 10**320), f"`value` must be a number that float64 holds; got 1{'0' * 198}…."),
    ],
)  # fmt: skip
def test_edit_refuses_what_is_no_field_index_or_number(arguments, message):
    with pytest.raises(InputError) as error:
        Edit(*arguments)
    assert str(error.value) == message

"""Repairs as steps of a batch's history, and as words of an address."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossviz import Batch
from lossviz.edits import Edit
from lossviz.errors import InputError
from lossviz.ui.session.repair import MAX_ENTRIES, Repair, packed_repair, repair_of, unpacked_repair
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import Linked, State

EDIT = Edit("lengths", (0,), 1)


def batch(**changes: Any) -> Batch:
    arguments = {"logits": np.zeros((2, 3, 4), np.float32), "targets": [[1, 2, 3], [3, 0, 0]], "lengths": [3, 1]}
    return Batch.from_arrays(**{**arguments, **changes})


def repaired(given: Batch, **changes: Any) -> Repair:
    return repair_of("PAD08", given, given.replace(**changes), before="1.0000")


def through_an_address(repair: Repair) -> Repair:
    return unpacked_repair(json.loads(json.dumps(packed_repair(repair))))


def test_repair_holds_what_changed_and_nothing_else() -> None:
    one = batch()
    assert repaired(one).changes == {}
    changes = repaired(one, weights=[[1, 1, 0], [1, 0, 0]], lengths=None, pad_id=0).changes
    assert sorted(changes) == ["lengths", "pad_id", "weights"]
    assert (changes["lengths"], changes["pad_id"], changes["weights"].tolist()) == (None, 0, [[1, 1, 0], [1, 0, 0]])


def test_nan_that_stays_is_no_change() -> None:
    one = batch(logits=np.full((2, 3, 4), np.nan, np.float32))
    assert repaired(one, logits=np.full((2, 3, 4), np.nan, np.float32)).changes == {}
    assert list(repaired(one, logits=np.full((2, 3, 4), np.nan)).changes) == ["logits"]


def test_repair_is_a_step_among_edits() -> None:
    """Edits before it stay under it, those after it count from it, and each is one undo."""
    source = Source("sample", "one", batch())
    source.make(EDIT)
    source.repair(repaired(source.current, lengths=[2, 2]))
    source.make(Edit("targets", (0, 1), 3))
    assert (source.current.lengths.tolist(), source.current.targets[0].tolist()) == ([2, 2], [1, 3, 3])
    assert [str(edit) for edit in source.differences] == ["targets[0, 1] = 3"]
    assert (source.was(source.differences[0]), [repair.code for repair in source.repairs]) == ("2", ["PAD08"])
    assert source.base.targets[0].tolist() == [1, 2, 3]
    source.undo()
    source.undo()
    assert (source.current.lengths.tolist(), source.edits, source.repairs) == ([1, 1], (EDIT,), ())
    source.redo()
    assert source.current.lengths.tolist() == [2, 2]
    source.reset()
    assert source.current.lengths.tolist() == source.batch.lengths.tolist() == [3, 1]


def test_repaired_logits_stay_one_array() -> None:
    """So that an edit after the repair computes no loss again."""
    source = Source("sample", "one", batch())
    source.repair(repaired(source.current, logits=np.ones((2, 3, 4), np.float32)))
    before = source.current.logits
    source.make(EDIT)
    assert source.current.logits is before


def test_repair_that_does_not_fit_leaves_everything() -> None:
    source = Source("sample", "one", batch())
    with pytest.raises(InputError):
        source.repair(Repair("PAD08", {"lengths": [1, 2, 3]}, "1.0000"))
    assert (source.steps, source.current.lengths.tolist()) == ([], [3, 1])


def test_newer_version_of_a_batch_drops_the_repair_and_what_followed() -> None:
    state = State()
    state.show(Source("typed", "typed", batch()))
    state.source.repair(repaired(state.source.current, lengths=[2, 2]))
    state.source.make(EDIT)
    state.replace(Source("typed", "typed", batch(lengths=[3, 3])))
    assert (state.source.steps, state.source.current.lengths.tolist()) == ([], [3, 3])


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "bfloat16"])
def test_address_carries_logits_of_every_kind(kind: str) -> None:
    import ml_dtypes  # noqa: F401 (NumPy knows bfloat16 by it)

    values = np.array([[[0.1, np.nan, -np.inf, 65504]]]).astype(kind)
    found = through_an_address(Repair("NUM01", {"logits": values}, "NaN", "lengths"))
    assert found.changes["logits"].dtype == values.dtype
    np.testing.assert_array_equal(found.changes["logits"].astype(float), values.astype(float))
    assert (found.code, found.before, found.mask) == ("NUM01", "NaN", "lengths")


def test_address_carries_a_repair_with_its_edits() -> None:
    one = batch()
    repair = through_an_address(repaired(one, weights=[[1, 1, 0], [1, 0, 0]], lengths=None))
    state = State(linked=Linked(("sample", "one"), (1, 2), (repair, Edit("weights", (0, 0), 2))))
    state.show(Source("sample", "one", one))
    assert state.source.current.lengths is None
    assert state.source.current.weights.tolist() == [[2, 1, 0], [1, 0, 0]]
    assert (len(state.source.steps), state.cell) == (2, (1, 2))


def test_large_repair_is_not_carried() -> None:
    assert packed_repair(Repair("PAD08", {"lengths": np.zeros(MAX_ENTRIES, int)}, "1")) is not None
    assert packed_repair(Repair("PAD08", {"lengths": np.zeros(MAX_ENTRIES + 1, int)}, "1")) is None


HOSTILE = [
    ["repair", "PAD08", {"lengths": [1, 1]}, "1"],
    ["edit", "PAD08", {"lengths": [1, 1]}, "1", None],
    ["repair", "PAD99", {"lengths": [1, 1]}, "1", None],
    ["repair", ["PAD08"], {"lengths": [1, 1]}, "1", None],
    ["repair", "PAD08", {"shape": 1}, "1", None],
    ["repair", "PAD08", [], "1", None],
    ["repair", "PAD08", {"lengths": [1, 1]}, 1, None],
    ["repair", "PAD08", {"lengths": [1, 1]}, "1" * 41, None],
    ["repair", "PAD08", {"lengths": [1, 1]}, "1", "everything"],
    ["repair", "PAD08", {"lengths": [1, 1]}, "1", []],
    ["repair", "PAD08", {"logits": ["object", [[[1]]]]}, "1", None],
]


@pytest.mark.parametrize("entry", HOSTILE, ids=str)
def test_anything_else_in_an_address_is_refused(entry: Any) -> None:
    with pytest.raises(InputError):
        unpacked_repair(entry)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2))


@given(st.dictionaries(st.sampled_from(Batch.FIELDS), VALUES, max_size=3))
def test_hostile_changes_leave_the_batch_or_fit_it(changes: dict[str, Any]) -> None:
    """Whatever an address says, the page has a batch that was checked."""
    from lossviz.ui.link import _edits

    state = State(linked=Linked(("sample", "one"), None, tuple(_edits([["repair", "PAD08", changes, "1", None]]))))
    state.show(Source("sample", "one", batch()))
    assert state.source.current.logits.ndim == 3

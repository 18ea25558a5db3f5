"""A tab's memory: sources with their edits, the selection, and what is computed again."""

from typing import Any

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze
from lossviz.edits import Edit
from lossviz.errors import InputError, SettingsError
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import Linked, State

FIRST, SECOND = Edit("lengths", (0,), 1), Edit("targets", (0, 1), 3)


def source(name: str = "one", **changes: Any) -> Source:
    arguments = {"logits": np.zeros((2, 3, 4)), "targets": [[1, 2, 3], [3, 0, 0]], "lengths": [3, 1]}
    return Source("sample", name, Batch.from_arrays(**{**arguments, **changes}))


def test_current_is_the_batch_with_its_edits() -> None:
    made = source()
    made.make(FIRST)
    made.make(SECOND)
    assert (made.current.lengths.tolist(), made.current.targets[0].tolist()) == ([1, 1], [1, 3, 3])
    assert (made.batch.lengths.tolist(), made.batch.targets[0].tolist()) == ([3, 1], [1, 2, 3])


def test_current_is_the_same_object_until_an_edit() -> None:
    """So that nothing is computed twice."""
    made = source()
    before = made.current
    assert made.current is before
    made.make(FIRST)
    assert made.current is not before


def test_edits_whose_hashes_agree_are_told_apart() -> None:
    """hash(-1.0) == hash(-2.0) in Python."""
    made = source()
    made.steps = [(Edit("lengths", (0,), -1.0),)]
    assert made.current.lengths[0] == -1
    made.steps = [(Edit("lengths", (0,), -2.0),)]
    assert made.current.lengths[0] == -2


def test_step_that_can_not_be_made_leaves_everything() -> None:
    made = source()
    made.make(FIRST)
    made.undo()
    with pytest.raises(InputError):
        made.make(SECOND, Edit("targets", (9, 9), 1))
    assert (made.edits, made.undone) == ((), [(FIRST,)])


def test_new_step_forgets_what_was_undone() -> None:
    made = source()
    made.make(FIRST)
    made.undo()
    made.make(SECOND)
    made.redo()
    assert made.edits == (SECOND,)


def test_undo_of_nothing_does_nothing() -> None:
    made = source()
    made.undo()
    made.redo()
    made.reset()
    assert (made.edits, made.undone) == ((), [])


def test_possible_edits_are_made_one_by_one() -> None:
    made = source()
    made.make_possible([FIRST, Edit("lengths", (7,), 1), SECOND])
    assert made.steps == [(FIRST,), (SECOND,)]
    assert made.current.lengths.tolist() == [1, 1]


def test_show_keeps_the_selection_of_the_same_batch_only() -> None:
    state, one, two = State(), source(), source("two")
    state.show(one)
    state.cell = (1, 2)
    state.show(one)
    assert state.cell == (1, 2)
    state.show(two)
    assert (state.cell, state.known("sample", "one")) == (None, one)


@pytest.mark.parametrize(("cell", "kept"), [((1, 2), (1, 2)), ((2, 0), None), ((0, 3), None), (None, None)])
def test_linked_cell_is_selected_where_it_is(cell: Any, kept: Any) -> None:
    state = State(linked=Linked(("sample", "one"), cell, (FIRST,)))
    state.show(source("other"))
    assert (state.cell, state.source.edits) == (None, ())
    state.show(source())
    assert (state.cell, state.source.edits, state.linked) == (kept, (FIRST,), None)


def test_replaced_batch_keeps_edits_and_selection() -> None:
    state = State()
    state.show(source())
    state.source.make(FIRST)
    state.cell = (0, 1)
    state.replace(source(lengths=[2, 2]))
    assert (state.source.current.lengths.tolist(), state.cell) == ([1, 2], (0, 1))


def test_analysis_is_computed_once() -> None:
    """Another reduction or length computes no loss again; an edited logit does; a refused one keeps what was."""
    state, calls = State(), []
    state.show(source())

    def compute(batch: Batch, settings: Settings) -> Any:
        calls.append(settings.reduction)
        return analyze(batch, settings)

    first = state.analysis(compute, Settings())
    assert state.analysis(compute, Settings()) is first
    assert state.analysis(compute, Settings(reduction="language_model")).value == pytest.approx(4 * np.log(4))
    assert calls == ["mean"]
    with pytest.raises(SettingsError):
        state.analysis(compute, Settings(mask="weights"))
    assert calls == ["mean"]
    state.source.make(FIRST)
    assert state.analysis(compute, Settings()).divisor == 2
    assert calls == ["mean"]
    state.source.make(Edit("logits", (0, 0, 0), 5.0))
    assert state.analysis(compute, Settings()).divisor == 2
    assert calls == ["mean", "mean"]


def test_was_says_what_stood_there() -> None:
    made = source()
    assert [made.was(FIRST), made.was(Edit("weights", (0, 0), 2)), made.was(Edit("logits", (0, 0, 0), 1))] == [
        "3",
        "not given",
        "0",
    ]

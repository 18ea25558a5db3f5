"""Editing on the page: a length, a weight, a target, a logit; undo, redo, as it came; what differs."""

from typing import Any

import numpy as np
import pytest

from lossviz.edits import Edit
from lossviz.ui.shared.edit_history import make_edits
from tests.ui.driver import (
    button,
    choose,
    click,
    counting,
    divisor,
    edit_length,
    edit_table,
    heatmaps,
    key_of,
    number,
    run,
    sample,
    select,
    shown,
    state,
    texts,
)

# golden: 13.8 nats over lengths 5, 4 and 2; the last row's first two losses are 4.0 and 0.6.
BEFORE, SHORTER = "1.2545", f"{13.2 / 10:.4f}"


def golden() -> Any:
    return sample("golden")


def at_cell(app: Any, row: int, timestep: int) -> Any:
    return select(app, row, timestep)


def weight(app: Any) -> Any:
    """The field, which has a name of its own while it is locked."""
    [field] = [field for field in app.number_input if field.label == "Weight"]
    return field


def test_length_changes_number_and_picture() -> None:
    app = edit_length(golden(), 2, 1)
    assert (number(app), divisor(app)[1], counting(app)) == (SHORTER, "10", "10 of 15")
    assert heatmaps(app)[1][2].tolist() == [1, 0, 0, 0, 0]
    assert "**1 entry differs from the source**" in texts(app, "markdown")
    assert "lengths[2] = 1, was 2" in texts(app, "markdown")


def test_edit_is_undone_and_redone() -> None:
    app = edit_length(golden(), 2, 1)
    click(app, "undo")
    assert (number(app), state(app).source.edits) == (BEFORE, ())
    assert button(app, "undo").disabled
    click(app, "redo")
    assert (number(app), state(app).source.edits) == (SHORTER, (Edit("lengths", (2,), 1),))
    assert button(app, "redo").disabled


def test_as_it_came_takes_every_edit_back_and_redo_brings_them_again() -> None:
    app = edit_length(golden(), 2, 1)
    edit_length(app, 0, 3)
    click(app, "reset")
    assert (number(app), state(app).source.edits) == (BEFORE, ())
    click(app, "redo")
    assert (number(app), state(app).source.edits) == (SHORTER, (Edit("lengths", (2,), 1),))
    click(app, "redo")
    assert len(state(app).source.edits) == 2


def test_table_shows_the_length_after_undo() -> None:
    app = edit_length(golden(), 2, 1)
    click(app, "undo")
    table = next(frame.value for frame in app.dataframe if str(frame.key).startswith("lengths:"))
    assert table["length"].tolist() == [5, 4, 2]


def test_second_length_keeps_the_first() -> None:
    """The table sends everything that was typed into it; what is so already makes no step."""
    app = edit_length(golden(), 2, 1)
    edit_length(app, 0, 5)
    assert len(state(app).source.steps) == 1
    edit_length(app, 0, 4)
    assert [str(edit) for edit in state(app).source.differences] == ["lengths[2] = 1", "lengths[0] = 4"]
    assert number(app) == f"{(13.2 - 0.1) / 9:.4f}"


def test_length_set_back_by_hand_differs_no_more() -> None:
    app = edit_length(golden(), 2, 1)
    edit_length(app, 2, 2)
    assert (number(app), state(app).source.differences) == (BEFORE, ())
    assert "**0 entries differ from the source**" in texts(app, "markdown")


@pytest.mark.parametrize(("length", "value"), [(-1, f"{9.2 / 9:.4f}"), (9, "NaN"), (2.5, "NaN")])
def test_impossible_length_is_content(length: float, value: str) -> None:
    """It is what people come to debug: it is named, and what it makes count has no number."""
    app = edit_length(golden(), 2, length)
    assert number(app) == value
    assert texts(app, "warning")[0].startswith(f"1 length is impossible for 5 timesteps: {length} (sequence 2).")


def test_weight_changes_the_number() -> None:
    """Weight 0 at the loss of 4.0; the mask becomes the weights."""
    app = at_cell(golden(), 2, 0)
    run(weight(app).set_value(0.0))
    assert (number(app), divisor(app)[1]) == (f"{9.8 / 10:.4f}", "10")
    assert state(app).source.edits == (Edit("weights", (2, 0), 0.0),)
    click(app, "undo")
    assert (number(app), weight(app).value) == (BEFORE, 1.0)


def test_emptied_weight_is_no_edit() -> None:
    """It does not become 0, which would take the timestep out of the number."""
    app = select(sample("golden"), 2, 0)
    run(weight(app).set_value(None))
    assert state(app).source.steps == []
    assert (number(app), weight(app).value) == (BEFORE, 1.0)


def test_weight_field_follows_lengths_and_mask() -> None:
    """It shows the weight in use, however it came about."""
    app = at_cell(golden(), 2, 1)
    edit_length(app, 2, 1)
    assert weight(app).value == 0.0
    choose(app, mask="none")
    assert weight(app).value == 1.0
    assert weight(app).disabled
    choose(app, mask="declared")
    assert (weight(app).value, weight(app).disabled) == (0.0, False)


def test_weight_of_a_timestep_that_a_classifier_does_not_read_is_no_field() -> None:
    """What was typed there would change nothing that is shown."""
    app = select(sample("reviews-trained"), 0, 1)
    assert weight(app).disabled
    select(app, 0, int(shown(app).batch.lengths[0]) - 1)
    assert not weight(app).disabled


def test_target_changes_the_loss() -> None:
    """All classes but the target share the rest evenly, so another target costs −log((1 − e⁻⁴) / 5)."""
    app = at_cell(golden(), 2, 0)
    run(field(app).set_value(0))
    loss = -np.log(-np.expm1(-4.0) / 5)
    assert number(app) == f"{(13.8 - 4.0 + loss) / 11:.4f}"
    assert [str(edit) for edit in state(app).source.differences] == ["targets[2, 0] = 0"]
    click(app, "undo")
    assert number(app) == BEFORE


def field(app: Any) -> Any:
    return next(box for box in [*app.selectbox, *app.number_input] if box.label == "Target")


def test_target_can_be_made_wrong() -> None:
    """In words, where a vocabulary gives a list, only classes can be chosen; where it is a number, anything."""
    app = at_cell(sample("label-minus-100"), 0, 1)
    assert field(app).value == -100
    run(field(app).set_value(1))
    assert texts(app, "warning") == []


def test_logit_changes_the_number() -> None:
    """The rows of the table are the classes in the order of their ids; the logit of class 3 is set to 0."""
    app = at_cell(golden(), 2, 0)
    before = key_of(app, "logits")
    edit_table(app, key_of(app, "logits"), 3, "logit", 0.0)
    assert state(app).source.edits == (Edit("logits", (2, 0, 3), 0.0),)
    assert key_of(app, "logits") == before
    z = np.asarray(shown(app).batch.logits[2, 0], float)
    loss = np.log(np.exp(z).sum()) - z[shown(app).batch.targets[2, 0]]
    assert number(app) == f"{(13.8 - 4.0 + loss) / 11:.4f}"
    click(app, "undo")
    assert number(app) == BEFORE


def test_emptied_cell_of_a_table_is_no_edit() -> None:
    app = at_cell(golden(), 2, 0)
    edit_table(app, key_of(app, "logits"), 0, "logit", None)
    edit_length(app, 0, None)
    assert state(app).source.edits == ()


def test_refused_edit_is_a_sentence_and_changes_nothing() -> None:
    app = edit_length(golden(), 2, 1)
    make_edits(state(app), state(app).source, [Edit("targets", (0, 0), 1.5)])
    run(app)
    assert texts(app, "error") == ["`targets[0, 0] = 1.5` must be a whole number of 64 bits: targets holds integers."]
    assert number(app) == SHORTER
    edit_length(app, 0, 3)
    assert texts(app, "error") == []


def test_logit_too_large_for_its_dtype_is_refused() -> None:
    app = at_cell(sample("alice-trained-64"), 0, 0)
    edit_table(app, key_of(app, "logits"), 0, "logit", 1e6)
    [sentence] = texts(app, "error")
    assert sentence.endswith("is too large for logits, which holds float16.")


def test_edits_survive_another_sample_and_back() -> None:
    app = edit_length(golden(), 2, 1)
    choose(app, sample="lengths-3-4-2")
    assert state(app).source.edits == ()
    choose(app, sample="golden")
    assert (number(app), state(app).source.edits) == (SHORTER, (Edit("lengths", (2,), 1),))


def test_edited_cells_are_marked_in_the_picture() -> None:
    from lossviz.ui.shared.equation import edited_cells

    app = at_cell(golden(), 2, 0)
    run(weight(app).set_value(0.5))
    assert np.argwhere(edited_cells(state(app).source)).tolist() == [[2, 0]]
    edit_length(app, 1, 3)
    assert edited_cells(state(app).source)[1].all()


def test_weight_that_was_not_given_is_said_so() -> None:
    app = at_cell(golden(), 2, 0)
    run(weight(app).set_value(0.5))
    assert "weights[2, 0] = 0.5, was not given" in texts(app, "markdown")


def test_selection_survives_edits_and_reductions_and_ends_with_another_batch() -> None:
    app = edit_length(at_cell(golden(), 1, 3), 2, 1)
    choose(app, reduction="encoder_decoder")
    assert state(app).cell == (1, 3)
    choose(app, sample="lengths-3-4-2")
    assert state(app).cell is None
    assert "Select a cell above, by mouse or with the arrow keys, to see its arithmetic and to edit it." in texts(
        app, "caption"
    )


def test_cell_adds_up_to_the_number() -> None:
    """The contributions of all timesteps are the number."""
    app = golden()
    explained = [shown(app).explain(b, t).contribution for b in range(3) for t in range(5)]
    assert sum(explained) == pytest.approx(13.8 / 11, rel=1e-12)


def test_every_logit_of_a_small_vocabulary_has_a_row_and_a_large_one_shows_any_class() -> None:
    app = at_cell(golden(), 2, 0)
    [table] = [frame.value for frame in app.dataframe if str(frame.key).startswith("logits:")]
    assert table["class"].tolist() == [0, 1, 2, 3, 4, 5]
    app = at_cell(sample("alice-trained"), 0, 0)
    run(app.number_input(key="another_class").set_value(600))
    [table] = [frame.value for frame in app.dataframe if str(frame.key).startswith("logits:")]
    analysis = shown(app)
    listed = {*analysis.top_classes[0, 0].tolist(), int(analysis.batch.targets[0, 0]), 600}
    assert table["class"].tolist() == sorted(listed)

"""Two runs side by side, and their curves: one scale, padding as padding, four lines told apart by dash and name."""

import numpy as np
import pytest

from lossviz import Batch, analyze
from lossviz.errors import InputError
from lossviz.figures import Learning, learning_curves, step_line, two_runs
from tests.figures._cases import checked, golden, heatmaps, named, notes

RIGHT = Learning("right", np.array([2.0, 1.0, 0.5]), np.array([0, 1, 3]), np.array([2.1, 1.1, 0.4]))
BUG = Learning("<bug>", np.array([2.0, 0.4, 0.1]), np.array([0, 1, 3]), np.array([2.1, 2.5, 4.0]))


def recorded(*losses):
    return analyze(
        Batch.from_arrays(losses=losses, targets=np.ones((len(losses), 3), int), lengths=[3, 1][: len(losses)])
    )


def test_both_heatmaps_have_one_scale_and_show_padding_as_padding():
    one, other = recorded([1, 2, 3], [4, 5, 6]), recorded([0.5, 9, 0], [7, 0, 0])
    figure = checked(two_runs([one, other], classes=8))
    left, right = heatmaps(figure)
    np.testing.assert_array_equal(left.z, [[1, 2, 3], [4, np.nan, np.nan]])
    np.testing.assert_array_equal(right.z, [[0.5, 9, 0], [7, np.nan, np.nan]])
    assert {trace.coloraxis for trace in (left, right)} == {"coloraxis"}
    np.testing.assert_allclose(figure.layout.coloraxis.cmax, np.log(8) + 5)
    assert [trace.meta for trace in (left, right)] == [{"select": True, "part": "kept"}] * 2
    assert [list(trace.text) for trace in named(figure, "pad")] == [["pad"] * 2] * 2
    assert [figure.layout.xaxis2.matches, figure.layout.yaxis2.matches] == ["x", "y"]
    assert notes(figure, "name") == ["<b>right</b>", "<b>bug</b>"]


def test_scale_of_unknown_classes_reaches_as_far_as_the_larger_one():
    figure = two_runs([recorded([1, 1, 1]), recorded([6, 6, 6])])
    assert figure.layout.coloraxis.cmax == 6


def test_two_runs_of_a_classifier_are_drawn_as_if_each_timestep_were_read():
    batch = Batch.from_arrays(logits=np.ones((1, 3, 1)), targets=[[1, 1, 1]], lengths=[2])
    figure = checked(two_runs([analyze(batch)] * 2, theme="dark"))
    assert not np.isnan(heatmaps(figure)[0].z).any()
    assert named(figure, "highlight") == []
    assert figure.layout.title.text == "What each timestep would cost if it were read, nats"


@pytest.mark.parametrize(
    ("analyses", "got"), [([], "none"), ([golden()], "(3, 5)"), ([golden(), recorded([1, 2, 3])], "(3, 5), (1, 3)")]
)
def test_two_runs_refuses_what_is_no_pair(analyses, got):
    with pytest.raises(InputError) as refused:
        two_runs(analyses)
    assert str(refused.value) == f"`analyses` must be two of one shape [B, T]; got {got}."


def test_curves_are_told_apart_by_dash_and_name_with_their_last_values():
    figure = checked(learning_curves([RIGHT, BUG], step=1, last=10))
    assert [(trace.name, trace.line.dash, trace.x.tolist()) for trace in figure.data] == [
        ("right, printed", "dot", [1, 2, 3]), ("right, true", "solid", [0, 1, 3]),
        ("<bug>, printed", "dot", [1, 2, 3]), ("<bug>, true", "solid", [0, 1, 3]),
    ]  # fmt: skip
    labels = notes(figure, "label")
    assert [label.partition("</span> ")[2] for label in labels] == [
        "&lt;bug&gt;, true 4.0000", "right, printed 0.5000", "right, true 0.4000", "&lt;bug&gt;, printed 0.1000",
    ]  # fmt: skip
    assert figure.layout.xaxis.range[1] == 10
    assert figure.layout.shapes[0].to_plotly_json() == step_line(1)
    assert (step_line(1)["x0"], step_line(1)["x1"]) == (1, 1)


def test_names_at_the_ends_of_lines_never_lie_over_each_other_nor_leave_the_panel():
    flat = [Learning(name, np.zeros(3), np.arange(3), np.zeros(3)) for name in ("a", "b")]
    for runs in (flat, [RIGHT, RIGHT._replace(name="b")], [BUG]):
        figure = learning_curves(runs)
        at = sorted((1 - note.y) * figure.layout.height for note in figure.layout.annotations)
        assert np.diff(at).min() >= 15 - 1e-6
        assert 0 <= at[0] <= at[-1] <= figure.layout.height - 30


def test_curves_before_the_first_step_and_of_nothing():
    start = Learning("right", np.zeros(0), np.array([0]), np.array([4.7]))
    assert [note.text.partition("</span> ")[2] for note in checked(learning_curves([start])).layout.annotations] == [
        "right, true 4.7000"
    ]
    assert notes(learning_curves([]), "empty") == ["No step was trained yet."]

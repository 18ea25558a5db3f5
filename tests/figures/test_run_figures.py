"""The pictures of a run and of a comparison: what they draw, on the spec."""

import numpy as np
import pandas as pd
import pytest

from lossviz.errors import InputError
from lossviz.figures import (
    difference_map,
    grouped_losses,
    loss_scatter,
    run_steps,
    sequence_strips,
    step_strip,
    trajectory,
)
from tests.figures._cases import HOSTILE, checked, named, notes, spec_words
from tests.figures.run_tables import comparison, groups_table, steps_table, strips_table, trajectory_table


def z_of(figure):
    [trace] = [trace for trace in figure.data if trace.type == "heatmap" and trace.meta == {"select": True}]
    return np.asarray(trace.z)


@pytest.mark.parametrize("draw", [step_strip, run_steps])
def test_steps_are_drawn_as_lines_and_as_cells_that_can_be_selected(draw):
    figure = checked(draw(steps_table()))
    [mean], [printed] = named(figure, "mean")[:1], named(figure, "printed")
    assert mean.y.tolist() == [2.0, 1.0, 0.5]
    np.testing.assert_array_equal(printed.y, [2.5, 1.5, np.nan])
    assert z_of(figure).tolist() == [[2.0, 1.0, 0.5]]
    assert list(figure.layout.xaxis.ticktext) == ["0", "100", "200"]
    [heatmap] = [trace for trace in figure.data if trace.type == "heatmap"]
    assert heatmap.text[0][0] == "<b>step 0</b><br>mean 2.0000<br>printed 2.5000"
    assert heatmap.text[0][2] == "<b>step 200</b><br>mean 0.5000"


@pytest.mark.parametrize("draw", [step_strip, run_steps])
def test_steps_without_printed_numbers_draw_no_line_of_them(draw):
    figure = draw(steps_table().assign(printed=[None, "n/a", None]))
    assert named(figure, "printed") == []
    assert all("printed" not in text for text in notes(figure, "legend"))


def test_run_steps_draws_the_band_and_a_line_of_marks_for_each_finding():
    figure = checked(run_steps(steps_table(), findings={"PAD01": (0, 200), "RED01": (100, 7)}))
    [band] = named(figure, "losses that count, 10 to 90 %")
    assert (band.y.tolist(), band.fill) == ([4.0, 2.0, 1.0], "tonexty")
    found = {name: (list(named(figure, name)[0].x), list(named(figure, name)[0].y)) for name in ("PAD01", "RED01")}
    assert found == {"PAD01": ([0, 2], [0, 0]), "RED01": ([1], [1])}
    assert list(figure.layout.yaxis3.ticktext) == ["PAD01", "RED01"]
    assert figure.layout.height == run_steps(steps_table()).layout.height + 2 * 18


def test_steps_of_a_long_run_have_labels_with_room():
    many = pd.concat([steps_table()] * 400, ignore_index=True)
    assert len(run_steps(many, width=1000).layout.xaxis.ticktext) <= 15


@pytest.mark.parametrize("draw", [step_strip, run_steps, sequence_strips, trajectory])
def test_picture_of_nothing_says_so(draw):
    empty = (steps_table if draw in (step_strip, run_steps) else strips_table)()[:0]
    figure = draw(empty)
    [text] = notes(figure, "empty")
    assert text.endswith(".")
    assert len(figure.data) == 0


def test_sequence_strips_mark_padding_and_what_is_not_recorded():
    figure = checked(sequence_strips(strips_table()))
    np.testing.assert_array_equal(z_of(figure), [[4.0, 2.0, np.nan], [1.0, 0.5, np.nan]])
    [marks] = named(figure, "marks")
    assert np.asarray(marks.z).tolist() == [[0, 0, 1], [0, 0, 6]]
    assert list(figure.layout.yaxis.ticktext) == ["3.0000", "NaN"]
    assert [text for trace in named(figure, "near") + named(figure, "far") for text in trace.text] == [
        "cup", "a", "b", "tea",
    ]  # fmt: skip


def test_sequence_strips_of_a_change_are_drawn_around_zero_by_the_root():
    figure = checked(sequence_strips(strips_table(), measure="change"))
    np.testing.assert_allclose(z_of(figure), [[1, -2, np.nan], [0.5, 0, np.nan]])
    axis = figure.layout.coloraxis
    assert axis.cmin == -axis.cmax
    with pytest.raises(InputError, match=r"^`measure` must be one of 'mean', 'change', 'spread'; got 'best'\.$"):
        sequence_strips(strips_table(), measure="best")


def test_trajectory_has_a_row_for_each_step_and_leaves_out_what_never_counts():
    figure = checked(trajectory(trajectory_table()))
    np.testing.assert_array_equal(z_of(figure), [[4.0, 2.0], [1.0, np.nan]])
    assert np.asarray(named(figure, "marks")[0].z).tolist() == [[0, 0], [0, 6]]
    assert list(figure.layout.yaxis.ticktext) == ["0", "500"]
    assert list(figure.layout.xaxis.ticktext) == ["tea", "cup"]


def test_grouped_losses_draw_shares_of_tokens_and_means_of_the_others():
    tokens = checked(grouped_losses(groups_table("token")))
    assert tokens.data[0].orientation == "h"
    np.testing.assert_allclose(tokens.data[0].x, [4 / 5.5, 1 / 5.5, 0.5 / 5.5])
    lengths = checked(grouped_losses(groups_table("length")))
    assert (lengths.data[0].x.tolist(), lengths.data[0].y.tolist()) == ([1, 2, 3], [1.0, 0.5, 0.5])
    assert lengths.layout.title.text == "Mean loss by length"
    with pytest.raises(InputError, match=r"^`table` must be of `Run\.by`; got the columns loss\.$"):
        grouped_losses(pd.DataFrame({"loss": [1.0]}))


def test_difference_map_marks_what_counts_in_neither():
    figure = checked(difference_map(comparison()))
    np.testing.assert_allclose(z_of(figure), [[0, 2, -1], [0, 0, np.nan]])
    assert np.asarray(named(figure, "marks")[0].z).tolist() == [[0, 0, 0], [0, 0, 1]]
    [heatmap] = named(figure, "loss")
    assert heatmap.text[0][1] == (
        "<b>b</b>, sequence 0, timestep 1<br>A 2.0000, B 6.0000<br>adds 0.8000 to the difference"
    )
    assert heatmap.text[1][2].endswith("counts in neither")


def test_loss_scatter_groups_by_rank_where_it_is_known():
    plain = checked(loss_scatter(comparison()))
    assert [trace.name for trace in plain.data] == ["the same", "timesteps"]
    assert len(plain.data[1].x) == 5
    ranks = [[1, 50, 500], [5000, 0, 1]]
    figure = checked(loss_scatter(comparison(rank=ranks)))
    assert {trace.name: len(trace.x) for trace in figure.data[1:]} == {
        "rank 1 to 10": 1,
        "to 100": 1,
        "to 1,000": 1,
        "beyond": 1,
        "rank not known": 1,
    }


@pytest.mark.parametrize("token", HOSTILE)
def test_run_figures_draw_hostile_tokens_as_text(token):
    drawn = [
        sequence_strips(strips_table(token)),
        trajectory(trajectory_table(token)),
        grouped_losses(groups_table("token").assign(token=[token, "a", "b"])),
        difference_map(comparison(vocabulary=[token, "b", "c", "d", "e"])),
        loss_scatter(comparison(vocabulary=[token, "b", "c", "d", "e"])),
    ]
    words = [word for figure in drawn for word in spec_words(figure)]
    assert not any("<script" in word or "<img" in word for word in words)
    assert max(map(len, words)) < 1_000

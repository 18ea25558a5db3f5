"""Padding, NaN, ±inf, clipped and invalid carry marks of their own, exactly where they must, with a legend."""

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze
from lossviz.figures import QUANTITIES, coefficient_map, equation, grid, overview
from lossviz.figures._core.style import MARKS
from tests.figures._cases import checked, golden, heatmaps, marked, named, notes, random_analysis

CODES = {mark.name: mark.code for mark in MARKS}


def places(figure, name):
    """Where the glyphs of a mark stand: a set of (sequence, timestep) for each heatmap that has any."""
    return [{(int(y), int(x)) for x, y in zip(t.x, t.y, strict=True)} for t in named(figure, name)]


def test_marks_stand_exactly_where_they_must():
    figure = checked(equation(marked()))
    assert places(figure, "nan") == [{(0, 2)}, {(0, 2)}]
    assert places(figure, "plus_inf") == [{(0, 3)}, {(0, 3)}]
    assert places(figure, "invalid") == [{(0, 4)}, {(0, 4)}]
    assert places(figure, "pad") == [{(0, 5)}]
    assert places(figure, "minus_inf") == []


def test_marks_have_grounds_that_are_no_colour_of_the_scale():
    figure = equation(marked())
    before, after = named(figure, "marks")
    assert before.z.tolist() == [[0, 0, CODES["nan"], CODES["plus_inf"], CODES["invalid"], 0]]
    assert after.z.tolist() == [[0, 0, CODES["nan"], CODES["plus_inf"], CODES["invalid"], CODES["pad"]]]
    grounds = {colour for _, colour in before.colorscale[2:]}
    assert not grounds & {colour for _, colour in figure.layout.coloraxis.colorscale}


def test_an_ignored_label_has_no_loss_and_is_no_nan():
    batch = Batch.from_arrays(logits=np.zeros((1, 4, 3)), targets=[[1, -100, 2, -100]], ignore_id=-100)
    figure = checked(equation(analyze(batch)))
    assert places(figure, "ignored") == [{(0, 1), (0, 3)}]
    assert places(figure, "pad") == [{(0, 1), (0, 3)}]
    assert named(figure, "ignored")[0].text == ("−100", "−100")
    assert named(figure, "nan") == []
    legend = [n.text for n in figure.layout.annotations if n.name == "legend:ignored"]
    assert legend == ["ignored label: it has no loss"]


def test_an_ignored_label_that_counts_makes_no_sense():
    batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, -100]], ignore_id=-100)
    figure = checked(equation(analyze(batch, Settings(mask="none"))))
    assert places(figure, "invalid") == [{(0, 1)}, {(0, 1)}]
    assert named(figure, "ignored") == []


def test_a_padded_cell_is_not_a_zero_cell():
    figure = equation(marked())
    first, _, left = heatmaps(figure)
    assert left.z[0, 1] == 0
    assert np.isnan(left.z[0, 5])
    assert first.z[0, 5] == pytest.approx(np.log(3))
    assert named(figure, "pad")[0].text == ("pad",)
    assert "0.00" in named(figure, "values")[1].text[1]


def test_legend_names_the_marks_that_are_there():
    legend = {
        n.name.split(":")[1]: n.text for n in equation(marked()).layout.annotations if n.name.startswith("legend")
    }
    assert legend == {
        "pad": "does not count",
        "nan": "not a number",
        "plus_inf": "infinite",
        "invalid": "label, length or weight makes no sense",
    }


def test_legend_is_empty_where_no_mark_is():
    figure = equation(random_analysis(2, 3, lengths=[3, 3], logits=np.zeros((2, 3, 7))))
    assert [n.name for n in figure.layout.annotations if n.name.startswith(("legend", "swatch"))] == []
    assert named(figure, "marks") == []


def test_legend_wraps_rather_than_overflow():
    figure = equation(marked(), width=420)
    rows = {n.y for n in figure.layout.annotations if n.name.startswith("legend:")}
    assert len(rows) > 1
    assert all(0 < n.y < 1 for n in figure.layout.annotations)


def test_clipped_values_carry_a_triangle():
    figure = checked(equation(golden(), quantity=QUANTITIES["loss"].locked(0.5, 2)))
    before = named(figure, "clipped")[0]
    corners = zip(before.x, before.y, before.text, strict=True)
    shown = {(round(float(y) + 0.3), round(float(x) - 0.5)): text for x, y, text in corners}
    assert {at for at, text in shown.items() if text == "▲"} == {(0, 2), (2, 0)}
    assert {at for at, text in shown.items() if text == "▼"} == {(0, 4), (1, 0), (1, 4), (2, 2), (2, 3), (2, 4)}


def beyond(figure):
    """The traces that mark values beyond the scale, by name."""
    return {name: named(figure, name) for name in ("clipped", "beyond", "below") if named(figure, name)}


def test_clipped_values_in_small_cells_carry_dots_and_the_legend_says_so():
    """An equation, and an overview, whose cells stand for many timesteps: dots lie on the cells beyond the scale."""
    analysis = random_analysis(2, 300, lengths=[300, 300])
    scale = QUANTITIES["loss"].locked(0.5, 2)
    figure = checked(equation(analysis, quantity=scale, width=900))
    assert set(beyond(figure)) == {"beyond", "below"}
    for name, where in (("beyond", analysis.batch_loss > 2), ("below", analysis.batch_loss < 0.5)):
        trace = named(figure, name)[0]
        assert (trace.yaxis, trace.fillpattern.shape) == ("y", ".")
        starts, ends = np.reshape(trace.x, (-1, 6))[:, 0], np.reshape(trace.x, (-1, 6))[:, 1]
        covered = np.zeros(where.shape, bool)
        for row, start, end in zip(np.reshape(trace.y, (-1, 6))[:, 0] + 0.5, starts + 0.5, ends + 0.5, strict=True):
            covered[int(row), int(start) : int(end)] = True
        np.testing.assert_array_equal(covered, where)
    assert notes(figure, "swatch:clipped") == ["::", "::"]
    wide = random_analysis(2, 1024, lengths=[1024, 1024])
    dots = named(checked(overview(wide, quantity=scale)), "beyond")[0]
    worst = wide.batch_loss.reshape(2, 512, 2).max(axis=2) > 2
    assert sum(np.diff(np.reshape(dots.x, (-1, 6))[:, :2])[:, 0]) == 2 * worst.sum()


def test_clipped_losses_of_one_heatmap_are_explained():
    figure = checked(grid(random_analysis(3, 6, logits=np.eye(7)[np.zeros((3, 6), int)] * 30), part="losses"))
    assert set(beyond(figure)) == {"clipped"}
    assert [words[:14] for words in notes(figure, "legend:clipped")] == ["clipped above "]
    assert notes(checked(grid(golden())), "legend:clipped") == []


def test_bars_that_are_no_number_are_told_apart_however_many_there_are():
    """More than 128 bars are one area, in which NaN would look like 0."""
    loss = np.zeros((130, 4, 3))
    loss[7, 2] = np.nan
    bars = named(checked(equation(random_analysis(130, 4, 3, logits=loss, lengths=[4] * 130))), "per sequence")[0]
    assert bars.type == "bar"
    assert len(set(bars.marker.color)) == 2
    assert bars.x[7] == max(bars.x)


def test_coefficients_below_zero_carry_a_triangle():
    factors = np.where(np.arange(15).reshape(3, 5) == 7, -0.1, 0.1)
    figure = checked(coefficient_map(golden(), coefficients=factors))
    (signs,) = named(figure, "clipped")
    assert (list(signs.text), round(float(signs.y[0]) + 0.3), round(float(signs.x[0]) - 0.5)) == (["▼"], 1, 2)
    assert notes(figure, "legend:clipped") == ["below 0"]


def test_narrow_padding_is_hatched():
    figure = checked(equation(random_analysis(2, 60, lengths=[60, 20]), width=900))
    (hatch,) = named(figure, "hatch")
    assert (hatch.yaxis, hatch.fillpattern.shape) == ("y3", "/")
    np.testing.assert_array_equal(hatch.x, np.array([19.5, 59.5, 59.5, 19.5, 19.5, np.nan], np.float32))
    assert named(figure, "pad") == []


def test_narrow_marks_other_than_padding_are_crossed():
    loss = np.zeros((1, 60, 7))
    loss[0, 7:9] = np.nan
    figure = checked(equation(random_analysis(1, 60, logits=loss, lengths=[60]), width=900))
    before, after = named(figure, "cross")
    assert (before.yaxis, after.yaxis, before.fillpattern.shape) == ("y", "y3", "x")
    np.testing.assert_array_equal(before.x, np.array([6.5, 8.5, 8.5, 6.5, 6.5, np.nan], np.float32))


def test_fractional_weights_are_shades_and_odd_ones_a_mark():
    analysis = analyze(
        Batch.from_arrays(logits=np.zeros((1, 5, 3)), targets=np.ones((1, 5), int), weights=[[1, 0.25, 0, -1, 254]])
    )
    figure = checked(equation(analysis))
    np.testing.assert_array_equal(heatmaps(figure)[1].z, np.array([[1, 0.25, 0, np.nan, np.nan]], np.float32))
    assert named(figure, "marks")[0].z.tolist() == [[0, 0, 0, CODES["invalid"], CODES["invalid"]]]
    assert places(figure, "invalid") == [{(0, 3), (0, 4)}]
    assert notes(figure, "legend:fraction") == ["darker mask, larger weight"]


def test_what_does_not_count_is_called_off_where_the_mask_is_more_than_padding():
    weights = [[1.0, 0.0, 1.0]]
    analysis = analyze(Batch.from_arrays(logits=np.zeros((1, 3, 3)), targets=[[1, 1, 1]], weights=weights))
    assert named(equation(analysis), "pad")[0].text == ("off",)


def test_an_impossible_length_marks_its_row():
    figure = equation(random_analysis(2, 3, lengths=[3, 9]))
    assert places(figure, "invalid") == [{(1, 0), (1, 1), (1, 2)}] * 2


def test_a_rank_of_a_label_that_is_no_class_is_no_number():
    assert places(equation(marked(), quantity="rank"), "invalid") == [{(0, 4)}, {(0, 4)}]


def test_a_sum_that_is_not_finite_is_a_full_bar_in_its_colour():
    figure = checked(equation(marked()))
    (columns,) = named(figure, "per timestep")
    np.testing.assert_allclose(columns.y, [np.log(3), 0, np.log(3), np.log(3), np.log(3), 0])
    bar, nan, infinite = "#2a6cb8", "#e69f00", "#e8743b"
    assert columns.marker.color == (bar, bar, nan, infinite, nan, bar)
    assert columns.text == ("1.10", "0.00", "NaN", "+∞", "NaN", "0.00")
    np.testing.assert_array_equal(columns.customdata[2:5], [np.nan, np.inf, np.nan])
    assert columns.hovertemplate == "timestep %{x}: %{customdata:.4~f} nats in all<extra></extra>"

"""Batch loss × mask = unpadded loss, as a spec: what each part holds, where it stands, what it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lossviz import Batch, Settings, analyze
from lossviz.figures import equation
from tests.figures._cases import checked, golden, heatmaps, named, notes, random_analysis
from tests.golden import FRACTIONAL, LOSS

PADDED = np.array([[0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 1, 1]], bool)


def test_equation_shows_every_loss_then_only_what_counts():
    first, mask, left = heatmaps(equation(golden()))
    np.testing.assert_allclose(first.z, LOSS, rtol=1e-6)
    np.testing.assert_array_equal(mask.z, ~PADDED)
    np.testing.assert_allclose(left.z, np.where(PADDED, np.nan, LOSS), rtol=1e-6)
    assert [(m.name, m.z.dtype.name) for m in (first, mask, left)] == [
        ("batch loss", "float32"),
        ("mask", "uint8"),
        ("unpadded loss", "float32"),
    ]


def test_equation_stands_on_one_time_axis():
    figure = equation(golden())
    assert [(m.xaxis, m.yaxis) for m in heatmaps(figure)] == [("x", "y"), ("x", "y2"), ("x", "y3")]
    assert figure.layout.xaxis.range == (-0.5, 4.5)
    assert figure.layout.yaxis.range == (2.5, -0.5)
    assert (figure.layout.yaxis2.matches, figure.layout.yaxis3.matches) == ("y", "y")


def test_equation_of_more_than_24_rows_stands_side_by_side():
    figure = checked(equation(random_analysis(25, 6)))
    assert [(m.xaxis, m.yaxis) for m in heatmaps(figure)] == [("x", "y"), ("x2", "y"), ("x3", "y")]
    assert (figure.layout.xaxis2.matches, figure.layout.xaxis3.matches) == ("x", "x")


@pytest.mark.parametrize("rows", [1, 6, 24, 25, 40])
def test_equation_parts_do_not_overlap(rows):
    layout = equation(random_analysis(rows, 9), width=1000).layout
    across = [layout.xaxis.domain] if rows <= 24 else [a.domain for a in (layout.xaxis, layout.xaxis2, layout.xaxis3)]
    up = (
        [layout[f"yaxis{n}"].domain for n in (4, 3, 2, "")]
        if rows <= 24
        else [layout.yaxis2.domain, layout.yaxis.domain]
    )
    edges = [edge for domain in across for edge in domain], [edge for domain in up for edge in domain]
    assert all(list(values) == sorted(values) and values[0] >= 0 and values[-1] <= 1 for values in edges)


def test_equation_names_the_title_and_the_axes():
    layout = equation(golden()).layout
    assert layout.title.text == "Batch loss × mask = unpadded loss, nats"
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("timestep", "sequence")


def test_equation_adds_up_sequences_and_timesteps():
    figure = equation(golden())
    (rows,), (columns,) = named(figure, "per sequence"), named(figure, "per timestep")
    np.testing.assert_allclose(rows.x, [6.8, 2.4, 4.6])
    np.testing.assert_allclose(columns.y, [4.8, 3.0, 4.4, 1.5, 0.1])
    assert list(rows.text) == ["6.80", "2.40", "4.60"]
    assert notes(figure, "total") == ["Σ 13.80"]


@pytest.mark.parametrize(
    ("reduction", "rows", "columns"),
    [
        (
            "sequence_means",
            ["6.80 ÷ 5", "2.40 ÷ 4", "4.60 ÷ 2"],
            ["4.80", "3.00", "4.40", "1.50", "0.10"],
        ),
        (
            "timestep_means",
            ["6.80", "2.40", "4.60"],
            ["4.80 ÷ 3", "3.00 ÷ 3", "4.40 ÷ 2", "1.50 ÷ 2", "0.10 ÷ 1"],
        ),
        ("micro_batch_means", ["6.80", "2.40", "4.60"], ["4.80", "3.00", "4.40", "1.50", "0.10"]),
    ],
)
def test_equation_of_a_mean_of_means_says_what_each_bar_is_divided_by(reduction, rows, columns):
    """The bars still add up to the unpadded loss, and their quotients to the numerator."""
    figure = equation(golden().with_settings(Settings(reduction=reduction, accumulation_steps=2)))
    assert list(named(figure, "per sequence")[0].text) == rows
    assert list(named(figure, "per timestep")[0].text) == columns
    assert notes(figure, "total") == ["Σ 13.80"]


@given(
    loss=arrays(np.float64, (3, 4), elements=st.floats(0.01, 5)),
    weights=arrays(np.float64, (3, 4), elements=st.sampled_from([0.0, 0.25, 1.0, 2.0])),
)
@settings(max_examples=30, deadline=None)
def test_equation_bars_add_up_to_the_numerator(loss, weights):
    logits = np.stack([-loss, np.log1p(-np.exp(-loss))], axis=2)
    analysis = analyze(Batch.from_arrays(logits=logits, targets=np.zeros((3, 4), int), weights=weights))
    figure = equation(analysis)
    numerator = float((loss * weights).sum())
    assert named(figure, "per sequence")[0].x.sum() == pytest.approx(numerator, abs=1e-9)
    assert named(figure, "per timestep")[0].y.sum() == pytest.approx(numerator, abs=1e-9)


FLAGS = {"average_across_timesteps": False, "average_across_batch": False}


@pytest.mark.parametrize(
    ("settings_", "line"),
    [
        ({}, "13.8000 ÷ <b>11</b> timesteps that count = <b>1.2545</b> nats"),
        ({"mask": "none"}, "14.5000 ÷ <b>15</b> timesteps that count = <b>0.9667</b> nats"),
        (
            {"reduction": "language_model"},
            "13.8000 ÷ <b>1</b> (nothing: the losses are summed) = <b>13.8000</b> nats",
        ),
        ({"reduction": "encoder_decoder"}, "13.8000 ÷ <b>3</b> sequences in the batch = <b>4.6000</b> nats"),
        (
            {"reduction": "positions"},
            "13.8000 ÷ <b>15</b> positions, padding included = <b>0.9200</b> nats",
        ),
        (
            {"reduction": "sequence_means"},
            "4.2600 (the sequences' means) ÷ <b>3</b> sequences = <b>1.4200</b> nats",
        ),
        (
            {"reduction": "timestep_means_sum"},
            (
                "5.6500 (the timesteps' means) ÷ <b>1</b> (nothing: the means of the timesteps are summed) = "
                "<b>5.6500</b> nats"
            ),
        ),
        (
            {"reduction": "micro_batch_means", "accumulation_steps": 1},
            "1.2545 (the micro-batches' means) ÷ <b>1</b> micro-batch = <b>1.2545</b> nats",
        ),
        (
            {"reduction": "sequence_loss", "average_across_batch": False},
            (
                "÷ timesteps that count of each sequence (<b>2 to 5</b>) = one number per sequence, "
                "<b>0.6000 to 2.3000</b> nats"
            ),
        ),
        (
            {"reduction": "sequence_loss", "average_across_timesteps": False},
            (
                "÷ timesteps that count at each timestep (<b>1 to 3</b>) = one number per timestep, "
                "<b>0.1000 to 2.2000</b> nats"
            ),
        ),
        (
            {"reduction": "sequence_loss", **FLAGS},
            (
                "÷ nothing: each timestep stays as it is (<b>1</b>) = one number per timestep of each sequence, "
                "<b>0.0000 to 4.0000</b> nats"
            ),
        ),
    ],
)
def test_equation_always_names_the_divisor(settings_, line):
    figure = checked(equation(golden().with_settings(Settings(**settings_))))
    assert notes(figure, "divisor") == [line]


@pytest.mark.parametrize(
    ("flags", "rows", "columns", "headings"),
    [
        ({"average_across_timesteps": True}, [6.8 / 5, 2.4 / 4, 4.6 / 2], [0] * 5, ["the numbers"]),
        ({"average_across_batch": True}, [0] * 3, [1.6, 1.0, 2.2, 0.75, 0.1], ["the numbers"]),
        ({}, [0] * 3, [0] * 5, []),
    ],
)
def test_equation_bars_of_several_results_are_those_results(flags, rows, columns, headings):
    """Not the sums that they were divided from; where no bar is a result, there is none."""
    settings = Settings(reduction="sequence_loss", **{**FLAGS, **flags})
    figure = checked(equation(golden().with_settings(settings)))
    [over_rows], [over_columns] = named(figure, "per sequence"), named(figure, "per timestep")
    np.testing.assert_allclose(over_rows.x, rows)
    np.testing.assert_allclose(over_columns.y, columns)
    assert [word for bars in (over_rows, over_columns) for word in bars.text if word] == [
        f"{number:.2f}" for number in (*rows, *columns) if number
    ]
    assert (notes(figure, "bars"), notes(figure, "total")) == (headings, [])


def test_equation_names_the_sum_of_fractional_weights():
    figure = equation(golden(lengths=None, weights=FRACTIONAL))
    assert notes(figure, "divisor") == ["11.3500 ÷ <b>10.5</b> (the sum of the weights) = <b>1.0810</b> nats"]


def test_equation_window_keeps_true_numbers_and_whole_sums():
    figure = checked(equation(golden(), window=(1, 3, 2, 4)))
    first = heatmaps(figure)[0]
    assert (first.x.tolist(), first.y.tolist()) == ([2, 3], [1, 2])
    np.testing.assert_allclose(first.z, LOSS[1:3, 2:4], rtol=1e-6)
    np.testing.assert_allclose(named(figure, "per sequence")[0].x, [2.4, 4.6])
    assert notes(figure, "divisor") == ["13.8000 ÷ <b>11</b> timesteps that count = <b>1.2545</b> nats"]
    assert figure.layout.meta["window"] == [1, 3, 2, 4]


def test_equation_cell_is_outlined_in_all_three():
    figure = checked(equation(golden(), cell=(1, 2)))
    shapes = [(s.xref, s.yref, s.x0, s.x1, s.y0, s.y1) for s in figure.layout.shapes if s.name == "cell"]
    assert shapes == [("x", y, 1.5, 2.5, 0.5, 1.5) for y in ("y", "y2", "y3")]
    assert figure.layout.meta == {"cell": [1, 2], "quantity": "loss", "window": [0, 3, 0, 5]}
    assert equation(golden()).layout.meta["cell"] is None


def test_equation_highlight_outlines_the_cells_in_all_three():
    cells = np.zeros((3, 5), bool)
    cells[1, 2] = True
    figure = checked(equation(golden(), highlight=cells))
    outlines = named(figure, "highlight")
    assert [(o.xaxis, o.yaxis) for o in outlines] == [("x", "y"), ("x", "y2"), ("x", "y3")]
    corners = {(float(x), float(y)) for x, y in zip(outlines[0].x, outlines[0].y, strict=True) if x == x}
    assert corners == {(1.5, 0.5), (2.5, 0.5), (1.5, 1.5), (2.5, 1.5)}
    assert notes(figure, "legend:highlight") == ["outlined timesteps"]
    assert named(equation(golden(), highlight=np.zeros((3, 5), bool)), "highlight") == []


def test_equation_words_fit_the_cells():
    batch = random_analysis(4, 10, vocabulary=["immediately", *"abcdef"], targets=np.zeros((4, 10), int))
    both, token = equation(batch, width=1000), equation(batch, width=800)
    assert named(both, "values")[0].text[0].startswith('imm… <span style="font-size:10.5px">')
    assert named(token, "values")[0].text[0] == "imme…"
    assert named(equation(batch, width=600), "values") == []


def test_equation_draws_no_words_beyond_24_cells():
    assert named(equation(random_analysis(2, 25), width=4000), "values") == []
    assert len(named(equation(random_analysis(2, 24), width=4000), "values")) == 2


def test_equation_shows_everything_under_the_pointer_while_that_is_cheap():
    first = heatmaps(equation(golden()))[0]
    np.testing.assert_allclose(first.customdata[0, 1, :3], [1.5, 1.0, 1.5], rtol=1e-6)
    assert first.text[0][1] == "target 3, first choice 3"
    large = heatmaps(equation(random_analysis(50, 41)))[0]
    assert large.customdata is None
    assert large.text is None


def test_equation_draws_many_sums_as_one_area():
    figure = checked(equation(random_analysis(2, 129, lengths=[129, 100])))
    (rows,), (columns,) = named(figure, "per sequence"), named(figure, "per timestep")
    assert (rows.type, columns.type, columns.fill, columns.line.shape) == ("bar", "scatter", "tozeroy", "hvh")
    assert columns.y.sum() == pytest.approx(rows.x.sum())

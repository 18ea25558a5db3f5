"""Quantities, scales, extreme shapes, empty batches and refused options of the equation."""

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze
from lossviz.errors import InputError
from lossviz.figures import QUANTITIES, equation
from tests.figures._cases import checked, golden, heatmaps, marked, named, notes, random_analysis


@pytest.mark.parametrize(
    ("quantity", "title", "sums"),
    [
        ("loss", "Batch loss × mask = unpadded loss, nats", True),
        ("probability", "Probability × mask = probability where it counts", False),
        ("entropy", "Entropy × mask = entropy where it counts, nats", False),
        ("rank", "Rank × mask = rank where it counts", False),
        ("gradient_norm", "Gradient norm × mask = gradient norm where it counts", False),
        ("share", "Share × mask = share where it counts", True),
    ],
)
def test_equation_quantity_has_bars_only_where_a_sum_means_something(quantity, title, sums):
    figure = checked(equation(golden(), quantity=quantity))
    assert figure.layout.title.text == title
    assert bool(named(figure, "per sequence")) == bool(notes(figure, "divisor")) == sums


def test_equation_scale_has_a_tick_at_a_uniform_guess():
    bar = equation(golden()).layout.coloraxis.colorbar
    assert dict(zip(bar.ticktext, bar.tickvals, strict=True))["1.79 = ln V,<br>a uniform guess"] == pytest.approx(
        np.log(6)
    )


def test_equation_scale_can_be_locked():
    figure = checked(equation(golden(), quantity=QUANTITIES["loss"].locked(0.5, 2)))
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0.5, 2)
    assert notes(figure, "legend:clipped") == ["clipped above 2.00", "clipped below 0.50"]


def test_equation_scale_of_probability_runs_the_other_way():
    axis = equation(golden(), quantity="probability").layout.coloraxis
    assert (axis.cmin, axis.cmax, axis.reversescale) == (0, 1, True)


def test_equation_keeps_zoom_and_has_no_template():
    layout = equation(golden()).layout
    assert layout.uirevision == "lossviz"
    assert layout.template.to_plotly_json() == {}


def test_equation_themes_differ_only_in_colour():
    light, dark = equation(golden()), equation(golden(), theme="dark")
    assert (light.layout.paper_bgcolor, dark.layout.paper_bgcolor) == ("#ffffff", "#0e1117")
    np.testing.assert_array_equal(heatmaps(light)[0].z, heatmaps(dark)[0].z)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 200), (200, 1)])
def test_equation_draws_extreme_shapes(rows, columns):
    figure = checked(equation(random_analysis(rows, columns)))
    assert heatmaps(figure)[2].z.shape == (rows, columns)


@pytest.mark.parametrize(("rows", "columns"), [(0, 4), (3, 0), (0, 0)])
def test_equation_of_nothing_says_what_to_do(rows, columns):
    figure = checked(equation(random_analysis(rows, columns)))
    assert len(figure.data) == 0
    assert notes(figure, "empty") == ["There is no timestep to draw. Type a sequence, open a file or choose a sample."]


def test_equation_draws_one_class():
    analysis = random_analysis(2, 3, classes=1, targets=np.zeros((2, 3), int), lengths=[3, 3])
    figure = checked(equation(analysis.with_settings(Settings(reduction="mean"))))
    np.testing.assert_array_equal(heatmaps(figure)[0].z, np.zeros((2, 3)))
    assert notes(figure, "divisor") == ["0.0000 ÷ <b>6</b> timesteps that count = <b>0.0000</b> nats"]


def test_equation_draws_a_batch_of_nan():
    figure = checked(equation(random_analysis(2, 3, logits=np.full((2, 3, 7), np.nan), lengths=[3, 3])))
    assert np.isnan(heatmaps(figure)[0].z).all()
    assert list(named(figure, "per sequence")[0].text) == ["NaN", "NaN"]
    assert notes(figure, "divisor") == ["NaN ÷ <b>6</b> timesteps that count = <b>NaN</b> nats"]


def test_equation_draws_a_batch_where_nothing_counts():
    figure = checked(equation(random_analysis(2, 3, lengths=[0, 0])))
    assert np.isnan(heatmaps(figure)[2].z).all()
    assert notes(figure, "divisor") == ["0.0000 ÷ <b>0</b> timesteps that count = <b>0.0000</b> nats"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"quantity": "losses"},
            (
                "`quantity` must be one of 'loss', 'probability', 'entropy', 'rank', 'gradient_norm', 'share'; "
                "got 'losses'. Did you mean 'loss'?"
            ),
        ),
        ({"theme": "Dark"}, "`theme` must be one of 'light', 'dark'; got 'Dark'. Did you mean 'dark'?"),
        (
            {"window": (0, 1, 0, 9)},
            "`window` must be (row0, row1, t0, t1) within 1 sequences × 6 timesteps, ends exclusive; got (0, 1, 0, 9).",
        ),
        ({"cell": (1, 0)}, "`cell` must lie in 1 sequences × 6 timesteps; got (1, 0)."),
        (
            {"highlight": np.zeros((6, 1))},
            "`highlight` must be bool of shape (1, 6), one per timestep; got float64 of shape (6, 1).",
        ),
    ],
)
def test_equation_refuses_what_does_not_exist(options, message):
    with pytest.raises(InputError) as error:
        equation(marked(), **options)
    assert str(error.value) == message


def test_locked_refuses_an_empty_scale():
    with pytest.raises(InputError) as error:
        QUANTITIES["loss"].locked(2, 2)
    assert str(error.value) == "`scale` must be two finite numbers, the lower first; got (2, 2)."


@pytest.mark.parametrize(
    ("high", "words"), [(1.4, "<br>{}"), (1e4, "{}<br>"), (3.0, "{}")], ids=["top", "end", "middle"]
)
def test_equation_scale_keeps_a_uniform_guess_beside_its_bar(high, words):
    """An empty line over or under the two of ln V keeps them away from what stands above and below."""
    analysis = analyze(Batch.from_arrays(logits=np.zeros((1, 2, 4)), targets=[[1, 2]]))
    bar = equation(analysis, quantity=QUANTITIES["loss"].locked(0, high)).layout.coloraxis.colorbar
    assert words.format("1.39 = ln V,<br>a uniform guess") in bar.ticktext


def test_equation_has_one_minus_sign_in_the_line_of_the_divisor():
    analysis = analyze(Batch.from_arrays(logits=np.zeros((1, 2, 4)), targets=[[1, 2]], weights=[[-0.5, -0.25]]))
    assert notes(equation(analysis), "divisor") == [
        "−1.0397 ÷ <b>−0.75</b> (the sum of the weights) = <b>1.3863</b> nats"
    ]


def test_equation_has_no_empty_words():
    """plotly.js takes the place of an empty word away, and the next picture lacks the word that stood there."""
    words = ["a", "b", "c", "immediately"]
    targets = np.arange(64)[None] % 4
    analysis = analyze(Batch.from_arrays(logits=np.zeros((1, 64, 4)), targets=targets, vocabulary=words))
    first = named(equation(analysis), "values")[0]
    assert list(first.text) == ["a", "b", "c"] * 16
    assert first.x.tolist() == [t for t in range(64) if t % 4 < 3]
    assert len(first.textfont.color) == 48

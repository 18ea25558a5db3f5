"""The colour scale: anchored at the loss of a uniform guess, or stretched over one batch; what stands on the mask."""

import numpy as np
import pytest

from lossviz import Batch, analyze
from lossviz.figures import QUANTITIES, equation
from lossviz.figures._core.scale import Scale
from lossviz.figures._core.style import FLIP, THEMES, luminance
from tests.figures._cases import golden, named
from tests.golden import FRACTIONAL, LOSS, TARGETS, golden_batch

PADDED = np.array([[0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 1, 1]], bool)


def test_equation_scale_is_anchored_at_a_uniform_guess():
    axis = equation(golden()).layout.coloraxis
    assert (axis.cmin, axis.cmax) == pytest.approx((0, np.log(6) + 5))
    assert axis.colorbar.title.text == "nats"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_equation_paints_a_loss_alike_whatever_the_mask_and_the_other_losses(theme):
    """Batches of six classes: the golden one, without its padding, without a mask, and one nearly certain."""
    certain = golden_batch(logits=np.eye(6)[TARGETS] * 40)
    batches = (golden_batch(), golden_batch(lengths=None), golden_batch(lengths=[1, 1, 1]), certain)
    axes = [equation(analyze(batch), theme=theme).layout.coloraxis for batch in batches]
    scales = [(axis.cmin, axis.cmax, axis.colorscale) for axis in axes]
    assert scales == scales[:1] * len(scales)


def test_equation_scale_is_the_page_at_0_blue_to_a_uniform_guess_and_brown_beyond():
    colours, guess = THEMES["light"], np.log(6) / (np.log(6) + 5)
    stops = dict(equation(golden()).layout.coloraxis.colorscale)
    ramp = [(guess * (step / 5) ** 2, colours.scale[step]) for step in range(6)]
    turn = guess + 0.5 / (np.log(6) + 5)
    beyond = [(turn + (1 - turn) * step / 3, colours.warm[5 + step]) for step in range(4)]
    expected = [*ramp, ((guess + turn) / 2, "#707070"), *beyond]
    assert list(stops) == pytest.approx([at for at, _ in expected])
    assert list(stops.values()) == [colour for _, colour in expected]


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("classes", [2, 6, 50_257])
def test_scale_has_a_readable_ink_on_every_colour(theme, classes):
    """Contrast of at least 4.45 : 1 along the whole anchored scale, mixed as plotly.js mixes it: in sRGB."""
    scale = Scale(0.0, np.log(classes) + 5, uniform=np.log(classes))
    stops = scale.colours(theme)
    at = np.linspace(0, 1, 400)
    channels = [
        np.interp(at, [stop for stop, _ in stops], [int(str(colour)[i : i + 2], 16) for _, colour in stops])
        for i in (1, 3, 5)
    ]
    far = scale.place(at * scale.high) >= FLIP
    for red, green, blue, dark in zip(*channels, far, strict=True):
        ground = luminance(f"#{round(red):02x}{round(green):02x}{round(blue):02x}")
        ink = luminance(theme.high_ink if dark else theme.low_ink)
        assert (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05) >= 4.45


def test_equation_scale_is_stretched_where_nobody_knows_how_many_classes_there_are():
    losses = np.array([[0.5, 1.0, 3.0]])
    analysis = analyze(Batch.from_arrays(targets=[[1, 2, 0]], losses=losses))
    axis = equation(analysis).layout.coloraxis
    assert (axis.cmin, axis.cmax) == (0, pytest.approx(min(3.0, losses.mean() + 3 * losses.std())))


def test_quantity_stretched_ends_three_sigma_above_the_mean_of_what_counts():
    counting = LOSS[~PADDED]
    scale = QUANTITIES["loss"].stretched(golden())
    assert (scale.low, scale.uniform) == (0, None)
    assert scale.high == pytest.approx(min(counting.max(), counting.mean() + 3 * counting.std()))


def test_scale_places_values_as_its_colours_do():
    """The place decides whether black or white reads on a cell, so it follows the same stops."""
    scale, theme = Scale(0.0, 7.0, uniform=2.0), THEMES["dark"]
    at = np.array([stop for stop, _ in scale.colours(theme)]) * 7
    expected = [*np.arange(6) / 8, 5 / 8, *np.arange(5, 9) / 8]
    np.testing.assert_allclose(scale.place(at), expected, atol=1e-12)
    assert np.isnan(scale.place(np.array([np.nan]))).all()


def test_mask_shows_0_and_1_where_they_fit():
    (words,) = named(equation(golden()), "weights")
    assert words.text == ("1",) * 9 + ("0",) + ("1",) * 2 + ("0",) * 3
    assert list(words.textfont.color) == [THEMES["light"].mark_ink[int(text)] for text in words.text]


def test_mask_shows_weights_as_numbers():
    (words,) = named(equation(golden(lengths=None, weights=FRACTIONAL)), "weights")
    assert words.text == tuple(f"{weight:.3g}" for weight in np.ravel(FRACTIONAL))


@pytest.mark.parametrize("shape", [(9, 4), (2, 200)], ids=["thin rows", "narrow columns"])
def test_mask_has_no_numbers_where_they_do_not_fit(shape):
    batch = Batch.from_arrays(logits=np.zeros((*shape, 3)), targets=np.zeros(shape, int))
    assert named(equation(analyze(batch)), "weights") == []

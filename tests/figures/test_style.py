"""Colours can be told apart: by contrast, in greyscale, and without green-sensitive cones."""

import numpy as np
import pytest

from lossviz.figures._core.style import FLIP, MARKS, THEMES, luminance

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.04294, 0.968881]]
)
both = pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))


def linear(colour):
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lightness(rgb):
    """CIELAB L* of linear RGB."""
    y = float(np.clip(rgb, 0, 1) @ (0.2126, 0.7152, 0.0722))
    return 116 * np.cbrt(y) - 16 if y > 216 / 24389 else y * 24389 / 27


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def along(theme, at):
    """The colour of the scale at a place from 0 to 1, as Plotly mixes it."""
    place = at * (len(theme.scale) - 1)
    index = min(int(place), len(theme.scale) - 2)
    ends = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in theme.scale[index : index + 2]]
    mixed = np.round(np.array(ends[0]) + (place - index) * (np.array(ends[1]) - np.array(ends[0]))).astype(int)
    return "#{:02x}{:02x}{:02x}".format(*mixed)


@both
def test_scale_starts_at_the_page(theme):
    assert theme.scale[0] == theme.page


@both
def test_scale_is_even_in_lightness(theme):
    steps = np.diff([lightness(linear(colour)) for colour in theme.scale])
    assert np.ptp(steps) < 0.15 * abs(steps.mean())


@both
def test_scale_keeps_its_order_without_green_cones(theme):
    steps = np.diff([lightness(DEUTERANOPIA @ linear(colour)) for colour in theme.scale])
    assert (steps * np.sign(steps[0]) > 2).all()


@both
def test_words_read_on_every_colour_of_the_scale(theme):
    for at in np.linspace(0, 1, 101):
        ink = theme.high_ink if at >= FLIP else theme.low_ink
        assert contrast(ink, along(theme, at)) >= 4.5


@both
def test_warm_scale_has_the_lightness_of_the_other(theme):
    """So a ratio and its inverse are equally strong, and words turn at the same place."""
    assert theme.warm[0] == theme.page
    warm, cold = ([lightness(linear(colour)) for colour in scale] for scale in (theme.warm, theme.scale))
    assert warm == pytest.approx(cold, abs=1)
    assert theme.diverging[0] == [0.0, theme.scale[-1]]
    assert theme.diverging[8] == [0.5, theme.page]
    assert theme.diverging[-1] == [1.0, theme.warm[-1]]


@both
def test_less_and_more_differ_without_green_cones(theme):
    for cold, warm in zip(theme.scale[2:], theme.warm[2:], strict=True):
        less, more = (DEUTERANOPIA @ linear(colour) for colour in (cold, warm))
        assert more[0] - more[2] > less[0] - less[2] + 0.08


@both
def test_words_read_on_every_warm_colour(theme):
    for at in np.linspace(0, 1, 9):
        ink = theme.high_ink if at >= FLIP else theme.low_ink
        assert contrast(ink, theme.warm[round(8 * at)]) >= 4.5


@both
def test_words_read_on_the_page_and_on_every_mark(theme):
    assert min(contrast(theme.text, theme.page), contrast(theme.muted, theme.page)) >= 4.5
    for mark, ground, ink in zip(MARKS, theme.marks, theme.mark_ink, strict=True):
        assert contrast(ink, ground) >= 4.5, mark.name


@both
def test_padding_differs_from_zero_in_greyscale(theme):
    assert abs(lightness(linear(theme.pad)) - lightness(linear(theme.page))) > 6
    assert abs(lightness(linear(theme.counts)) - lightness(linear(theme.pad))) > 25


@both
def test_target_differs_from_other_bars_without_green_cones(theme):
    target, bar = (DEUTERANOPIA @ linear(colour) for colour in (theme.target, theme.bar))
    assert np.abs(target - bar).max() > 0.25


def test_marks_are_one_each():
    assert len({m.glyph for m in MARKS}) == len({m.code for m in MARKS}) == len(MARKS)

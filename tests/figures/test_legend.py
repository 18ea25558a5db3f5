"""The labels of a colour bar: none lies over another, whatever the classes, the quantity and the size."""

from itertools import pairwise

import numpy as np
import pytest

from lossviz import Batch, analyze
from lossviz.figures import QUANTITIES, equation, grid, overview
from lossviz.figures._core.text import text_width
from lossviz.figures.runs.two_runs import two_runs

CLASSES = (2, 3, 6, 27, 115, 1000, 50_257, 200_000)
LINE, TITLE = 14.5, 20  # pixels, as a browser draws type of 11 px; the title over an upright bar is a part of it


def recorded(rows, columns=6):
    losses = np.random.default_rng(0).gamma(2, 1, (rows, columns))
    return analyze(Batch.from_arrays(losses=losses, targets=np.zeros((rows, columns), int)))


def extents(figure):
    """Where each label begins and ends along the bar, in pixels, from the low end."""
    axis = figure.layout.coloraxis
    bar = axis.colorbar
    upright = bar.orientation == "v"
    length = bar.len - TITLE * upright
    found = []
    for value, words in zip(bar.tickvals, bar.ticktext, strict=True):
        at, lines = (value - axis.cmin) / (axis.cmax - axis.cmin) * length, words.split("<br>")
        if upright:
            top = at + LINE * len(lines) / 2
            filled = [place for place, line in enumerate(lines) if line]
            found.append((top - LINE * (max(filled) + 1), top - LINE * min(filled)))
        else:
            half = max(text_width(line, 11) for line in lines) / 2
            found.append((at - half, at + half))
    return sorted(found), length, upright


def drawn():
    """Figures of every height and width, with the loss of every number of classes, and the other quantities."""
    quantities = [QUANTITIES["loss"].anchored(classes) for classes in CLASSES]
    quantities += [QUANTITIES["loss"].anchored(6).locked(0, high) for high in (1.8, 2.0, 7.0, 300.0)]
    quantities += [QUANTITIES["rank"].locked(1, 10**power) for power in (1, 3, 5)]
    quantities += [QUANTITIES["share"].locked(0, 0.0125), QUANTITIES["loss"], QUANTITIES["probability"]]
    for rows in (1, 3, 8, 24, 25, 64):
        analysis = recorded(rows)
        for quantity in quantities:
            for width in (360, 1000):
                yield f"equation {rows} {width} {quantity}", equation(analysis, quantity=quantity, width=width)
            yield f"overview {rows} {quantity}", overview(analysis, quantity=quantity)
        yield f"grid {rows}", grid(analysis)
        for classes in CLASSES:
            yield f"two runs {rows} {classes}", two_runs([analysis, analysis], classes=classes)


def test_no_two_labels_of_a_colour_bar_overlap():
    """Upright or lying; and none leaves the bar by more than half of its line."""
    for about, figure in drawn():
        found, length, upright = extents(figure)
        assert found, about
        assert all(end <= start for (_, end), (start, _) in pairwise(found)), about
        if upright:
            assert found[0][0] >= -LINE / 2 - 0.1, about
            assert found[-1][1] <= length + LINE / 2 + 0.1, about


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("rows", [1, 2, 30])
def test_a_uniform_guess_is_always_named(rows, classes):
    """On a bar of ten pixels it is the only label."""
    analysis = recorded(rows)
    for figure in (
        equation(analysis, quantity=QUANTITIES["loss"].anchored(classes)),
        two_runs([analysis, analysis], classes=classes),
    ):
        words = [text for text in figure.layout.coloraxis.colorbar.ticktext if "= ln V" in text]
        assert len(words) == 1
        assert words[0].replace("<br>", "").startswith(f"{np.log(classes):.2f} = ln V")

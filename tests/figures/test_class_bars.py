"""The likeliest classes of a timestep, with its target in its own colour and pattern."""

import numpy as np

from lossviz import Batch, analyze
from lossviz.figures import class_bars
from tests.figures._cases import checked, marked, notes

VOCABULARY = ["tea", "cup", "hat", "cat"]
LOGITS = np.log([[[1.0, 2.0, 4.0, 3.0]]])


def explanation(target=1):
    return analyze(Batch.from_arrays(logits=LOGITS, targets=[[target]], vocabulary=VOCABULARY)).explain(0, 0)


def test_class_bars_show_probabilities_in_order():
    target, others = checked(class_bars(explanation())).data
    assert (target.name, list(target.x), list(target.y)) == ("target", [0.2], [2])
    np.testing.assert_allclose(others.x, [0.4, 0.3, 0.1])
    assert (list(others.text), list(others.y)) == (["0.4000", "0.3000", "0.1000"], [0, 1, 3])


def test_class_bars_name_tokens_and_ids():
    layout = class_bars(explanation()).layout
    assert layout.title.text == "Sequence 0, timestep 0: the likeliest classes"
    assert layout.yaxis.ticktext == ("hat (2)", "cat (3)", "cup (1)", "tea (0)")
    assert layout.xaxis.title.text == "probability"
    assert layout.xaxis.range == (0, 1)


def test_class_bars_give_the_target_its_own_colour_and_pattern():
    target, others = class_bars(explanation(), theme="dark").data
    assert target.marker.color != others.marker.color
    assert (target.marker.pattern.shape, others.marker.pattern.shape) == ("/", "")


def test_class_bars_without_a_valid_target_show_the_others():
    figure = checked(class_bars(marked().explain(0, 4)))
    assert [bars.name for bars in figure.data] == ["other classes"]


def test_class_bars_without_probabilities_say_why():
    figure = checked(class_bars(marked().explain(0, 2)))
    assert len(figure.data) == 0
    assert notes(figure, "empty") == ["Some logits of this timestep are NaN or ±inf."]

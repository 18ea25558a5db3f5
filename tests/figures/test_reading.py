"""What a model read: a classifier's words and the timestep that is read, a decoder's inputs, characters."""

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze
from lossviz.analysis import Analysis
from lossviz.figures import QUANTITIES, equation
from tests.figures._cases import checked, heatmaps, named, notes

WORDS = ["<pad>", "<unk>", "not", "bad", "at", "all", "<b>"]
INPUTS = [[2, 3, 4, 5], [6, 1, 0, 0], [3, 0, 0, 0]]
LENGTHS = [4, 2, 1]
GATHERED = np.array([[0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]], bool)


def classifier(**changes: object) -> Analysis:
    fields = {
        "logits": np.linspace(-2, 2, 12).reshape(3, 4, 1),
        "targets": np.repeat([[1], [0], [1]], 4, axis=1),
        "lengths": LENGTHS,
        "inputs": INPUTS,
        "input_vocabulary": WORDS,
    }
    return analyze(Batch.from_arrays(**{**fields, **changes}), Settings(reduction="classification"))


def decoder(reduction: str = "encoder_decoder", rows: int = 2, **changes: object) -> Analysis:
    fields = {
        "logits": np.zeros((rows, 3, 5)),
        "targets": [[2, 3, 4], [3, 4, 0]] * (rows // 2),
        "inputs": [[1, 2, 3], [1, 3, 0]] * (rows // 2),
        "lengths": [3, 2] * (rows // 2),
        "vocabulary": ["<pad>", "<start>", "1", "9", "<stop>"],
        "pad_id": 0,
    }
    return analyze(Batch.from_arrays(**{**fields, **changes}), Settings(reduction=reduction))


def outlined(figure: object) -> list[set[tuple[float, float]]]:
    """The cells whose every corner lies on the outline, of each heatmap."""
    found = []
    for trace in named(figure, "highlight"):
        ends = set(zip(trace.x.tolist(), trace.y.tolist(), strict=True))
        cells = np.ndindex(3, 4)
        corners = {(b, t): {(t + x, b + y) for x in (-0.5, 0.5) for y in (-0.5, 0.5)} for b, t in cells}
        found.append({cell for cell, needed in corners.items() if needed <= ends})
    return found


def test_classifier_shows_the_loss_that_every_timestep_would_give_and_outlines_the_one_that_is_read():
    analysis = classifier()
    figure = checked(equation(analysis))
    first, mask, left = heatmaps(figure)
    logits, labels = analysis.batch.logits[..., 0], analysis.batch.targets
    everywhere = np.log1p(np.exp(logits)) - labels * logits
    np.testing.assert_allclose(first.z, everywhere, rtol=1e-6)
    np.testing.assert_array_equal(mask.z, GATHERED)
    np.testing.assert_allclose(left.z, np.where(GATHERED, everywhere, np.nan), rtol=1e-6)
    assert outlined(figure) == [set(map(tuple, np.argwhere(GATHERED).tolist()))] * 3
    assert notes(figure, "legend:highlight") == ["the timestep that is read"]


def test_classifier_has_a_scale_on_which_the_timesteps_that_are_not_read_differ():
    """Read are logits of 8, a loss of ln(1 + e⁻⁸); stretched, the scale goes to mean + 3σ of every real timestep."""
    logits = np.array([[1.0, 0.0, 2.0, 8.0], [0.5, 8.0, 3.0, 3.0], [8.0, 3.0, 3.0, 3.0]])
    analysis = classifier(logits=logits[..., None], targets=np.ones((3, 4), int))
    scale, first = QUANTITIES["loss"].stretched(analysis), heatmaps(checked(equation(analysis)))[0]
    real = np.arange(4) < np.array(LENGTHS)[:, None]
    loss = np.log1p(np.exp(-logits))
    assert (scale.low, scale.high) == pytest.approx((0, min(loss.max(), loss[real].mean() + 3 * loss[real].std())))
    assert np.nanmax(first.z) == pytest.approx(np.log(2))


def test_classifier_has_its_own_words():
    figure = equation(classifier())
    assert figure.layout.title.text == "Batch loss, if read × what is read = unpadded loss, nats"
    assert [m.name for m in heatmaps(figure)] == ["batch loss, if read", "what is read", "unpadded loss"]
    assert any("ln 2" in tick for tick in figure.layout.coloraxis.colorbar.ticktext)
    assert notes(figure, "swatch:pad") == ["–"]


def test_classifier_of_another_quantity_says_where_it_is_read():
    assert [m.name for m in heatmaps(equation(classifier(), quantity="entropy"))] == [
        "entropy, if read",
        "what is read",
        "entropy where it counts",
    ]


def test_classifier_has_the_words_that_it_read_in_its_cells():
    """A word that would be markup is text; padding is a dot."""
    first, left = named(equation(classifier()), "values")
    assert [text.split(" <span")[0] for text in first.text] == [
        *("not", "bad", "at", "all"),
        *("&lt;b&gt;", "&lt;unk&gt;", "·", "·"),
        *("bad", "·", "·", "·"),
    ]
    assert [text.split(" <span")[0] for text in left.text] == ["all", "&lt;unk&gt;", "bad"]


def test_classifier_without_inputs_has_its_label_in_the_cells():
    first, _ = named(equation(classifier(inputs=None, input_vocabulary=None)), "values")
    assert [text.split(" <span")[0] for text in first.text] == ["1"] * 4 + ["0"] * 4 + ["1"] * 4


def test_classifier_under_the_pointer_has_label_word_and_what_each_half_has_seen():
    lines = heatmaps(equation(classifier()))[0].text
    assert [lines[0][0], lines[1][1], lines[1][2]] == [
        "label 1, first choice 0<br>read not (2)<br>a BiLSTM has seen 1 forwards, 4 backwards",
        "label 0, first choice 0<br>read &lt;unk&gt; (1)<br>a BiLSTM has seen 2 forwards, 1 backwards",
        "label 0, first choice 1<br>read &lt;pad&gt; (0)",
    ]


def test_classifier_outlines_something_else_if_asked():
    cells = np.zeros((3, 4), bool)
    cells[0, 0] = True
    figure = equation(classifier(), highlight=cells)
    assert outlined(figure) == [{(0, 0)}] * 3
    assert notes(figure, "legend:highlight") == ["outlined timesteps"]


def test_decoder_inputs_stand_under_what_it_must_say_in_the_first_heatmap():
    figure = checked(equation(decoder()))
    first, left = named(figure, "values")
    assert [text.partition("<br>")[2] for text in first.text] == [
        f'<span style="font-size:9px">{word}</span>' if word else ""
        for word in ("&lt;start&gt;", "1", "9", "&lt;start&gt;", "9", "")
    ]
    assert not any("<br>" in text for text in left.text)
    assert notes(figure, "legend:reads") == ["below, in small: what the decoder read"]


@pytest.mark.parametrize(
    "analysis",
    [decoder("language_model"), decoder(inputs=None), decoder(rows=26)],
    ids=["language model", "no inputs", "side by side"],
)
def test_decoder_inputs_are_only_where_they_help_and_fit(analysis: Analysis):
    figure = equation(analysis)
    assert notes(figure, "legend:reads") == []
    assert not any("<br>" in text for trace in named(figure, "values") for text in trace.text)


def test_inputs_are_under_the_pointer_in_every_batch_that_has_them():
    lines = heatmaps(equation(decoder("mean")))[0].text
    assert lines[0][1] == "target 9 (3), first choice &lt;pad&gt; (0)<br>read 1 (2)"
    assert heatmaps(equation(decoder(inputs=None)))[0].text[0][1] == "target 9 (3), first choice &lt;pad&gt; (0)"


def test_characters_stand_in_narrow_cells():
    """As long as nearly all of them fit."""
    fields = {"logits": np.zeros((2, 40, 4)), "targets": np.tile([1, 2, 1, 1], (2, 10))}
    letters = equation(analyze(Batch.from_arrays(**fields, vocabulary=["<pad>", "a", "b", "c"])))
    assert list(named(letters, "values")[0].text[:4]) == ["a", "b", "a", "a"]
    words = equation(analyze(Batch.from_arrays(**fields, vocabulary=["<pad>", "alpha", "b", "c"])))
    assert named(words, "values") == []

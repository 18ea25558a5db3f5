"""The picture that needs no loss."""

import numpy as np

from lossviz import Batch
from lossviz.figures import equation, mask
from tests.figures._cases import checked, golden


def words(figure):
    return [text for trace in figure.data if trace.name == "tokens" for text in trace.text]


def test_mask_shows_what_counts_and_how_much():
    figure = checked(mask(golden().batch))
    assert figure.data[0].z.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]
    assert figure.layout.title.text == "Which timesteps count: 11 of 15"
    assert words(figure) == ["2", "3", "4", "5", "1", "3", "0", "4", "1", "4", "1"]


def test_mask_follows_the_mask_that_is_asked_for():
    figure = checked(mask(golden().batch, name="none"))
    assert figure.layout.title.text == "Which timesteps count: 15 of 15"


def test_mask_escapes_tokens():
    batch = Batch.from_arrays(
        logits=np.zeros((1, 2, 2)), targets=[[0, 1]], vocabulary=["<b>x</b>", "<script>alert(1)</script>"]
    )
    assert all("<" not in word for word in words(checked(mask(batch))))


def test_mask_of_a_large_batch_shows_its_corner_without_words():
    figure = checked(
        mask(Batch.from_arrays(logits=np.zeros((100, 200, 2), np.float32), targets=np.zeros((100, 200), int)))
    )
    assert figure.data[0].z.shape == (24, 64)
    assert words(figure) == []
    assert figure.layout.title.text == "Which timesteps count: 20,000 of 20,000 (the first 24 × 64 are drawn)"


def test_mask_of_an_empty_batch_says_what_to_do():
    figure = checked(mask(Batch.from_arrays(logits=np.zeros((0, 3, 2)), targets=np.zeros((0, 3), int))))
    assert figure.layout.annotations[0].text.startswith("There is no timestep to draw.")


def test_rows_of_the_mask_are_as_high_as_those_of_the_equation_that_takes_its_place():
    analysis = golden()
    first, then = mask(analysis.batch, width=900), equation(analysis, width=900)
    heights = [figure.layout.height * np.ptp(figure.layout.yaxis.domain) for figure in (first, then)]
    np.testing.assert_allclose(*heights)
    tops = [figure.layout.height * (1 - figure.layout.yaxis.domain[1]) for figure in (first, then)]
    np.testing.assert_allclose(*tops)

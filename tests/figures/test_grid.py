"""One heatmap of the equation by itself: it says no more than its cells do."""

import numpy as np
import pytest

from lossviz import Batch, analyze
from lossviz.errors import InputError
from lossviz.figures import grid
from lossviz.settings import Settings
from tests.figures._cases import checked, golden, heatmaps, hostile, named, spec_words


def test_grid_of_losses_shows_the_padding_too():
    [shades] = heatmaps(checked(grid(golden())))
    np.testing.assert_allclose(shades.z, golden().batch_loss, rtol=1e-6)


def test_grid_of_what_is_left_shows_padding_as_padding():
    figure = checked(grid(golden(), part="unpadded"))
    assert np.isnan(heatmaps(figure)[0].z).tolist() == (~golden().mask).tolist()
    assert list(named(figure, "pad")[0].text) == ["pad"] * 4


def test_grid_of_targets_has_no_numbers():
    figure = checked(grid(golden(), part="targets"))
    assert list(named(figure, "tokens")[0].text[:5]) == ["2", "3", "4", "5", "1"]
    assert heatmaps(figure)[0].z.max() == 0
    assert not [word for word in spec_words(figure) if "0.7" in word or "nats" in word]


@pytest.mark.parametrize("part", ["targets", "losses", "unpadded"])
def test_grid_gives_nothing_away_under_the_pointer(part):
    """Weight, share and probability would answer the question that stands beside it."""
    figure = grid(golden(), part=part)
    assert not [word for word in spec_words(figure) if "weight" in word or "share" in word or "÷" in word]


def test_grid_of_a_classifier_shows_words_and_not_what_is_read():
    batch = Batch.from_arrays(
        logits=np.zeros((1, 3, 1)), targets=[[1, 1, 1]], inputs=[[1, 2, 0]], input_vocabulary=["-", "good", "film"],
        lengths=[2],
    )  # fmt: skip
    analysis = analyze(batch, Settings(reduction="classification"))
    assert list(named(grid(analysis, part="targets"), "tokens")[0].text) == ["good", "film", "-"]
    assert named(grid(analysis), "highlight") == []


def test_grid_outlines_a_cell_and_escapes_tokens():
    assert len(named(grid(golden(), cell=(0, 1)), "cell")) == 1
    assert all("<script>" not in word for word in spec_words(grid(hostile(), part="targets")))


def test_grid_of_nothing_and_of_an_unknown_part():
    empty = analyze(Batch.from_arrays(logits=np.zeros((0, 3, 2)), targets=np.zeros((0, 3), int)))
    assert checked(grid(empty)).layout.annotations[0].text.startswith("There is no timestep")
    with pytest.raises(InputError) as refused:
        grid(golden(), part="mask")
    assert str(refused.value) == "`part` must be one of 'targets', 'losses', 'unpadded'; got 'mask'."

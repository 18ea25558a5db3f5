"""What each timestep weighs: ratios, words, colours around 1, parts with their names and lines."""

import numpy as np
import pytest

from lossviz import Batch, analyze
from lossviz.errors import InputError
from lossviz.figures import split_weights
from lossviz.figures._core.style import THEMES
from lossviz.splits import Cut, cut_evenly, cut_typed
from tests.figures._cases import checked, golden, marked, named, notes, random_analysis

ONE_TWO = cut_typed("micro-batches", 3, "1, 2")


def ratios(figure):
    return np.asarray(named(figure, "ratio")[0].customdata)


def words(figure):
    return [text for name in ("near", "far") for trace in named(figure, name) for text in trace.text]


def test_split_weights_holds_the_ratio_of_each_timestep():
    """11/10 in the part of 5, 11/12 in the part of 6, nothing where nothing counts; colours by log₂."""
    figure = checked(split_weights(golden(), cut=ONE_TWO))
    mask = golden().mask
    expected = np.where(mask, np.array([[1.1], [11 / 12], [11 / 12]]), np.nan)
    assert ratios(figure) == pytest.approx(expected, rel=1e-6, nan_ok=True)
    assert np.asarray(named(figure, "ratio")[0].z) == pytest.approx(np.log2(expected), rel=1e-6, nan_ok=True)
    assert sorted(words(figure)) == ["× 0.92"] * 6 + ["× 1.10"] * 5
    assert np.asarray(named(figure, "marks")[0].z).tolist() == (~mask).astype(int).tolist()
    assert list(named(figure, "pad")[0].text) == ["pad"] * 4


def test_split_weights_says_the_parts_and_both_numbers():
    figure = checked(split_weights(golden(), cut=ONE_TWO))
    assert (
        figure.layout.title.text
        == "What a timestep weighs in the mean of 2 micro-batch means, compared with dividing once"
    )
    assert notes(figure, "part") == ["micro-batch 0: 6.8000 ÷ 5 = 1.3600", "micro-batch 1: 7.0000 ÷ 6 = 1.1667"]
    assert notes(figure, "numbers") == ["Mean of means <b>1.2633</b> nats, divided once <b>1.2545</b> nats"]
    assert notes(figure, "legend:pad") == ["does not count"]
    assert [shape.name for shape in figure.layout.shapes] == ["boundary"]


def test_split_weights_names_chunks_under_their_timesteps():
    figure = checked(split_weights(golden(), cut=cut_evenly("chunks", 5, 2)))
    assert notes(figure, "part") == ["chunk 0: 12.2000 ÷ 8 = 1.5250", "chunk 1: 1.6000 ÷ 3 = 0.5333"]
    assert notes(figure, "numbers") == ["Mean of means <b>1.0292</b> nats, divided once <b>1.2545</b> nats"]
    [line] = figure.layout.shapes
    assert line.x0 == line.x1


def test_split_weights_names_every_run_of_a_scattered_part():
    figure = checked(split_weights(golden(), cut=Cut("ranks", ((0, 2), (1,)))))
    assert [text.split(":")[0] for text in notes(figure, "part")] == ["rank 0", "rank 1", "rank 0"]
    assert len(figure.layout.shapes) == 2


@pytest.mark.parametrize("theme", list(THEMES))
def test_split_weights_diverges_evenly_around_the_same_weight(theme):
    figure = checked(split_weights(golden(), cut=ONE_TWO, theme=theme))
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmax) == (-np.log2(1.25), np.log2(1.25))
    assert [list(stop) for stop in axis.colorscale] == THEMES[theme].diverging
    assert list(axis.colorbar.ticktext) == ["× 0.8", "× 0.91", "the same", "× 1.1", "× 1.25"]
    assert axis.colorbar.title.text == "weighs less, or more, than when divided once"
    assert figure.layout.paper_bgcolor == THEMES[theme].page


def test_split_weights_of_equal_parts_is_the_page_everywhere():
    figure = checked(split_weights(golden(lengths=[4, 4, 4]), cut=cut_evenly("ranks", 3, 3)))
    assert set(words(figure)) == {"× 1"}
    assert np.nanmax(np.abs(np.asarray(named(figure, "ratio")[0].z))) == 0


def test_split_weights_shows_a_part_in_which_nothing_counts():
    figure = checked(split_weights(golden(lengths=[5, 0, 2]), cut=cut_evenly("ranks", 3, 3)))
    assert notes(figure, "part")[1] == "rank 1: 0.0000 ÷ 0 = NaN"
    assert np.isnan(ratios(figure)[1]).all()


def test_split_weights_of_a_large_batch_draws_one_of_several():
    """The rows that are drawn are the true ones, and names never lie on each other."""
    analysis = random_analysis(600, 40, 2)
    figure = checked(split_weights(analysis, cut=cut_evenly("ranks", 600, 200)))
    grid = named(figure, "ratio")[0]
    assert np.asarray(grid.z).shape == (200, 40)
    assert list(grid.y[:3]) == [0, 3, 6]
    assert figure.layout.title.text.endswith("dividing once (one of 3 sequences is drawn)")
    heights = [note.y * figure.layout.height for note in figure.layout.annotations if note.name == "part"]
    assert min(-np.diff(heights)) >= 15.9
    assert words(figure) == []


def test_split_weights_of_fractional_weights_is_of_their_sums():
    analysis = analyze(
        Batch.from_arrays(logits=np.zeros((2, 2, 3)), targets=[[1, 2], [1, 2]], weights=[[2, 1], [0.5, 0]])
    )
    figure = checked(split_weights(analysis))
    assert ratios(figure) == pytest.approx(np.array([[3.5 / 6, 3.5 / 6], [3.5, np.nan]]), rel=1e-6, nan_ok=True)
    assert list(named(figure, "pad")[0].text) == ["off"]


def test_split_weights_of_losses_that_are_nan_still_shows_what_weighs_what():
    figure = checked(split_weights(marked(), cut=cut_evenly("chunks", 6, 2)))
    assert notes(figure, "numbers") == ["Mean of means <b>NaN</b> nats, divided once <b>NaN</b> nats"]
    assert ratios(figure)[0] == pytest.approx([5 / 6, 5 / 6, 5 / 6, 1.25, 1.25, np.nan], rel=1e-6, nan_ok=True)


def test_split_weights_of_an_empty_batch_says_what_to_do():
    empty = analyze(Batch.from_arrays(logits=np.zeros((0, 3, 2)), targets=np.zeros((0, 3), int)))
    assert notes(checked(split_weights(empty)), "empty")[0].startswith("There is no timestep to draw.")


def test_split_weights_refuses_a_cut_of_another_batch():
    with pytest.raises(InputError) as caught:
        split_weights(golden(), cut=cut_evenly("ranks", 4, 2))
    assert str(caught.value) == "`cut` must hold the 3 sequences of the batch; got one of 4. Cut it anew."

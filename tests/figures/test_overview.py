"""A batch of any size as one small heatmap: the worst of what counts, true numbers, marks kept."""

import numpy as np
import pytest

from lossviz import Batch, Settings
from lossviz.analysis._analysis import _assemble
from lossviz.figures import overview, window_outline
from lossviz.masking import resolve_mask
from lossviz.timesteps import Timesteps
from tests.figures._cases import checked, golden, heatmaps, marked, named, notes, random_analysis
from tests.golden import LOSS


def big(rows, columns, lengths=None, loss=None):
    """An analysis of that size without its logits: V = 1, and the losses as given."""
    random = np.random.default_rng(0)
    batch = Batch.from_arrays(
        logits=np.zeros((rows, columns, 1), np.float32),
        targets=np.zeros((rows, columns), np.int64),
        lengths=np.full(rows, columns) if lengths is None else lengths,
    )
    numbers = Timesteps.empty(rows, columns)
    for name in ("loss", "probability", "entropy", "gradient_norm"):
        getattr(numbers, name)[:] = random.gamma(2, 1, (rows, columns)) if loss is None or name != "loss" else loss
    numbers.rank[:], numbers.non_finite[:] = 1, 0
    return _assemble(batch, Settings(), resolve_mask(batch, None), numbers)


def grid(figure):
    return next(trace for trace in figure.data if trace.meta)


def test_overview_of_a_small_batch_is_the_unpadded_loss():
    figure = checked(overview(golden()))
    shown = grid(figure)
    padded = np.arange(5) >= np.array([[5], [4], [2]])
    np.testing.assert_allclose(shown.z, np.where(padded, np.nan, LOSS), rtol=1e-6)
    assert figure.layout.title.text == "Unpadded loss, nats: each cell is one timestep"
    assert heatmaps(figure) == []


def test_overview_keeps_the_largest_of_each_block():
    analysis = big(700, 1500)
    shown = grid(overview(analysis))
    assert shown.meta == {"select": True, "covers": [3, 3]}
    assert shown.z.shape == (234, 500)
    expected = np.pad(analysis.unpadded_loss, ((0, 2), (0, 0))).reshape(234, 3, 500, 3).max(axis=(1, 3))
    np.testing.assert_allclose(shown.z, expected.astype(np.float32))


def test_overview_of_probability_keeps_the_smallest():
    analysis = big(512, 1024)
    figure = overview(analysis, quantity="probability")
    expected = analysis.probability.reshape(256, 2, 512, 2).min(axis=(1, 3))
    np.testing.assert_allclose(grid(figure).z, expected.astype(np.float32))
    assert figure.layout.title.text == "Probability: each cell covers 2 × 2 timesteps, the smallest is shown"


def test_overview_of_four_million_timesteps_is_one_small_heatmap():
    figure = checked(overview(big(2048, 2048, lengths=np.arange(2048)), window=(0, 16, 32, 64)))
    shown = grid(figure)
    assert (shown.z.shape, shown.z.dtype.name) == ((256, 512), "float32")
    assert (shown.x[0], shown.x[-1], shown.y[0], shown.y[-1]) == (1.5, 2045.5, 3.5, 2043.5)
    assert figure.layout.xaxis.range == (-0.5, 2047.5)
    assert figure.layout.yaxis.range == (2047.5, -0.5)
    assert figure.layout.title.text == "Unpadded loss, nats: each cell covers 8 × 4 timesteps, the largest is shown"


def test_overview_outlines_the_window():
    figure = overview(golden(), window=(1, 2, 0, 4))
    (shape,) = figure.layout.shapes
    assert (shape.name, shape.x0, shape.x1, shape.y0, shape.y1) == ("window", -0.5, 3.5, 0.5, 1.5)
    assert len(overview(golden()).layout.shapes) == 0
    assert shape.to_plotly_json() == window_outline((1, 2, 0, 4))  # what moves over an overview that stays


def test_overview_is_grey_only_where_nothing_counts():
    figure = checked(overview(big(512, 1024, lengths=np.r_[np.zeros(511, int), 3])))
    (codes,) = named(figure, "marks")
    assert np.argwhere(codes.z == 0).tolist() == [[255, 0], [255, 1]]
    assert grid(figure).customdata[255, :3].tolist() == [50, 25, 0]
    assert notes(figure, "legend:pad") == ["does not count"]


def test_overview_keeps_a_single_nan_of_a_million():
    loss = np.ones((512, 2048))
    loss[300, 1000] = np.nan
    loss[301, 40] = np.inf
    figure = checked(overview(big(512, 2048, loss=loss)))
    (codes,) = named(figure, "marks")
    assert {(*at, int(codes.z[tuple(at)])) for at in np.argwhere(codes.z).tolist()} == {(150, 250, 2), (150, 10, 3)}
    assert notes(figure, "legend:nan") == ["not a number"]


def test_overview_hides_what_is_wrong_under_the_mask():
    loss = np.ones((512, 1024))
    loss[:, 1000:] = np.nan
    figure = overview(big(512, 1024, lengths=np.full(512, 1000), loss=loss))
    assert set(np.unique(named(figure, "marks")[0].z).tolist()) == {0, 1}


def test_overview_marks_invalid_timesteps():
    assert named(overview(marked()), "marks")[0].z.tolist() == [[0, 0, 2, 3, 5, 1]]


@pytest.mark.parametrize(("rows", "columns"), [(0, 4), (3, 0)])
def test_overview_of_nothing_says_what_to_do(rows, columns):
    figure = overview(random_analysis(rows, columns))
    assert notes(figure, "empty") == ["There is no timestep to draw. Type a sequence, open a file or choose a sample."]


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 2000), (2000, 1)])
def test_overview_draws_extreme_shapes(rows, columns):
    figure = checked(overview(big(rows, columns)))
    np.testing.assert_allclose(np.nanmax(grid(figure).z), big(rows, columns).unpadded_loss.max(), rtol=1e-6)

"""A reduction's value comes from sums over parts, its picture from coefficients [B, T]: both are the same formula."""

import numpy as np
import pytest

from lossviz import Batch, analyze, identify
from lossviz.identification._context import Context
from lossviz.identification._hypothesis import arrays_of
from lossviz.identification._partition import Totals, by_columns, by_rows, in_runs
from lossviz.identification._search import Search
from lossviz.reductions import Options
from tests.golden import golden_batch


def test_identify_values_are_the_sums_of_coefficients_times_losses():
    random = np.random.default_rng(0)
    batch = Batch.from_arrays(
        logits=random.normal(0, 1, (4, 11, 6)), targets=random.integers(0, 6, (4, 11)), lengths=[11, 7, 4, 9], pad_id=0
    )
    search = Search(Context(analyze(batch), Options(accumulation_steps=3, world_size=2)))
    losses, masks, reductions, _ = search.components
    assert len(reductions) > 60
    for index in range(len(reductions)):
        for mask in range(len(masks)):
            place = (0, mask, index, 0)
            if search.grid.tiers[place] >= 0:
                coefficients, counts = arrays_of(search.grid.at(place))
                total = (coefficients * losses[0].values)[counts].sum()
                assert search.grid.values[place][0] == pytest.approx(total, rel=1e-9, abs=1e-12)


def test_identify_sums_of_parts_keep_what_is_not_finite_in_its_part():
    array = np.arange(12.0).reshape(3, 4)
    array[1, 2] = np.nan
    totals = Totals(array)
    for partition in (by_rows((3, 4), np.array([0, 1, 0])), by_columns((3, 4), np.array([0, 0, 1, 1]))):
        labels = np.broadcast_to(partition.labels, array.shape)
        expected = [array[labels == part].sum() for part in range(partition.parts)]
        np.testing.assert_array_equal(totals.over(partition), expected)
    runs = in_runs((3, 4), np.array([0, 5, 8]))
    np.testing.assert_array_equal(totals.over(runs), [10, np.nan, 38])
    np.testing.assert_array_equal(runs.labels.ravel(), [0] * 5 + [1] * 3 + [2] * 4)


def test_identify_computes_a_picture_when_it_is_asked_for():
    [match] = identify(golden_batch(), "0.9200")
    assert match.coefficients.shape == (3, 5)
    assert match.coefficients is match.coefficients
    assert match.cells.sum() == 11


def test_identify_a_boolean_mask_in_tensorflow_makes_ones_of_the_losses():
    """TensorFlow 2.21: `loss * mask` of a boolean mask is boolean itself: its sum is 4.0 instead of 13.8."""
    import tensorflow as tf

    batch = golden_batch()
    analysis = analyze(batch)
    product = tf.constant(analysis.batch_loss, tf.float32) * tf.constant(analysis.mask)
    assert product.dtype == tf.bool
    assert float(tf.reduce_sum(tf.cast(product, tf.float32))) == 4.0
    found = [match for match in identify(batch, "4.0") if match.codes == ("NUM10", "C01")]
    assert [match.value for match in found] == [4.0]

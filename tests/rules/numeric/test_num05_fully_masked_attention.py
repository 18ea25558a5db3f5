"""NUM05: attention without a key."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.rules.asking import finding, good, losses, places, sample, silent

NAN = np.nan
PADDING = [(0, 4), (0, 5), (2, 5)]


def broken(*cells, **more):
    logits = good().logits.copy()
    for cell in cells:
        logits[cell] = NAN
    return good(logits=logits, **more)


def left_padded(*cells):
    """The same sequences, padded on the left, masked by weights."""
    batch = good()
    turned = {name: np.array(getattr(batch, name)) for name in ("logits", "targets", "inputs")}
    for row, length in enumerate(batch.lengths):
        for values in turned.values():
            values[row] = np.roll(values[row], 6 - length, axis=0)
    for cell in cells:
        turned["logits"][cell] = NAN
    counts = np.arange(6) >= 6 - batch.lengths[:, None]
    return good(**turned, lengths=None, weights=counts)


def test_num05_the_softmax_of_nothing_is_nan():
    nothing = [-np.inf] * 3
    assert np.isnan(tf.nn.softmax(nothing).numpy()).all()
    q = torch.ones(1, 1, 2)
    keys = torch.zeros(1, 1, dtype=torch.bool)
    out = torch.nn.functional.scaled_dot_product_attention(q, q, q, attn_mask=keys)
    assert out.tolist() == [[[0.0, 0.0]]]


def test_num05_finds_all_padding():
    found = finding("NUM05", broken(*PADDING))
    assert found.message == "All logits of the padding (3 timesteps) are NaN: the attention had no key to attend to."
    assert found.severity == "error"
    assert places(found.cells) == PADDING
    assert found.evidence == {"timesteps under the mask": 3, "NaN logits": 24}
    assert not found.repaired.logits[found.cells].any()
    counts = np.arange(6) < good().lengths[:, None]
    assert found.loss_if_fixed == pytest.approx(losses(good())[counts].mean())
    assert silent("NUM05", found.repaired)


def test_num05_finds_padding_before_the_sequences():
    found = finding("NUM05", left_padded((0, 0), (0, 1), (2, 0)))
    assert found.message == (
        "All logits of the padding before the sequences (3 timesteps) are NaN: the attention had no key to attend to."
    )
    assert places(found.cells) == [(0, 0), (0, 1), (2, 0)]


def test_num05_finds_empty_sequences():
    found = finding("NUM05", broken((2,), lengths=[4, 6, 0]))
    assert found.message == (
        "All logits of every empty sequence (6 timesteps) are NaN: the attention had no key to attend to."
    )
    assert places(found.cells) == [(2, t) for t in range(6)]


def test_num05_is_silent_for_some_of_the_padding_or_some_of_the_classes():
    assert silent("NUM05", broken((0, 5)))
    assert silent("NUM05", broken(*PADDING[:2]))
    assert silent("NUM05", broken(*PADDING[:2], (2, 5, 3)))
    infinite = good().logits.copy()
    infinite[0, 4:], infinite[2, 5] = -np.inf, -np.inf
    assert silent("NUM05", good(logits=infinite))
    assert silent("NUM05", good())


def test_num05_is_silent_where_the_model_diverged():
    assert silent("NUM05", broken(*PADDING, (1, 3)))
    assert silent("NUM05", good(logits=np.full((3, 6, 8), NAN)))


def test_num05_sample_is_repaired():
    assert silent("NUM05", finding("NUM05", sample("NUM05")).repaired)

"""NUM09: NaN where it counts."""

import math

import numpy as np
import pytest

from lossviz import diagnose
from lossviz.batch import Batch
from lossviz.samples import load_sample
from tests.rules.asking import finding, good, places, silent


def with_nan(*cells, value=np.nan):
    batch = good()
    logits = np.array(batch.logits)
    for row, timestep in cells:
        logits[row, timestep] = value
    return batch.replace(logits=logits)


def test_num09_says_where_the_first_one_is():
    found = finding("NUM09", with_nan((1, 2), (1, 3)))
    assert found.severity == "error"
    assert (
        found.message
        == "2 of 15 timesteps that count have NaN logits, first in sequence 1 at timestep 2: the number is NaN."
    )
    assert places(found.cells) == [(1, 2), (1, 3)]
    assert found.evidence == {"timesteps that count": 15, "of them NaN": 2, "sequences that hold one": 1}
    assert (found.repaired, found.loss_if_fixed) == (None, None)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_num09_counts_one_timestep_whose_softmax_is_nan(value):
    batch = with_nan((0, 0), value=value)
    assert finding("NUM09", batch).message == (
        "1 of 15 timesteps that count has NaN logits, first in sequence 0 at timestep 0: the number is NaN."
    )


def test_num09_finds_a_single_nan_among_sound_logits():
    logits = np.array(good().logits)
    logits[2, 1, 3] = np.nan
    assert places(finding("NUM09", good(logits=logits)).cells) == [(2, 1)]


def test_num09_finds_a_model_that_is_nan_throughout():
    batch = Batch.from_arrays(**load_sample("logits-all-nan"))
    diagnosis = diagnose(batch)
    assert math.isnan(diagnosis.analysis.value)
    count = int(diagnosis.analysis.mask.sum())
    assert [each.code for each in diagnosis.findings if each.severity == "error"] == ["NUM09"]
    assert diagnosis.findings[0].message == f"All {count} timesteps that count have NaN logits: the number is NaN."


def test_num09_is_silent_where_nan_does_not_count():
    assert silent("NUM09", good())
    assert silent("NUM09", with_nan((0, 5)))  # that is NUM01's
    assert finding("NUM01", with_nan((0, 5))) is not None


def test_num09_leaves_impossible_classes_alone():
    logits = np.array(good().logits)
    logits[:, :, 7] = -np.inf
    targets = np.where(good().targets == 7, 6, good().targets)
    assert silent("NUM09", good(logits=logits, targets=targets))

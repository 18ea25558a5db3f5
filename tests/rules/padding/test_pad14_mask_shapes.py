"""PAD14: masks of one batch that differ in shape."""

import numpy as np
import pytest

from lossviz import analyze
from lossviz.rules._core.case import Case
from lossviz.rules.padding.pad14_mask_shapes import shapes_of
from tests.rules.pad_cases import PASSED, batch_of, cells_of, finding_of, outcome_of

ANSWER = 3
"""The token that stands before every answer."""


def test_pad14_names_a_prefix_a_suffix_and_holes():
    weights = [[1, 1, 1, 0], [0, 0, 1, 1], [0, 1, 0, 1]]
    batch = batch_of([[5, 6, 7, 8]] * 3, weights=weights)
    assert shapes_of(Case(analyze(batch))) == ["prefix", "suffix", "holes"]
    finding = finding_of("PAD14", batch)
    assert finding.severity == "info"
    assert finding.message == "The 3 masks differ in shape: 1 covers the beginning, 1 covers the end, 1 has holes."
    assert finding.evidence == {"prefix": 1, "suffix": 1, "holes": 1}
    assert finding.cells.tolist() == [[False] * 4, [False, False, True, True], [False, True, False, True]]
    assert finding.repaired is None


def test_pad14_shows_the_minority():
    weights = [[0, 0, 1, 1, 0], [1, 1, 1, 1, 1], [0, 1, 1, 0, 0]]
    batch = batch_of([[5, 6, 7, 1, 0], [5, 6, 7, 8, 1], [5, 6, 1, 0, 0]], weights=weights, pad_id=0)
    finding = finding_of("PAD14", batch)
    assert finding.message == ("The 3 masks differ in shape: 1 covers its whole sequence, 2 cover the end.")
    assert finding.cells.tolist() == [[False] * 5, [True] * 5, [False] * 5]


def test_pad14_knows_ignored_labels_and_windows():
    batch = batch_of([[-100, 5, 6, -100], [5, 6, 7, 8]], ignore_id=-100)
    assert shapes_of(Case(analyze(batch))) == ["suffix", "full"]
    batch = batch_of([[5, 6, 7, 8], [5, 6, 7, 8]], weights=[[0, 1, 0, 0], [0, 0, 0, 0]])
    assert shapes_of(Case(analyze(batch))) == ["window", ""]


def late_batch(rows, classes=9):
    targets = np.tile([5, 6, ANSWER, 7, 8, 1], (rows, 1))
    weights = np.tile([0, 0, 0, 1, 1, 1], (rows, 1))
    weights[0, 3] = 0
    return batch_of(targets, classes=classes, weights=weights, pad_id=0, eos_id=1)


def test_pad14_warns_of_a_mask_that_starts_one_timestep_late():
    batch = late_batch(8)
    finding = finding_of("PAD14", batch)
    assert finding.severity == "warning"
    assert finding.message == "1 mask starts one timestep late: the other 7 start right after “3”."
    assert finding.cells.tolist() == cells_of(batch, (0, 3))
    assert finding.evidence == {"masks that start late": 1, "masks that start in time": 7}


def test_pad14_sees_the_token_before_the_answer_in_the_inputs_where_labels_are_ignored():
    batch = late_batch(8)
    reads = np.concatenate([np.full((8, 1), 2), batch.targets[:, :-1]], axis=1)
    ignored = np.where(batch.weights > 0, batch.targets, -100)
    finding = finding_of("PAD14", batch.replace(targets=ignored, weights=None, ignore_id=-100, inputs=reads))
    assert finding.message == "1 mask starts one timestep late: the other 7 start right after “3”."


@pytest.mark.parametrize("rows", [2, 4])
def test_pad14_does_not_call_late_what_chance_explains(rows):
    assert outcome_of("PAD14", late_batch(rows)) == PASSED


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6, 7, 8]] * 2, weights=[[0, 1, 0, 1], [1, 0, 0, 1]]),
        batch_of([[5, 6, 7, 1], [5, 1, 0, 0]], weights=[[0, 1, 1, 1], [0, 1, 0, 0]], pad_id=0, eos_id=1),
        batch_of([[0, 0, 7, 1], [5, 6, 7, 1]], weights=[[0, 0, 1, 1], [1, 1, 1, 1]], pad_id=0, eos_id=1),
        batch_of([[5, 6, 7, 1], [5, 1, 0, 0]], lengths=[1, 2], pad_id=0),
        batch_of([[5, 6], [7, 8]]),
        batch_of([[5, 6], [7, 8]], weights=[[1, 1], [0, 0]]),
    ],
    ids=["turns", "prompts", "left padding", "lengths", "no mask", "an empty sequence"],
)
def test_pad14_is_silent_where_all_masks_have_one_shape(batch):
    assert outcome_of("PAD14", batch) == PASSED

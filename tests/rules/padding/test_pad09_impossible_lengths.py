"""PAD09: lengths that can't be."""

import numpy as np
import pytest
import tensorflow as tf

from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, golden_with, outcome_of


def test_pad09_sequence_mask_takes_every_impossible_length():
    assert tf.sequence_mask([5, 2], 4).numpy().tolist() == [[True] * 4, [True, True, False, False]]
    assert tf.sequence_mask([-1], 4).numpy().tolist() == [[False] * 4]
    assert tf.sequence_mask([2, 1]).shape == (2, 2)
    relative = tf.sequence_mask(tf.cast([1.0, 0.5], tf.int32), 4).numpy()
    assert relative.sum(axis=1).tolist() == [1, 0]


def test_pad09_names_a_length_above_the_timesteps():
    batch = batch_of([[5, 6, 7, 1], [5, 1, 0, 0]], lengths=[5, 2], pad_id=0, eos_id=1)
    finding = finding_of("PAD09", batch)
    assert (finding.severity, finding.message) == ("error", "1 length is impossible for 4 timesteps: 5 (sequence 0).")
    assert finding.cells.tolist() == [[True] * 4, [False] * 4]
    assert finding.evidence == {"impossible lengths": 1, "smallest": 2.0, "largest": 5.0}
    assert finding.repaired.lengths.tolist() == [4, 2]
    assert finding.loss_if_fixed == pytest.approx(np.log(9))
    assert codes_of(batch) == ["PAD09"]


@pytest.mark.parametrize(
    ("lengths", "named", "meant"),
    [
        ([-1, 2], "1 length is impossible for 4 timesteps: -1 (sequence 0).", [4, 2]),
        ([2.7, 9], "2 lengths are impossible for 4 timesteps: 2.7 (sequence 0), 9 (sequence 1).", [4, 2]),
    ],
)
def test_pad09_ends_a_sequence_where_its_content_does(lengths, named, meant):
    batch = batch_of([[5, 6, 7, 1], [5, 1, 0, 0]], lengths=lengths, pad_id=0, eos_id=1)
    finding = finding_of("PAD09", batch)
    assert (finding.message, finding.repaired.lengths.tolist()) == (named, meant)
    assert codes_of(batch) == ["PAD09"]


def test_pad09_without_a_pad_id_rounds_and_clips_but_does_not_invent():
    assert finding_of("PAD09", batch_of([[5, 6, 7, 1]] * 2, lengths=[2.7, 9])).repaired.lengths.tolist() == [3, 4]
    assert finding_of("PAD09", batch_of([[5, 6, 7, 1]], lengths=[-1])).repaired is None


def test_pad09_names_at_most_four():
    finding = finding_of("PAD09", batch_of([[5, 6]] * 5, lengths=[3, 4, 5, 6, 7]))
    assert finding.message == (
        "5 lengths are impossible for 2 timesteps: 3 (sequence 0), 4 (sequence 1), 5 (sequence 2), 6 (sequence 3) …."
    )


@pytest.mark.parametrize(("lengths", "pad"), [([1.0, 0.5], None), ([1.0, 0.5], 0), ([1.0, 1.0], 0)])
def test_pad09_knows_relative_lengths(lengths, pad):
    batch = batch_of([[5, 6, 7, 1], [5, 1, 0, 0] if lengths[1] < 1 else [5, 6, 7, 1]], lengths=lengths, pad_id=pad)
    finding = finding_of("PAD09", batch)
    counted = 1 if lengths[1] < 1 else 2
    meant = [4, round(4 * lengths[1])]
    assert finding.message == (
        f"Every length is at most 1, but there are 4 timesteps: relative lengths, which count "
        f"{counted} timestep{'s' if counted > 1 else ''} instead of {sum(meant)}."
    )
    assert finding.evidence == {"longest length": 1.0, "timesteps": 4}
    assert finding.repaired.lengths.tolist() == meant
    assert finding.cells.tolist() == (np.arange(4) < np.array(meant)[:, None]).tolist()


def test_pad09_knows_lengths_that_mask_nothing():
    batch = golden_with(lengths=[5, 5, 5])
    finding = finding_of("PAD09", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "Every length is 5, the full width, although 2 sequences end in padding: 4 pads are trained."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 4), (2, 2), (2, 3), (2, 4))
    assert finding.evidence == {"pads that count": 4, "sequences that end in padding": 2}
    assert finding.repaired.lengths.tolist() == [5, 4, 2]
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.effect == pytest.approx(13.8 / 11 - 14.5 / 15, abs=1e-9)
    assert codes_of(batch) == ["PAD09"]


def test_pad09_keeps_the_pad_id_that_is_the_end():
    batch = batch_of([[5, 6, 2, 2, 2], [5, 6, 7, 8, 2]], lengths=[5, 5], pad_id=2, eos_id=2)
    assert finding_of("PAD09", batch).repaired.lengths.tolist() == [3, 5]


def test_pad09_is_a_warning_where_the_weights_are_in_use():
    weights = [[1, 1, 1, 1], [1, 1, 0, 0]]
    finding = finding_of("PAD09", batch_of([[5, 6, 7, 1], [5, 1, 0, 0]], lengths=[9, 2], weights=weights))
    assert finding.severity == "warning"
    assert finding.message == (
        "1 length is impossible for 4 timesteps: 9 (sequence 0). The mask in use is 'weights', so the number is "
        "unaffected."
    )


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 0, 0], [6, 0, 0]], lengths=[1, 1], pad_id=0),
        batch_of([[5], [6]], lengths=[1, 1]),
        batch_of([[5, 6, 7, 8], [8, 7, 6, 5]], lengths=[4, 4], pad_id=0),
        batch_of([[5, 6, 7, 0], [8, 7, 6, 5]], lengths=[4, 4], pad_id=0),
        batch_of([[5, 6, 0, 0], [8, 7, 0, 0]], lengths=[2, 2], pad_id=0),
        batch_of([[5, 2, 2, 7], [8, 7, 2, 2]], lengths=[4, 4], pad_id=2, eos_id=2),
        batch_of([[5, 6, 0, 0]], lengths=[4], weights=[[1, 1, 0, 0]], pad_id=0),
        batch_of([[5, 6, 7, 8]], pad_id=0),
    ],
    ids=[
        "single timesteps",
        "one timestep",
        "chunks",
        "a real pad id at the end",
        "extra columns",
        "packed documents",
        "weights in use",
        "no lengths",
    ],
)
def test_pad09_is_silent_where_lengths_can_be(batch):
    assert outcome_of("PAD09", batch) == PASSED


def test_pad09_can_not_tell_single_timesteps_from_relative_lengths_without_a_pad_id():
    assert outcome_of("PAD09", batch_of([[5, 6, 7], [5, 6, 7]], lengths=[1, 1])) == (
        "skipped",
        "Every length is 0 or 1: single timesteps, or relative lengths. Declare `pad_id` to tell them apart.",
    )

"""PAD16: lengths, weights and pad ids end a sequence at different places."""

import numpy as np
import pytest

from tests.golden import LENGTHS
from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, golden_with, outcome_of

MASK = np.arange(5) < LENGTHS[:, None]


def test_pad16_names_the_timestep_at_which_the_length_disagrees():
    batch = batch_of([[5, 6, 1, 0]], lengths=[4], weights=[[1, 1, 1, 0]], pad_id=0, eos_id=1)
    finding = finding_of("PAD16", batch)
    assert finding.severity == "warning"
    assert (
        finding.message
        == "Weights and lengths differ at 1 timestep at the end of sequences; the mask in use is 'weights'."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 3))
    assert finding.evidence == {"pads that count": 0, "real timesteps that don't": 0, "weights and lengths differ": 1}
    assert (finding.repaired.lengths, finding.repaired.weights.tolist()) == (None, [[1, 1, 1, 0]])
    assert finding.effect == 0
    assert codes_of(batch) == ["PAD16"]


def test_pad16_finds_pads_that_count():
    weights = MASK.astype(float)
    weights[2, 3] = 1
    batch = golden_with(lengths=None, weights=weights)
    finding = finding_of("PAD16", batch)
    assert finding.severity == "error"
    assert finding.message == "1 pad counts at the end of sequences; the mask in use is 'weights'."
    assert finding.cells.tolist() == cells_of(batch, (2, 3))
    assert finding.evidence == {"pads that count": 1, "real timesteps that don't": 0, "weights and lengths differ": 0}
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.effect == pytest.approx(13.8 / 11 - 14.0 / 12, abs=1e-9)


def test_pad16_finds_what_the_lengths_cut_off_and_what_they_leave():
    batch = golden_with(lengths=[3, 5, 2])
    finding = finding_of("PAD16", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "1 pad counts and 2 real timesteps are cut off at the end of sequences; the mask in use is 'lengths'."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 3), (0, 4), (1, 4))
    assert finding.repaired.lengths.tolist() == LENGTHS.tolist()
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)


def test_pad16_finds_weights_that_go_on_after_the_length():
    batch = batch_of([[5, 6, 7, 1], [5, 6, 1, 0]], lengths=[2, 3], weights=[[1] * 4, [1, 1, 1, 0]], pad_id=0, eos_id=1)
    finding = finding_of("PAD16", batch)
    assert (
        finding.message
        == "Weights and lengths differ at 2 timesteps at the end of sequences; the mask in use is 'weights'."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 2), (0, 3))


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6, 7, 1]], weights=[[0, 0, 1, 1]], lengths=[4], pad_id=0, eos_id=1),
        batch_of([[5, 6, 7, 1]], weights=[[1, 1, 0, 0]], pad_id=0, eos_id=1),
        batch_of([[5, 6, 2, 2]], weights=[[1, 1, 1, 0]], pad_id=2, eos_id=2),
        batch_of([[5, 6, 0, 0]], weights=[[1, 1, 1, 0]], pad_id=0),
        batch_of([[0, 0, 7, 1]], weights=[[0, 0, 1, 1]], lengths=[2], pad_id=0, eos_id=1),
        batch_of([[5, 6, 7, 8], [8, 7, 6, 5]], lengths=[3, 3], pad_id=0, eos_id=1),
        batch_of([[3, 0, 3, 0], [0, 3, 3, 3]], lengths=[3, 4], pad_id=1),
        batch_of([[5, 6, 7, 1]], lengths=[4]),
        batch_of([[5, 6, 1, 0]], pad_id=0, eos_id=1),
        golden_with(weights=MASK),
    ],
    ids=[
        "a prompt",
        "a turn at the end",
        "the pad id is the end",
        "the pad id may be the end",
        "left padding",
        "chunks without their last timestep",
        "one label padded with another id",
        "no pad id",
        "masked by id",
        "all agree",
    ],
)
def test_pad16_is_silent_where_the_masks_agree(batch):
    assert outcome_of("PAD16", batch) == PASSED

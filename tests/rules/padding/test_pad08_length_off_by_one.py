"""PAD08: the mask ends one timestep too early or too late."""

import numpy as np
import pytest

from lossviz import Batch, diagnose
from tests.golden import LENGTHS
from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, golden_with, outcome_of


def test_pad08_one_too_short_costs_the_golden_batch_1_575():
    batch = golden_with(lengths=LENGTHS - 1)
    finding = finding_of("PAD08", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "The masks of all 3 sequences are one timestep too short: the end of the sequence, “1”, never counts."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 4), (1, 3), (2, 1))
    assert finding.evidence == {"sequences": 3, "timesteps lost": 3}
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.effect == pytest.approx(1.575 - 13.8 / 11, abs=1e-9)
    assert finding.repaired.lengths.tolist() == LENGTHS.tolist()
    assert codes_of(batch) == ["PAD08", "PAD04"]


def test_pad08_one_too_long_costs_the_golden_batch_1_0846():
    batch = golden_with(lengths=[5, 5, 3])
    finding = finding_of("PAD08", batch)
    assert finding.severity == "warning"
    assert finding.message == ("The masks of all 2 padded sequences are one timestep too long: 2 pads are trained.")
    assert finding.cells.tolist() == cells_of(batch, (1, 4), (2, 2))
    assert finding.evidence == {"padded sequences": 2, "pads that count": 2}
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.effect == pytest.approx(13.8 / 11 - 14.1 / 13, abs=1e-9)
    assert finding.repaired.lengths.tolist() == LENGTHS.tolist()
    assert codes_of(batch) == ["PAD08", "PAD04"]


@pytest.mark.parametrize(
    ("lengths", "weights"), [(None, [[1, 1, 0, 0], [1, 0, 0, 0]]), ([2, 1], None)], ids=["weights", "lengths"]
)
def test_pad08_names_the_last_real_timestep_where_no_end_is_known(lengths, weights):
    batch = batch_of([[5, 6, 7, 0], [5, 6, 0, 0]], pad_id=0, lengths=lengths, weights=weights)
    finding = finding_of("PAD08", batch)
    assert finding.message == (
        "The masks of all 2 sequences are one timestep too short: the last real timestep never counts."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 2), (1, 1))


def test_pad08_knows_where_the_pad_id_is_the_end():
    batch = batch_of([[5, 6, 2, 2, 2], [5, 2, 2, 2, 2]], pad_id=2, eos_id=2, lengths=[4, 3])
    assert finding_of("PAD08", batch).cells.tolist() == cells_of(batch, (0, 3), (1, 2))
    assert outcome_of("PAD08", batch.replace(lengths=[3, 2])) == PASSED


def test_pad08_can_not_tell_a_pad_from_an_end_that_nobody_declared():
    batch = batch_of([[5, 6, 0, 0, 0], [5, 0, 0, 0, 0]], pad_id=0, lengths=[3, 2])
    assert outcome_of("PAD08", batch) == (
        "skipped",
        (
            "In every padded sequence one pad id counts: either one too many, or the end of the sequence if that is 0 "
            "too. Declare `eos_id` to tell them apart."
        ),
    )
    assert codes_of(batch) == []
    words = ["<pad>", *(f"w{i}" for i in range(8))]
    assert finding_of("PAD08", batch.replace(vocabulary=words)).severity == "warning"


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6, 0, 0], [5, 6, 7, 1]], lengths=[3, 4], pad_id=0, eos_id=1),
        batch_of([[5, 6, 7, 8], [8, 7, 6, 5]], lengths=[3, 3], pad_id=0, eos_id=1),
        batch_of([[5, 6, 1, 0], [5, 1, 0, 0]], lengths=[3, 2], pad_id=0, eos_id=1),
        batch_of([[5, 6, 1, 7, 0], [5, 1, 7, 0, 0]], weights=[[0, 1, 1, 0, 0], [0, 1, 0, 0, 0]], pad_id=0, eos_id=1),
        batch_of([[5, 1, 7, 1, 1], [6, 1, 7, 5, 1]], lengths=[5, 5], pad_id=1, eos_id=1),
        batch_of([[5, 6, 7, 1]], lengths=[3], pad_id=0, eos_id=1),
    ],
    ids=[
        "a real pad id at the end of one sequence",
        "chunks without their last timestep",
        "right lengths",
        "what follows an answer",
        "packed documents",
        "one sequence",
    ],
)
def test_pad08_is_silent_where_two_sequences_do_not_agree_on_one_timestep(batch):
    assert outcome_of("PAD08", batch) == PASSED


def test_pad08_leaves_weights_without_ends_to_pad05():
    batch = golden_with(lengths=None, weights=np.arange(5) < LENGTHS[:, None] - 1)
    assert outcome_of("PAD08", batch) == PASSED
    assert codes_of(batch)[0] == "PAD05"


def test_pad08_leaves_a_mask_of_the_inputs_to_shf05():
    tokens = np.array([[4, 5, 1, 0, 0], [4, 1, 0, 0, 0]])
    logits = np.zeros((2, 4, 6))
    reads, targets = tokens[:, :-1], tokens[:, 1:]
    batch = Batch.from_arrays(logits=logits, targets=targets, inputs=reads, weights=reads != 0, pad_id=0, eos_id=1)
    assert finding_of("PAD08", batch).cells.tolist() == cells_of(batch, (0, 2), (1, 1))
    assert [finding.code for finding in diagnose(batch, select="PAD,SHF05").findings] == ["SHF05"]

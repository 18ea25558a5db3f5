"""PAD04: a real target has the pad id."""

import numpy as np
import pytest
import torch

from lossviz import Settings
from tests.golden import TARGETS, golden_logits
from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, golden_with, outcome_of

LOST = "1 timestep inside 1 sequence has the pad id 0 as a real target, and the mask, built from the ids, drops it."


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({"lengths": None}, None),
        ({"lengths": None, "weights": TARGETS != 0}, None),
        ({}, Settings(mask="nonpad")),
    ],
    ids=["by pad id", "by weights", "by pad id although there are lengths"],
)
def test_pad04_names_the_real_target_that_the_mask_drops(changes, settings):
    batch = golden_with(**changes)
    finding = finding_of("PAD04", batch, settings)
    assert (finding.severity, finding.message) == ("error", LOST)
    assert finding.cells.tolist() == cells_of(batch, (1, 1))
    assert finding.evidence == {"real timesteps lost": 1}
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.effect == pytest.approx(1.29 - 13.8 / 11, abs=1e-9)
    assert finding.repaired.weights.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]


def test_pad04_number_by_id_is_what_pytorch_gives_with_that_ignore_index():
    logits = torch.tensor(golden_logits())
    by_id = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(TARGETS).flatten(), ignore_index=0)
    assert by_id.item() == pytest.approx(1.29)
    finding = finding_of("PAD04", golden_with())
    assert finding.evidence["by id"] == pytest.approx(by_id.item(), abs=1e-9)


def test_pad04_is_an_info_where_the_real_target_counts():
    batch = golden_with()
    finding = finding_of("PAD04", batch)
    assert finding.severity == "info"
    assert finding.message == (
        "1 timestep that counts has the pad id 0 as a real target; a mask built from the ids would drop it: "
        "1.2900 instead of 1.2545."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 1))
    assert list(finding.evidence) == ["real timesteps with the pad id", "by the mask in use", "by id"]
    assert codes_of(batch) == ["PAD04"]


def test_pad04_is_an_error_where_the_printed_number_is_that_of_the_ids():
    finding = finding_of("PAD04", golden_with(reported="1.2900"))
    assert finding.severity == "error"
    assert finding.message == (
        "1 timestep that counts has the pad id 0 as a real target; the printed 1.2900 is the loss without it; the "
        "loss with it is 1.2545."
    )
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding_of("PAD04", golden_with(reported="1.2545")).severity == "info"


def test_pad04_says_several_in_the_plural():
    batch = batch_of([[5, 0, 0, 4, 1], [5, 0, 6, 1, 0]], pad_id=0, eos_id=1)
    assert finding_of("PAD04", batch).message == (
        "3 timesteps inside 2 sequences have the pad id 0 as a real target, and the mask, built from the ids, drops "
        "them."
    )
    kept = finding_of(
        "PAD04", batch.replace(lengths=[5, 4]), Settings(reduction="sequence_loss", average_across_batch=False)
    )
    assert kept.message == (
        "3 timesteps that count have the pad id 0 as a real target; a mask built from the ids would drop them."
    )


def test_pad04_sees_a_real_pad_id_at_the_end_only_through_lengths():
    batch = batch_of([[5, 6, 0, 0], [5, 6, 7, 8]], pad_id=0, lengths=[3, 4])
    finding = finding_of("PAD04", batch, Settings(mask="nonpad"))
    assert finding.cells.tolist() == cells_of(batch, (0, 2))
    assert outcome_of("PAD04", batch.replace(lengths=None)) == PASSED


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6, 0, 7, 8]], pad_id=0, eos_id=1, segment_ids=[[0, 0, 0, 1, 1]]),
        batch_of([[0, 0, 5, 6, 1], [0, 5, 6, 7, 1]], pad_id=0, eos_id=1),
        batch_of([[5, 6, 1, 7, 1]], pad_id=1, eos_id=1, weights=np.ones((1, 5))),
        batch_of([[5, 6, 0, 7, 1]], pad_id=0, eos_id=1, weights=[[1, 0, 0, 1, 1]]),
        batch_of([[5, 6, 1, 0, 0]], pad_id=0, eos_id=1),
    ],
    ids=["a separator of documents", "left padding", "the end of a packed document", "a masked turn", "plain padding"],
)
def test_pad04_is_silent_where_the_pad_id_is_no_lost_token(batch):
    assert outcome_of("PAD04", batch) == PASSED


def test_pad04_is_an_info_where_a_tagger_has_the_pad_id_as_a_tag():
    reads = [[5, 6, 7, 8], [6, 8, 0, 0]]
    batch = batch_of([[3, 0, 2, 0], [2, 0, 0, 0]], classes=4, pad_id=0, inputs=reads, lengths=[4, 2])
    finding = finding_of("PAD04", batch)
    assert (finding.severity, codes_of(batch)) == ("info", ["PAD04"])
    assert finding.cells.tolist() == cells_of(batch, (0, 1), (0, 3), (1, 1))


def test_pad04_needs_a_pad_id():
    assert outcome_of("PAD04", golden_with(pad_id=None)) == (
        "skipped",
        "Needs `pad_id`, which this batch does not have.",
    )

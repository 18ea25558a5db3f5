"""PAD12: labels are ignored in another id than the loss ignores."""

import numpy as np
import pytest

from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, outcome_of


def test_pad12_finds_pads_that_were_not_replaced():
    batch = batch_of([[5, 6, 0, 0]], ignore_id=-100, pad_id=0, eos_id=1)
    finding = finding_of("PAD12", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "2 timesteps at the end of 1 sequence still hold the pad id 0 instead of the ignore id -100, so they are "
        "trained."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 2), (0, 3))
    assert finding.evidence == {"pad ids that count": 2, "ignore ids": 0}
    assert finding.repaired.weights.tolist() == [[1, 1, 0, 0]]
    assert finding.loss_if_fixed == pytest.approx(np.log(9))
    assert codes_of(batch) == ["PAD12"]


def test_pad12_replaces_by_attention_mask_where_the_pad_id_may_be_the_end():
    batch = batch_of([[5, 6, 2, 2, 2]], ignore_id=-100, pad_id=2, eos_id=2)
    finding = finding_of("PAD12", batch)
    assert finding.cells.tolist() == cells_of(batch, (0, 3), (0, 4))
    assert finding.fix["PyTorch"] == (
        "targets = torch.where(attention_mask != 0, targets, -100)\nweights = (targets != -100).float()"
    )
    other = finding_of("PAD12", batch_of([[5, 6, 0, 0]], ignore_id=-100, pad_id=0, eos_id=1))
    assert other.fix["PyTorch"] == (
        "targets = torch.where(targets != 0, targets, -100)\nweights = (targets != -100).float()"
    )


def test_pad12_finds_labels_that_were_half_replaced():
    targets = np.array([[5, 6, -100, -100], [5, 1, 7, 0]])
    batch = batch_of(targets, weights=targets != -100, pad_id=0, eos_id=1)
    finding = finding_of("PAD12", batch)
    assert finding.message == (
        "1 timestep at the end of 1 sequence still holds the pad id 0 instead of the ignore id -100, so it is trained."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 3))
    assert finding.evidence == {"pad ids that count": 1, "ignore ids": 2}


@pytest.mark.parametrize("used", [-100, -1])
def test_pad12_names_an_ignore_id_that_nobody_declared(used):
    batch = batch_of([[used, 6, 1, 0], [used, used, 1, 0]], lengths=[3, 3], pad_id=0, eos_id=1)
    finding = finding_of("PAD12", batch)
    assert finding.message == (
        f"3 timesteps count although their labels are an ignore id, {used} (3 times): no ignore id is declared."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 0), (1, 0), (1, 1))
    assert finding.evidence == {"labels that count": 6, "of them ignore ids": 3}
    assert (finding.repaired.ignore_id, finding.repaired.weights.tolist()) == (used, [[0, 1, 1, 0], [0, 0, 1, 0]])
    assert finding.loss_if_fixed == pytest.approx(np.log(9))
    assert finding.effect == np.inf
    assert codes_of(batch) == ["PAD12"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"ignore_id": -100}, "-1 (once): the ignore id is -100"),
        ({"ignore_id": -1, "lengths": [3]}, "-1 (once): the mask in use is 'lengths'"),
    ],
)
def test_pad12_says_what_is_ignored_instead(fields, why):
    finding = finding_of("PAD12", batch_of([[5, -1, 6]], **fields))
    assert finding.message == f"1 timestep counts although its label is an ignore id, {why}."
    assert finding.repaired.targets[0, 1] == finding.repaired.ignore_id == fields["ignore_id"]


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6, -100, -100]], weights=[[1, 1, 0, 0]]),
        batch_of([[5, 6, -100, -100]], ignore_id=-100),
        batch_of([[5, 0, 6, -100]], ignore_id=-100, pad_id=0, eos_id=1),
        batch_of([[5, 6, 2, -100]], ignore_id=-100, pad_id=2, eos_id=2),
        batch_of([[5, 6, 0, -100]], ignore_id=-100, pad_id=0),
        batch_of([[5, 6, 0, 0]], weights=[[1, 1, 1, 1]], pad_id=0, eos_id=1),
    ],
    ids=[
        "another mask takes them out",
        "declared",
        "a pad id inside the text",
        "the pad id is the end",
        "the pad id may be the end",
        "no label is ignored",
    ],
)
def test_pad12_is_silent_where_labels_and_mask_agree(batch):
    assert outcome_of("PAD12", batch) == PASSED

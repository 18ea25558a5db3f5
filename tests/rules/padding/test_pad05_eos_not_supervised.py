"""PAD05: the end of the sequence is not trained."""

import numpy as np
import pytest

from tests.golden import TARGETS
from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, golden_with, outcome_of

SUPERVISED = np.arange(5) < np.array([5, 4, 2])[:, None]


def test_pad05_finds_the_end_that_was_replaced_like_padding():
    batch = batch_of([[5, 6, -100, -100, -100]], inputs=[[5, 6, 2, 2, 2]], pad_id=2, eos_id=2, ignore_id=-100)
    finding = finding_of("PAD05", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "No end-of-sequence label counts: “2” (id 2), which is also the pad id, comes right after the last timestep "
        "that counts in 1 of 1 sequence that ends early."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 2))
    assert finding.evidence == {"ends that count": 0, "ends that don't": 1, "sequences that end early": 1}
    assert finding.repaired.targets.tolist() == [[5, 6, 2, -100, -100]]
    assert finding.repaired.weights.tolist() == [[1, 1, 1, 0, 0]]
    assert finding.loss_if_fixed == pytest.approx(np.log(9))
    assert codes_of(batch) == ["PAD05"]


def test_pad05_costs_the_golden_batch_1_575_instead_of_its_mean():
    batch = golden_with(lengths=None, weights=SUPERVISED & (TARGETS != 1))
    finding = finding_of("PAD05", batch)
    assert finding.message == (
        "No end-of-sequence label counts: “1” (id 1) comes right after the last timestep that counts in 3 of 3 "
        "sequences that end early."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 4), (1, 3), (2, 1))
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.effect == pytest.approx(1.575 - 13.8 / 11, abs=1e-9)
    assert codes_of(batch)[0] == "PAD05"


@pytest.mark.parametrize(
    "fields",
    [
        {"targets": [[5, 6, -100, -100, -100]], "inputs": [[4, 5, 6, 2, 2]], "pad_id": 2, "ignore_id": -100},
        {"targets": [[5, 6, 2, 2, 2]], "pad_id": 2},
        {"targets": [[5, 6, 2, 2, 2]], "pad_id": 2, "lengths": [2]},
        {"targets": [[5, 6, 2, 0, 0]], "pad_id": 0, "weights": [[1, 1, 0, 0, 0]]},
        {"targets": [[5, 6, 2, 0, 0]], "pad_id": 0, "lengths": [2]},
    ],
    ids=["shifted inputs", "masked by id", "lengths without the end", "weights without the end", "one short sequence"],
)
def test_pad05_finds_the_end_after_the_last_timestep_that_counts(fields):
    batch = batch_of(fields.pop("targets"), eos_id=2, **fields)
    finding = finding_of("PAD05", batch)
    assert (finding.severity, finding.cells.tolist()) == ("error", cells_of(batch, (0, 2)))
    assert codes_of(batch) == ["PAD05"]


def test_pad05_knows_an_end_by_the_name_of_the_pad_id():
    words = ["a", "b", "</s>", "c"]
    batch = batch_of([[3, 1, 2, 2]], classes=4, pad_id=2, vocabulary=words)
    assert finding_of("PAD05", batch).message == (
        "No end-of-sequence label counts: “</s>” (id 2), which is also the pad id, comes right after the last timestep "
        "that counts in 1 of 1 sequence that ends early."
    )


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6, 7, 8], [8, 7, 6, 5]], eos_id=2, pad_id=0),
        batch_of([[5, 6, 7, 8], [8, 7, 2, 0]], eos_id=2, pad_id=0),
        batch_of([[5, 6, 2, 2, 2]], eos_id=2, pad_id=2, lengths=[3]),
        batch_of([[5, 6, 7, 0, 0]], eos_id=2, pad_id=0, inputs=[[4, 5, 6, 0, 0]]),
        batch_of(
            [[5, 2, 0], [5, 2, 0], [5, 2, 0], [5, 6, 0], [6, 7, 8]], eos_id=2, weights=[[1, 0, 0]] * 4 + [[1] * 3]
        ),
    ],
    ids=["chunks without an end", "one end counts", "the shared end counts", "the end is missing", "75 %"],
)
def test_pad05_is_silent_where_no_end_was_masked(batch):
    assert outcome_of("PAD05", batch) == PASSED


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6, 7, 8], [8, 7, 6, 5], [8, 2, 2, 2]], eos_id=2, pad_id=2),
        batch_of([[5, 6, 7, 8, 2]], eos_id=2, pad_id=0, weights=[[0.5, 0, 2, 1, 0]]),
        batch_of([[5, 6, 7, 8, 2]], eos_id=2, pad_id=0, weights=[[1, 0, 1, 1, 0]]),
    ],
    ids=["one short chunk, padded with the end", "importance weights of 0", "turns"],
)
def test_pad05_is_an_info_where_chance_or_padding_explains_it(batch):
    assert finding_of("PAD05", batch).severity == "info"


def test_pad05_is_an_info_where_every_sequence_is_full_and_ends_are_masked_inside():
    batch = batch_of([[5, 2, 7, 8]], eos_id=2, pad_id=0, weights=[[0, 0, 1, 1]])
    finding = finding_of("PAD05", batch)
    assert finding.severity == "info"
    assert finding.message == (
        "No end-of-sequence label counts, and 1 is masked inside the sequences: is that intended?"
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 1))


def test_pad05_needs_an_end():
    assert outcome_of("PAD05", golden_with(eos_id=None)) == (
        "skipped",
        "Needs `eos_id`, which this batch does not have.",
    )


def test_pad05_finds_the_ends_of_documents_inside_rows_too():
    targets = [[5, 6, 2, 7, 8, 2, 2, 2], [7, 2, 5, 6, 8, 2, 2, 2], [5, 6, 7, 2, 2, 2, 2, 2]]
    batch = batch_of(targets, weights=(np.array(targets) != 2).astype(int), pad_id=2, eos_id=2)
    finding = finding_of("PAD05", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "No end-of-sequence label counts: “2” (id 2), which is also the pad id, comes right after the last timestep "
        "that counts in 3 of 3 sequences that end early, and 2 more ends inside the sequences."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 2), (0, 5), (1, 1), (1, 5), (2, 3))

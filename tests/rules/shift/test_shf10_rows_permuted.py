"""SHF10: the logits of other sequences."""

import numpy as np
import pytest

from lossviz import Batch
from tests.golden import LENGTHS, TARGETS, golden_logits
from tests.rules.asking import finding, good, losses, places, reason, sample, silent


def golden(order=(1, 2, 0), **more):
    fields = {"logits": golden_logits()[list(order)], "targets": TARGETS, "lengths": LENGTHS, "pad_id": 0}
    return Batch.from_arrays(**{**fields, **more})


def test_shf10_finds_the_golden_batch():
    batch = golden()
    counts = np.arange(5) < LENGTHS[:, None]
    assert losses(batch)[counts].mean() == pytest.approx(2.5747, abs=5e-5)
    found = finding("SHF10", batch)
    assert found.severity == "error"
    assert found.message == (
        "3 of 3 sequences have another sequence's logits: in the right order the loss is 1.255 nats instead of 2.575."
    )
    assert found.evidence == {
        "sequences": 3,
        "mean loss": pytest.approx(losses(batch)[counts].mean()),
        "mean loss, in order": pytest.approx(13.8 / 11),
        "order": "2, 0, 1",
    }
    assert np.array_equal(found.cells, counts)


def test_shf10_puts_the_logits_back():
    found = finding("SHF10", golden())
    assert np.array_equal(found.repaired.logits, golden_logits())
    assert found.loss_if_fixed == pytest.approx(13.8 / 11)
    assert silent("SHF10", found.repaired)


def test_shf10_says_that_they_lie_as_if_sorted_by_length():
    found = finding("SHF10", sample("SHF10"))
    assert found.message.startswith(
        "3 of 3 sequences have another sequence's logits, as if sorted by length and never restored: "
    )
    assert np.array_equal(found.repaired.logits, good().logits)


def test_shf10_shows_only_the_sequences_that_moved():
    tokens = np.random.default_rng(3).integers(0, 9, (6, 10))
    order = np.array([1, 0, 3, 2, 4, 5])
    batch = Batch.from_arrays(logits=6.0 * np.eye(9)[tokens[order]], targets=tokens)
    found = finding("SHF10", batch)
    assert found.message.startswith("4 of 6 sequences have another sequence's logits: ")
    assert {row for row, _ in places(found.cells)} == {0, 1, 2, 3}
    assert np.array_equal(found.repaired.logits, 6.0 * np.eye(9)[tokens])


def test_shf10_shortens_the_order_of_many_sequences():
    tokens = np.random.default_rng(4).integers(0, 50, (40, 10))
    batch = Batch.from_arrays(logits=9.0 * np.eye(50)[tokens[::-1]], targets=tokens)
    found = finding("SHF10", batch)
    assert found.evidence["order"] == ", ".join(str(39 - i) for i in range(32)) + " …"
    assert found.loss_if_fixed == pytest.approx(np.log(1 + 49 * np.exp(-9)))


def test_shf10_can_not_tell_from_one_sequence_or_an_untrained_model():
    one = Batch.from_arrays(logits=golden_logits()[:1], targets=TARGETS[:1])
    assert reason("SHF10", one) == "There is only one sequence."
    assert reason("SHF10", golden(logits=np.zeros((3, 5, 6)))) == (
        "The losses are near ln V = 1.792 nats, the loss of a uniform guess: an untrained model says nothing about its "
        "targets."
    )


def test_shf10_is_silent_for_sequences_in_order_and_for_duplicates():
    assert silent("SHF10", golden((0, 1, 2)))
    assert silent("SHF10", good())
    twice = [0, 0, 1, 1, 2, 2]
    batch = Batch.from_arrays(logits=golden_logits()[twice], targets=TARGETS[twice], lengths=LENGTHS[twice])
    assert silent("SHF10", batch)


def test_shf10_is_silent_where_no_order_is_better():
    random = np.random.default_rng(5)
    batch = Batch.from_arrays(logits=9.0 * random.normal(size=(6, 3, 30)), targets=random.integers(0, 30, (6, 3)))
    assert silent("SHF10", batch)


def test_shf10_takes_an_order_that_leaves_the_loss_of_a_guess_for_chance():
    """Of 4,000 seeds the only one whose logits, sure and wrong, fit another order by so much: 2.19 nats, above ln 6."""
    random = np.random.default_rng(1885)
    batch = Batch.from_arrays(logits=3 * random.normal(size=(3, 11, 6)), targets=random.integers(0, 6, (3, 11)))
    assert silent("SHF10", batch)


def test_shf10_knows_that_logits_are_less_sure_of_everything_where_nothing_counts():
    """Masked words: sure and wrong where a word is masked; in another order their targets meet flat logits."""
    random = np.random.default_rng(0)
    counts = (np.arange(12) + np.arange(4)[:, None]) % 2 == 0
    targets = random.integers(0, 50, (4, 12))
    sure = np.where(counts, 12.0, 0.0)[..., None] * np.eye(50)[(targets + 1) % 50]
    batch = Batch.from_arrays(logits=sure + random.normal(size=sure.shape), targets=targets, weights=counts)
    assert silent("SHF10", batch)

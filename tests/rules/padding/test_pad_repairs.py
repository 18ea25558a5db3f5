"""Applying the fix of a padding bug gives back the loss of the batch without the bug."""

import numpy as np
import pytest

from lossviz import analyze, diagnose
from tests.rules.clean import CLEAN
from tests.rules.inject_pad import INJECTORS
from tests.rules.pad_cases import batch_of

REPAIRED = ("PAD05", "PAD06", "PAD07", "PAD08", "PAD09", "PAD10", "PAD11", "PAD15", "PAD16")
KINDS = ("recorded", "padded", "named", "by weights", "wider than needed")


def bugged_batches(code, many):
    """(batch without the bug, the bug in it) of kinds with sequences padded on the right."""
    for seed in range(many):
        random = np.random.default_rng([int(code[3:]), seed])
        clean = CLEAN[KINDS[seed % len(KINDS)]](random)
        injected = INJECTORS[code](clean, random)
        if injected is not None:
            yield clean, injected


@pytest.mark.parametrize("code", REPAIRED)
def test_pad_repairs_give_back_the_loss_without_the_bug(code):
    pairs = list(bugged_batches(code, 48))
    assert len(pairs) >= 12
    for clean, (bugged, cells) in pairs:
        finding = diagnose(bugged, select="PAD").finding(code)
        assert cells is None or np.array_equal(finding.cells, cells)
        assert finding.loss_if_fixed == pytest.approx(analyze(clean).value, rel=1e-9)
        assert np.array_equal(analyze(finding.repaired).mask.sum(axis=1), analyze(clean).mask.sum(axis=1))


@pytest.mark.parametrize(
    ("code", "lengths"), [("PAD09", [9, 2]), ("PAD10", [0, 2]), ("PAD11", [0, 0])], ids=["PAD09", "PAD10", "PAD11"]
)
def test_pad_repairs_keep_the_end_that_is_the_pad_id_too(code, lengths):
    batch = batch_of([[5, 6, 2, 2], [5, 2, 2, 2]], pad_id=2, eos_id=2, lengths=lengths)
    assert diagnose(batch, select=code).finding(code).repaired.lengths.tolist() == [3, 2]


def test_pad_repairs_of_pad04_count_the_real_pad_ids_again():
    pairs = list(bugged_batches("PAD04", 48))
    assert len(pairs) >= 12
    for clean, (bugged, _) in pairs:
        finding = diagnose(bugged, select="PAD").finding("PAD04")
        right = bugged.replace(weights=analyze(clean).mask)
        assert finding.loss_if_fixed == pytest.approx(analyze(right).value, rel=1e-12)


def test_pad_repairs_of_pad12_keep_what_was_a_label():
    for clean, (bugged, _) in bugged_batches("PAD12", 24):
        repaired = diagnose(bugged, select="PAD").finding("PAD12").repaired
        counts = analyze(clean).mask & ~np.isin(bugged.targets, (-100, -1))
        assert np.array_equal(analyze(repaired).mask, counts)

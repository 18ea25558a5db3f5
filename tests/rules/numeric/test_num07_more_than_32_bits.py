"""NUM07: more logits than a 32-bit index reaches. Only the shape is looked at, so the arrays here are one number."""

from types import SimpleNamespace

import numpy as np
import pytest

from lossviz import Batch
from lossviz.rules import RULES
from lossviz.rules._core.case import Case
from tests.rules.asking import good, silent

[RULE] = [rule for rule in RULES if rule.code == "NUM07"]


def case(shape):
    """A batch whose logits are one number seen [B, T, V] times, in an analysis that has nothing else."""
    logits = np.broadcast_to(np.float32(0), shape)
    batch = Batch.from_arrays(logits=logits, targets=np.broadcast_to(np.int64(0), shape[:2]))
    assert batch.logits.base is not None
    return Case(SimpleNamespace(batch=batch))


def test_num07_finds_the_batch_that_failed_first():
    found = RULE.check(case((43, 2047, 50000)))
    assert found.message == (
        "43 × 2,047 × 50,000 = 4.4e+09 logits, more than 2,147,483,647, the largest 32-bit index: some GPU kernels "
        "silently go wrong."
    )
    assert found.evidence == {"logits": 4401050000, "largest 32-bit index": 2147483647, "sequences that fit": 20}
    assert 20 * 2047 * 50000 <= 2**31 - 1 < 21 * 2047 * 50000
    assert "logits.split(20)" in found.fix["PyTorch"]
    assert (found.repaired, RULE.severity) == (None, "warning")


def test_num07_shows_the_timesteps_beyond_the_index():
    found = RULE.check(case((43, 2047, 50000)))
    first = (2**31 - 1) // 50000  # so many timesteps can be counted to their end
    assert np.flatnonzero(found.cells).tolist() == list(range(first, 43 * 2047))


@pytest.mark.parametrize(("shape", "count"), [((1, 1, 2**31 - 1), 0), ((1, 1, 2**31), 1), ((1, 2, 2**30), 1)])
def test_num07_is_exact_at_the_border(shape, count):
    found = RULE.check(case(shape))
    assert (0 if found is None else int(found.cells.sum())) == count


def test_num07_offers_one_sequence_at_least():
    assert RULE.check(case((2, 2, 2**31))).evidence["sequences that fit"] == 1


def test_num07_is_silent_for_small_and_empty_batches():
    assert silent("NUM07", good())
    assert RULE.check(case((0, 2047, 50000))) is None

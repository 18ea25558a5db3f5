"""No rule warns about a batch that is right, whatever kind it is; `make doctor-bench` tries many more of them."""

import numpy as np
import pytest

from lossviz import analyze
from tests.rules.clean import CLEAN
from tests.rules.mutations import alarms, clean_batch

EACH = 4


@pytest.mark.parametrize("kind", CLEAN)
def test_clean_batches_get_no_warning(kind):
    assert list(alarms(kind, EACH)) == []


def test_clean_batches_are_of_the_kinds_that_the_issue_lists():
    """An untrained model, no padding, holes, T5, left padding, importance weights, a batch of one, half precision."""
    drawn = {kind: [clean_batch(kind, seed) for seed in range(EACH)] for kind in CLEAN}
    assert all(abs(analyze(batch).value - np.log(batch.shape[2])) < 0.7 for batch in drawn["untrained"])
    assert all(batch.declared_mask == "none" or (batch.weights is None) for batch in drawn["chunk"])
    assert any(
        ((np.diff(analyze(batch).mask.astype(int)) > 0).sum(axis=1) > 1).any() for batch in drawn["several turns"]
    )
    assert all((batch.inputs[:, 0] == batch.pad_id).all() for batch in drawn["decoder starts with pad"])
    assert any((batch.targets[:, 0] == batch.pad_id).any() for batch in drawn["left padded"])
    assert all(len(np.unique(batch.weights)) > 2 for batch in drawn["importance weights"])
    assert {batch.shape[0] for batch in drawn["one sequence"]} == {1}
    assert {batch.logits.dtype.name for batch in drawn["half"]} <= {"float16", "bfloat16"}

"""What the tests of the padding rules share: a small batch, and what one rule says of it."""

import numpy as np

from lossviz import Batch, analyze, diagnose
from tests.golden import golden_batch


def batch_of(targets, *, classes=9, **fields):
    """A batch whose logits are all 0: every loss is ln V."""
    targets = np.array(targets)
    return Batch.from_arrays(logits=np.zeros((*targets.shape, classes)), targets=targets, **fields)


def golden_with(**changes):
    return golden_batch(**({"pad_id": 0, "eos_id": 1} | changes))


def finding_of(code, batch, settings=None):
    """The finding of one rule alone; it must be there, and its repair must silence it."""
    found = diagnose(analyze(batch, settings), select=code).finding(code)
    assert found is not None, diagnose(analyze(batch, settings), select=code).outcomes
    if found.repaired is not None:
        assert diagnose(found.repaired, select=code).finding(code) is None
    return found


def outcome_of(code, batch, settings=None):
    """(state, reason) of one rule alone."""
    diagnosis = diagnose(analyze(batch, settings), select=code)
    [outcome] = diagnosis.outcomes
    return outcome.state, outcome.reason


def codes_of(batch):
    """Every padding rule that finds something, most serious first."""
    return [finding.code for finding in diagnose(batch, select="PAD").findings]


def cells_of(batch, *places):
    marks = np.zeros(batch.targets.shape, bool)
    for place in places:
        marks[place] = True
    return marks.tolist()


PASSED = ("passed", "")

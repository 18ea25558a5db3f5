"""A second opinion: bugs in pipelines that somebody else wrote; `make doctor-bench` tries many more."""

import zlib

import numpy as np
import pytest

from lossviz import diagnose
from tests.rules.pipeline_bugs import BUGS, Tried, with_bug
from tests.rules.pipeline_clean import PIPELINES

EACH = 2
SHOWN = (
    *(0, 1, 1, 1, 2, 0, 11, 1, 1, 0, 1, 0, 1, 0, 1, 3, 0, 0, 15, 0, 2, 5, 11, 2, 3, 1, 27, 6, 0),
    *(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 4, 12, 0),
)
"""For each bug the first batch that shows it."""


@pytest.mark.parametrize(("place", "seed"), list(enumerate(SHOWN)), ids=[bug.code for bug in BUGS])
def test_pipeline_with_a_bug_is_named_by_it(place, seed):
    batch, accepted, shows = with_bug(place, seed) or pytest.fail("no batch")
    trial = Tried(place, seed, batch, accepted, diagnose(batch))
    assert shows
    assert trial.is_first, str(trial)


@pytest.mark.parametrize("kind", PIPELINES)
def test_pipeline_without_a_bug_gets_no_warning(kind):
    for seed in range(EACH):
        batch = PIPELINES[kind](np.random.default_rng([zlib.crc32(kind.encode()), seed]))
        diagnosis = diagnose(batch)
        assert [finding.message for finding in diagnosis.findings if finding.severity != "info"] == []
        assert [outcome.reason for outcome in diagnosis.outcomes if outcome.state == "crashed"] == []

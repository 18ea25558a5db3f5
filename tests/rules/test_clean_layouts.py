"""No rule warns about a right batch in a file of another layout, opened without a flag."""

import zlib

import numpy as np
import pytest

from lossviz import diagnose, load
from lossviz.layouts import interpret
from tests.rules.clean_layouts import KINDS, OF_BATCHES, OF_THEIR_OWN
from tests.rules.mutations import clean_batch

EACH = 12
READ = {
    "time first": {"time-major"},
    "probabilities": {"probabilities"},
    "losses only": {"plain"},
    "Hugging Face": {"hugging-face"},
    "encoder-decoder": {"encoder-decoder"},
    "packed": {"packed"},
}
"""How the files are read."""


def alarms(fields):
    """What is said at warning or above, or crashed."""
    diagnosis = diagnose(load(fields))
    said = [(finding.code, finding.message) for finding in diagnosis.findings if finding.severity != "info"]
    return said + [(outcome.code, outcome.reason) for outcome in diagnosis.outcomes if outcome.state == "crashed"]


@pytest.mark.parametrize("layout", OF_BATCHES)
def test_clean_batches_of_every_kind_get_no_warning_in_other_layouts(layout):
    files = {kind: OF_BATCHES[layout](clean_batch(kind, 0)) for kind in KINDS}
    known = {kind: fields for kind, fields in files.items() if fields is not None}
    assert len(known) > 15
    assert {interpret(fields).layout for fields in known.values()} >= READ[layout]
    assert {kind: found for kind, fields in known.items() if (found := alarms(fields))} == {}


@pytest.mark.parametrize("layout", OF_THEIR_OWN)
def test_clean_files_of_layouts_get_no_warning(layout):
    for seed in range(EACH):
        fields = OF_THEIR_OWN[layout](np.random.default_rng([zlib.crc32(layout.encode()), seed]))
        assert alarms(fields) == [], seed
        assert interpret(fields).layout.split(",")[-1] in READ[layout]

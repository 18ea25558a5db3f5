"""The rules about numbers, shifts, models and documents say nothing loud of the samples that are right."""

import pytest

from lossviz import Batch, diagnose
from lossviz.errors import InputError
from lossviz.samples import SAMPLES, load_sample
from tests.golden import LENGTHS, golden_logits

RIGHT = [sample.name for sample in SAMPLES if sample.group != "Wrong on purpose"]


@pytest.mark.parametrize("name", RIGHT)
def test_rules_of_numbers_and_shifts_are_silent_for_right_samples(name):
    diagnosis = diagnose(Batch.from_arrays(**load_sample(name)), select="MOD,NUM,RED14,SHF")
    assert [found.code for found in diagnosis.findings if found.severity != "info"] == []
    assert [outcome.reason for outcome in diagnosis.outcomes if outcome.state == "crashed"] == []


def test_shf09_is_refused_before_there_is_a_batch():
    """Logits of fewer timesteps than the targets: the catalogue's example, [2, 3, V] beside [2, 4]."""
    with pytest.raises(InputError) as caught:
        Batch.from_arrays(logits=golden_logits()[:2, :3], targets=[[2, 3, 4, 5], [3, 0, 4, 1]], lengths=LENGTHS[1:])
    assert str(caught.value).startswith("`targets` must have shape (2, 3), the first two axes of `logits`; got (2, 4).")

"""The rules about numbers, shifts, models and documents say nothing loud of the samples that are right."""

import ast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz import Batch, diagnose
from lossviz.errors import InputError
from lossviz.rules import RULES
from lossviz.samples import SAMPLES, load_sample
from tests.golden import LENGTHS, golden_logits
from tests.rules.asking import finding, sample

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


SHAPES = ((1, 1, 1), (1, 1, 4), (1, 5, 3), (3, 1, 3), (3, 4, 1), (4, 5, 6), (0, 3, 4), (2, 0, 4))
CODES = [rule.code for rule in RULES if rule.code.startswith(("MOD", "NUM", "RED14", "SHF"))]


@st.composite
def strange_batches(draw):
    """Batches whose content is anything at all: NaN, infinite, no class, impossible lengths, any id as pad and end."""
    rows, timesteps, classes = draw(st.sampled_from(SHAPES))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    logits = random.normal(size=(rows, timesteps, classes)).astype(draw(st.sampled_from(["f2", "f4", "f8"])))
    odd = draw(st.sampled_from([0, 0.1, 1]))
    logits[random.random(logits.shape) < odd] = draw(st.sampled_from([np.nan, np.inf, -np.inf, 6e4]))
    ids = [lambda: random.integers(-1, classes + 1, (rows, timesteps)), lambda: None]
    fields = {
        "targets": ids[0](),
        "inputs": draw(st.sampled_from(ids))(),
        "segment_ids": draw(st.sampled_from(ids))(),
        "lengths": draw(st.sampled_from([None, random.integers(-1, timesteps + 2, rows)])),
        "weights": draw(st.sampled_from([None, random.choice([0.0, 0.5, 1.0], (rows, timesteps))])),
        "pad_id": draw(st.sampled_from([None, 0, -100])),
        "eos_id": draw(st.sampled_from([None, 0, 1])),
        "ignore_id": draw(st.sampled_from([None, -1])),
        "reported": draw(st.sampled_from([None, "nan", "1.25"])),
    }
    return Batch.from_arrays(logits=logits, **{name: value for name, value in fields.items() if value is not None})


@given(strange_batches())
@settings(max_examples=120, deadline=None)
def test_rules_of_numbers_and_shifts_never_crash_and_show_cells_of_the_batch(batch):
    diagnosis = diagnose(batch, select=CODES)
    assert [outcome for outcome in diagnosis.outcomes if outcome.state == "crashed"] == []
    for found in diagnosis.findings:
        assert found.cells.shape == batch.targets.shape
        assert found.cells.any()


@pytest.mark.parametrize("code", [code for code in CODES if code != "NUM07"])
def test_fixes_of_numbers_and_shifts_are_python(code):
    fix = finding(code, sample(code)).fix
    assert {library: bool(ast.parse(text).body) for library, text in fix.items()} == {
        "TensorFlow": True,
        "PyTorch": True,
        "JAX": True,
    }

"""Each bug, put into batches that are right, is named; `make doctor-bench` tries many more and writes docs/rules.md."""

import numpy as np
import pytest

from tests.rules.mutations import INJECTORS, MASKED, trials

EACH = 5
GOAL_FIRST = 0.9


def problems(found):
    """What is not as it should be: a bug that is not named, shown elsewhere, or left by its own repair."""
    unnamed = [f"not named: {trial}" for trial in found if not trial.is_named]
    elsewhere = [f"shown elsewhere: {trial}" for trial in found if trial.overlap < 0.5]
    return unnamed + elsewhere + [f"not mended: {trial}" for trial in found if trial.is_mended == 0]


@pytest.mark.parametrize("code", INJECTORS)
def test_injected_bug_is_named_on_its_timesteps_and_mended(code):
    found = list(trials(code, EACH))
    assert len(found) == EACH
    assert problems(found) == []
    assert np.mean([trial.is_first for trial in found]) >= (GOAL_FIRST if code not in INFOS else 0)


INFOS = {"MOD03", "NUM04", "PAD14", "PAD18", "NUM08", "RED05", "RED08", "RED11", "RED15", "RED16", "RED17"}
"""What is only worth knowing may come after another info."""


@pytest.mark.parametrize("code", MASKED)
def test_injected_bug_is_named_among_prompts_dialogues_and_left_padding(code):
    found = list(trials(code, EACH, MASKED))
    assert found
    assert problems(found) == []

"""Logits of prompt and completion."""

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.errors import InputError
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import cross_entropy, mean

RNG = np.random.default_rng(0)
LENGTHS = np.array([12, 9, 6, 4])
REAL = np.arange(12) < LENGTHS[:, None]
LOGITS = RNG.normal(0, 1.5, (4, 12, 5))
TARGETS = np.where(REAL, RNG.integers(0, 5, (4, 12)), 0)
RIGHT = mean(cross_entropy(LOGITS, TARGETS), REAL)


@pytest.mark.parametrize("start", [0, 10, 11])
def test_longer_logits_are_cut_where_they_fit(start: int) -> None:
    sharp = RNG.normal(0, 1, (4, 23, 5))
    np.put_along_axis(sharp[:, start : start + 12], TARGETS[..., None], 6.0, -1)
    expected = cross_entropy(sharp[:, start : start + 12], TARGETS).mean()
    assert float(analyze(load({"logits": sharp, "targets": TARGETS})).value) == pytest.approx(expected)


def test_longer_logits_that_fit_nothing_are_cut_at_their_start() -> None:
    arguments = interpret({"logits": np.zeros((3, 23, 60)), "targets": np.zeros((3, 14), int)}).arguments
    assert arguments["logits"].shape == (3, 14, 60)


def test_longer_logits_of_ctc_are_refused() -> None:
    logits = RNG.normal(0, 1, (3, 40, 20))
    logits[..., 0] += 5
    with pytest.raises(InputError, match="CTC is not covered"):
        interpret({"logits": logits, "targets": RNG.integers(1, 20, (3, 12))})


def test_longer_logits_that_fit_nothing_and_may_be_of_ctc_are_refused_in_one_sentence() -> None:
    fields = {"logits": np.zeros((3, 40, 20)), "targets": np.zeros((3, 12), int)}
    with pytest.raises(InputError) as error:
        interpret(fields)
    assert str(error.value) == (
        "There are 40 timesteps of logits and 12 of targets, and the logits fit the targets nowhere: a CTC loss has no "
        "target for each timestep and is not covered; of a prompt and its completion, save the logits of the "
        "completion, `logits[:, -12:]`."
    )
    assert interpret(fields, layout="longer-logits").arguments["logits"].shape == (3, 12, 20)

"""The coefficients that a match shows make its number of the losses, and its cells are those that enter it."""

import numpy as np
import pytest

from lossviz import Batch, analyze
from lossviz.identification import identify
from lossviz.reductions import Options
from tests.golden import LENGTHS, LOSS, golden_batch
from tests.printed.printed_oracle import CODE, Given, printed, random_given

LINEAR = {
    *("C01", "C02", "C03", "C04", "C05", "C06", "C07", "C08", "C09", "C10", "C11", "C11s", "C14", "C15", "C16"),
    *("C17", "C22", "C24", "C25", "C18o", "C19", "C21", "C21b", "PAD01", "PAD03", "PAD04", "PAD05", "PAD06", "PAD07"),
    *("PAD08", "RED01", "RED02", "RED03", "RED07", "RED09", "RED12", "RED15", "RED17"),
}
"""The codes whose number is a sum of the plain losses, each times a constant."""


def analysis_of(given: Given):
    fields = ("logits", "targets", "lengths", "weights", "inputs", "pad_id", "eos_id")
    return analyze(Batch.from_arrays(**{name: getattr(given, name) for name in fields}))


def said(given: Given) -> dict:
    more = Options(max_length=given.max_length, bytes_per_token=tuple(given.bytes_per_token), z_loss=given.z)
    return {
        "accumulation_steps": given.accumulation_steps,
        "world_size": given.world_size,
        "smoothing": given.smoothing,
        "class_weights": tuple(given.class_weights),
        "options": more,
    }


@pytest.mark.parametrize("seed", range(2))
def test_identify_coefficients_times_losses_are_the_number(seed):
    given = random_given(seed, fractional=bool(seed))
    analysis, loop = analysis_of(given), said(given)
    seen = set()
    for key, text in printed(given, digits=7).items():
        if CODE[key] not in LINEAR:
            continue
        for match in identify(analysis, text, **loop):
            linear = match.code in LINEAR and set(match.codes) <= LINEAR and "perplexities" not in match.title
            if linear:
                total = (match.coefficients * given.CE).sum()
                np.testing.assert_allclose(total, match.value, rtol=1e-7, err_msg=match.title)
                assert np.array_equal(match.cells, match.coefficients != 0)
                seen.add(match.code)
    assert len(seen) > 20


def test_identify_cells_are_the_timesteps_that_count():
    counted = {
        "1.2545": np.arange(5) < LENGTHS[:, None],
        "0.9667": np.ones((3, 5), bool),
        "0.1750": np.arange(5) >= LENGTHS[:, None],
        "1.0846": np.arange(5) < np.minimum(LENGTHS + 1, 5)[:, None],
    }
    analysis = analyze(golden_batch(pad_id=0, eos_id=1))
    assert {text: identify(analysis, text)[0].cells.tolist() for text in counted} == {
        text: cells.tolist() for text, cells in counted.items()
    }


def test_identify_coefficients_of_a_perplexity_are_its_derivative():
    """d exp(S/N) / d loss = exp(S/N) · w / N, and of mean_b exp(S_b/N_b): exp(S_b/N_b) · w / (N_b · B)."""
    analysis = analyze(golden_batch())
    mask = np.arange(5) < LENGTHS[:, None]
    whole, each = identify(analysis, "3.5062")[0], identify(analysis, "5.2308")[0]
    np.testing.assert_allclose(whole.coefficients, np.exp(13.8 / 11) * mask / 11, rtol=1e-12)
    means = (LOSS * mask).sum(1, keepdims=True) / LENGTHS[:, None]
    np.testing.assert_allclose(each.coefficients, np.exp(means) * mask / LENGTHS[:, None] / 3, rtol=1e-12)

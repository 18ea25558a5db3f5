"""PAD15: weights that are no mask."""

import numpy as np
import pytest

from lossviz import Settings
from tests.golden import FRACTIONAL, LENGTHS
from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, golden_with, outcome_of

MASK = np.arange(5) < LENGTHS[:, None]


def test_pad15_numpy_inverts_integers_bit_by_bit():
    assert (~np.array([1, 1, 0], np.uint8)).tolist() == [254, 254, 255]
    assert (~np.array([1, 1, 0])).tolist() == [-2, -2, -1]


@pytest.mark.parametrize(
    ("dtype", "one", "name"), [(np.uint8, 254, "uint8"), (np.int8, -2, "signed")], ids=["uint8", "signed"]
)
def test_pad15_finds_an_inverted_integer_mask(dtype, one, name):
    batch = golden_with(lengths=None, weights=~MASK.astype(dtype))
    finding = finding_of("PAD15", batch)
    assert finding.severity == "error"
    assert finding.message == (
        f"Every weight is {one} or {one + 1}: `~` turned the 1 of a {name} mask into {one} (11 timesteps) and its 0 "
        f"into {one + 1} (4 timesteps), so nothing is masked."
    )
    assert finding.cells.tolist() == [[True] * 5] * 3
    assert finding.evidence == {f"weights {one}": 11, f"weights {one + 1}": 4}
    assert finding.repaired.weights.tolist() == MASK.astype(float).tolist()
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert codes_of(batch) == ["PAD15"]


def test_pad15_warns_of_negative_weights():
    batch = batch_of([[5, 6, 7]], weights=[[1, -1, -0.5]])
    finding = finding_of("PAD15", batch)
    assert finding.severity == "warning"
    assert finding.message == "2 weights are negative, down to -1: there, a lower loss raises the number."
    assert finding.cells.tolist() == cells_of(batch, (0, 1), (0, 2))
    assert finding.evidence == {"negative weights": 2, "smallest weight": -1.0}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            FRACTIONAL,
            (
                "4 weights are neither 0 nor 1: the weights sum to 10.5 over 11 timesteps, so dividing by the sum or "
                "by the count gives two numbers."
            ),
        ),
        (
            255 * MASK,
            (
                "11 weights are neither 0 nor 1: the weights sum to 2805 over 11 timesteps, so dividing by the sum or "
                "by the count gives two numbers."
            ),
        ),
    ],
    ids=["importance weights", "a mask of 255"],
)
def test_pad15_is_an_info_where_weights_may_be_meant(weights, message):
    batch = golden_with(lengths=None, weights=weights)
    finding = finding_of("PAD15", batch)
    assert (finding.severity, finding.message) == ("info", message)
    assert finding.cells.tolist() == (~np.isin(weights, (0, 1))).tolist()
    assert finding.evidence["sum of the weights"] == weights.sum()


@pytest.mark.parametrize(
    ("batch", "settings"),
    [
        (golden_with(), None),
        (golden_with(weights=MASK), None),
        (golden_with(weights=FRACTIONAL), Settings(mask="lengths")),
    ],
    ids=["no weights", "a mask", "lengths in use"],
)
def test_pad15_is_silent_where_weights_are_a_mask_or_not_in_use(batch, settings):
    assert outcome_of("PAD15", batch, settings) == PASSED

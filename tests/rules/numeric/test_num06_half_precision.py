"""NUM06: half precision."""

import ml_dtypes
import numpy as np
import pytest

from lossviz import Batch
from lossviz.rules.numeric.num06_half_precision import stored_as
from tests.rules.asking import finding, good, places, sample, silent


def logits(top, dtype):
    return np.array([[[top, 0.5, -1.25], [1.0, 0.0, 2.0]]], np.float64).astype(dtype)


def batch(top=36.1, dtype=np.float32, **more):
    return Batch.from_arrays(**{"logits": logits(top, dtype), "targets": [[0, 2]], **more})


def test_num06_half_precision_is_as_the_catalogue_says():
    with np.errstate(over="ignore"):
        assert np.float16(-1e9) == -np.inf
    assert float(ml_dtypes.bfloat16(36.1)) == 36.0


@pytest.mark.parametrize(("dtype", "step"), [(ml_dtypes.bfloat16, 0.25), (np.float16, 2**-5)])
def test_num06_says_how_far_apart_half_precision_lies(dtype, step):
    found = finding("NUM06", batch(dtype=dtype))
    top = float(dtype(36.1))
    name = np.dtype(dtype).name
    assert found.severity == "info"
    assert found.message == (
        f"The logits are {name}, whose spacing is {step:.4g} near the largest logit, {top:.4g}: a loss computed "
        f"in {name} is just as coarse."
    )
    assert found.evidence == {
        "dtype": name,
        "precision": name,
        "largest logit": top,
        "distance of its neighbours": step,
    }
    up = np.nextafter(np.array(top, dtype), np.array(np.inf, dtype))
    assert float(up) - top == step
    assert places(found.cells) == [(0, 0), (0, 1)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_num06_finds_infinity_that_counts(dtype):
    found = finding("NUM06", batch(np.inf, dtype))
    assert found.severity == "error"
    assert (
        found.message
        == "1 timestep that counts has logits of +inf, which is what float16 makes of anything above 65,504."
    )
    assert places(found.cells) == [(0, 0)]
    assert found.evidence == {"timesteps": 1, "with +inf": 1, "dtype": np.dtype(dtype).name}


def test_num06_finds_the_largest_number_of_float16():
    found = finding("NUM06", batch(65504, np.float16))
    assert (found.severity, found.evidence["with +inf"]) == ("error", 0)
    assert found.message == (
        "1 timestep that counts has logits of 65,504 or +inf, which is what float16 makes of anything above 65,504."
    )
    assert finding("NUM06", batch(65472, np.float16)).severity == "info"


def test_num06_is_silent_for_large_numbers_that_the_type_holds():
    assert silent("NUM06", batch(7e4))
    assert silent("NUM06", batch(7e4, np.float64))
    assert silent("NUM06", batch(np.inf, lengths=[0]))
    assert silent("NUM06", batch(-np.inf, lengths=[1]))
    assert silent("NUM06", batch(np.nan))


@pytest.mark.parametrize(("dtype", "name"), [(ml_dtypes.bfloat16, "bfloat16"), (np.float16, "float16")])
def test_num06_finds_wider_logits_that_hold_only_half_precision(dtype, name):
    for wide in (np.float32, np.float64):
        rounded = good().logits.astype(dtype).astype(wide)
        found = finding("NUM06", good(logits=rounded))
        assert found.severity == "info"
        assert found.message.startswith(
            f"The logits are {np.dtype(wide).name}, but hold only {name} values, whose spacing is "
        )
        assert found.evidence["precision"] == name
        rounded[2, 5, 7] += 1e-3
        assert silent("NUM06", good(logits=rounded))


def test_num06_is_silent_for_round_numbers():
    rng = np.random.default_rng(0)
    assert silent("NUM06", good(logits=np.zeros((3, 6, 8), np.float32)))
    assert silent("NUM06", good(logits=rng.integers(-9, 9, (3, 6, 8)).astype(np.float32) / 2))
    assert silent("NUM06", good())


def test_num06_stored_as_ignores_what_is_not_finite():
    values = np.arange(128, 256, dtype=np.float32).reshape(2, 4, 16)
    values[0, 0] = np.inf
    assert stored_as(values) == "bfloat16"
    assert stored_as(np.full((1, 1, 3), np.nan)) is None
    assert stored_as(np.zeros((0, 2, 3))) is None


def test_num06_sample_shows_its_cell():
    assert places(finding("NUM06", sample("NUM06")).cells) == [(1, 2)]

"""What figures, conventions, candidates and rules ask of an analysis is derived once, and right."""

import ml_dtypes
import numpy as np
import pytest
from scipy.special import logsumexp

from lossviz import Batch, Settings, analyze

INF, NAN = np.inf, np.nan


def batch_of(dtype=np.float32, scale=3.0, **fields):
    rng = np.random.default_rng(5)
    logits = (scale * rng.normal(size=(4, 6, 7)) + 100).astype(dtype)
    return Batch.from_arrays(logits=logits, targets=rng.integers(0, 7, (4, 6)), **fields)


def losses(logits, targets):
    z = np.asarray(logits, np.float64)
    return logsumexp(z, axis=-1) - np.take_along_axis(z, targets[..., None], axis=-1)[..., 0]


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_losses_against_other_targets_are_their_cross_entropy(dtype):
    batch = batch_of(dtype)
    analysis = analyze(batch)
    np.testing.assert_allclose(analysis.logsumexp, logsumexp(np.asarray(batch.logits, np.float64), axis=-1), rtol=1e-6)
    for targets in (batch.targets, np.roll(batch.targets, 1, 1), batch.targets[::-1]):
        np.testing.assert_allclose(
            analysis.losses_against(targets), losses(batch.logits, targets), rtol=2e-6, atol=1e-9, strict=True
        )


def test_losses_against_shorter_targets_are_those_of_the_first_timesteps():
    batch = batch_of(np.float64)
    later = batch.targets[:, 1:]
    np.testing.assert_allclose(analyze(batch).losses_against(later), losses(batch.logits[:, :-1], later), rtol=1e-12)


def test_losses_against_targets_read_a_mapped_file(tmp_path):
    np.save(tmp_path / "logits.npy", batch_of().logits)
    mapped = batch_of().replace(logits=np.load(tmp_path / "logits.npy", mmap_mode="r"))
    other = np.roll(mapped.targets, 1, 1)
    np.testing.assert_array_equal(analyze(mapped).losses_against(other), analyze(batch_of()).losses_against(other))


def test_losses_against_targets_keep_the_digits_of_a_sure_model():
    logits = np.array([[[1e4, 1e4 - 12.5, 0.0]]])
    analysis = analyze(Batch.from_arrays(logits=logits, targets=[[0]]))
    assert analysis.losses_against(np.array([[1]])) == pytest.approx(12.5 + np.log1p(np.exp(-12.5)), rel=1e-15)
    assert analysis.losses_against(np.array([[0]])) == pytest.approx(np.log1p(np.exp(-12.5)), rel=1e-10)


def test_losses_against_what_is_not_finite_or_no_class():
    broken = [[0.0, NAN, 1.0], [NAN, 0.0, 1.0], [0.0, INF, 1.0], [INF, 0.0, 1.0], [-INF, -INF, -INF], [-INF, 0.0, 0.0]]
    logits = np.array([[*broken, *[[0.0, 0.0, 0.0]] * 4]])
    targets = np.array([[0] * 6 + [0, -100, 3, 2**32]])
    actual = analyze(Batch.from_arrays(logits=logits, targets=targets)).losses_against(targets)
    np.testing.assert_allclose(actual, [[NAN] * 5 + [INF, np.log(3), NAN, NAN, NAN]], rtol=1e-15)


def test_losses_against_a_classifiers_other_label():
    batch = Batch.from_arrays(logits=[[[3.0], [-1.0]]], targets=[[1, 1]], lengths=[2])
    analysis = analyze(batch, Settings(reduction="classification"))
    assert (analysis.classes, analysis.is_classifier) == (2, True)
    np.testing.assert_allclose(analysis.losses_against(np.array([[0, 0]])), np.log1p(np.exp([[3.0, -1.0]])), rtol=1e-6)


@pytest.mark.parametrize(
    ("fields", "mask", "ends"),
    [
        ({"lengths": [6, 0, 2, 9]}, "lengths", [6, 0, 2, 6]),
        ({"lengths": [2.7, -1, 3, 6]}, "lengths", [2, 0, 3, 6]),
        ({"lengths": [6, 0, 2, 9]}, "none", [6, 6, 6, 6]),
        ({"weights": np.tri(4, 6, 1)}, "weights", [2, 3, 4, 5]),
        ({"weights": np.tri(4, 6, 1), "lengths": [5, 5, 5, 5]}, "weights", [5, 5, 5, 5]),
        ({"weights": np.zeros((4, 6))}, "weights", [0, 0, 0, 0]),
    ],
)
def test_ends_are_the_lengths_else_after_the_last_unmasked_timestep(fields, mask, ends):
    assert analyze(batch_of(**fields), Settings(mask=mask)).ends.tolist() == ends


def test_real_timesteps_are_the_mask_before_a_classifier_reads_one_of_them():
    batch = Batch.from_arrays(logits=np.zeros((1, 4, 1)), targets=[[1, 1, 1, 1]], lengths=[3])
    read = analyze(batch)
    assert (read.mask.tolist(), read.real_timesteps.tolist()) == (
        [[False, False, True, False]],
        [[True, True, True, False]],
    )
    softmax = analyze(batch, Settings(reduction="mean"))
    assert softmax.mask.tolist() == softmax.real_timesteps.tolist() == [[True, True, True, False]]


def test_odd_weights_and_classes_are_those_of_the_weights_in_use():
    batch = Batch.from_arrays(logits=np.zeros((1, 4, 3)), targets=[[0, 3, -1, 2]], weights=[[1, -1, 254, 0.5]])
    analysis = analyze(batch)
    assert analysis.odd_weights.tolist() == [[False, True, True, False]]
    assert analysis.is_class.tolist() == [[True, False, False, True]]


def test_derived_arrays_are_computed_once_and_read_only():
    analysis = analyze(batch_of(lengths=[6, 5, 4, 3]))
    for name in ("mask", "real_timesteps", "odd_weights", "ends", "is_class", "largest_logit", "logsumexp"):
        assert getattr(analysis, name) is getattr(analysis, name), name
        assert not getattr(analysis, name).flags.writeable, name
    assert analysis.batch.logits.flags.writeable

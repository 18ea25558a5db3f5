"""Batches that many tests share."""

import numpy as np
import pytest

from lossviz import Batch

GOLDEN_TARGETS = np.array([[2, 3, 4, 5, 1], [3, 0, 4, 1, 0], [4, 1, 0, 0, 0]])
GOLDEN_LOSSES = np.array([[0.7, 1.5, 3.5, 1.0, 0.1], [0.1, 0.9, 0.9, 0.5, 0.1], [4.0, 0.6, 0.2, 0.2, 0.2]])
GOLDEN_LENGTHS = np.array([5, 4, 2])
GOLDEN_FRACTIONS = np.array([[1, 1, 0.5, 0.5, 1], [2, 1, 1, 1, 0], [1, 0.5, 0, 0, 0]])


def logits_with_losses(losses: np.ndarray, targets: np.ndarray, classes: int) -> np.ndarray:
    """Logits [B, T, V], already normalised, whose cross entropy is `losses`; the other classes share the rest."""
    others = np.log(-np.expm1(-losses) / (classes - 1))
    is_target = np.arange(classes) == targets[..., None]
    return np.where(is_target, -losses[..., None], others[..., None])


@pytest.fixture(scope="session")
def golden() -> Batch:
    """The golden batch of conventions.md with its lengths; the row sums of the losses are known by heart."""
    return Batch.from_arrays(
        logits=logits_with_losses(GOLDEN_LOSSES, GOLDEN_TARGETS, 6),
        targets=GOLDEN_TARGETS,
        lengths=GOLDEN_LENGTHS,
        pad_id=0,
        eos_id=1,
    )


@pytest.fixture(scope="session")
def golden_weighted(golden: Batch) -> Batch:
    """The golden batch with `w_frac`, whose sum is 10.5 over 11 timesteps."""
    return golden.replace(lengths=None, weights=GOLDEN_FRACTIONS)


def small_batch(**changes: object) -> Batch:
    """Two sequences of three timesteps and four classes, lengths [3, 1], uniform logits; with changes."""
    arguments = {"logits": np.zeros((2, 3, 4)), "targets": [[1, 2, 3], [3, 0, 0]], "lengths": [3, 1]}
    return Batch.from_arrays(**{**arguments, **changes})


@pytest.fixture
def small() -> object:
    """`small_batch`, as a function of the arguments to change."""
    return small_batch

"""The golden batch of spec/conventions.md: losses known in advance, 11 timesteps that count, Σ 13.8, mean 1.2545…"""

from typing import Any

import numpy as np

from lossviz import Batch

TARGETS = np.array([[2, 3, 4, 5, 1], [3, 0, 4, 1, 0], [4, 1, 0, 0, 0]])
LOSS = np.array([[0.7, 1.5, 3.5, 1.0, 0.1], [0.1, 0.9, 0.9, 0.5, 0.1], [4.0, 0.6, 0.2, 0.2, 0.2]])
LENGTHS = np.array([5, 4, 2])
FRACTIONAL = np.array([[1, 1, 0.5, 0.5, 1], [2, 1, 1, 1, 0], [1, 0.5, 0, 0, 0]])
VOCABULARY = ("<pad>", "<eos>", "=1+1", "-", "the", "cat")


def golden_logits(targets: np.ndarray = TARGETS, loss: np.ndarray = LOSS, classes: int = 6) -> np.ndarray:
    """Logits [B, T, V] that are log probabilities: −loss at the target, the rest spread evenly."""
    logits = np.repeat(np.log((1 - np.exp(-loss)) / (classes - 1))[..., None], classes, axis=-1)
    np.put_along_axis(logits, targets[..., None], -loss[..., None], axis=-1)
    return logits


def golden_batch(**changes: Any) -> Batch:
    """The batch, with arguments of `Batch.from_arrays` added or replaced; None leaves one out."""
    fields = {"logits": golden_logits(), "targets": TARGETS, "lengths": LENGTHS, "title": "Golden batch"}
    return Batch.from_arrays(**{name: value for name, value in (fields | changes).items() if value is not None})

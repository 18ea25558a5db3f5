"""What a stage is: a model, its texts, and how it is measured. TensorFlow from here on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.theatre._recording import Frame, Group, Scene, Written

__all__ = ["SHOWN", "Actor", "Stage", "compiled", "grouped", "inside", "losses_of", "share"]

SHOWN = 8  # sequences of the fixed batch


class Stage(ABC):
    """One model on its texts; the fixed batch is the first 8 rows of the held-out text.

    Attributes:
        rows: of a minibatch.
        arrays: what is trained on, each [N, …], as the programs take them; the lengths [N] are the last.
        held_out: the same of texts that are not trained on, the fixed batch first.
        scene: what the runs are shown on.
        parts: the timesteps of the held-out text that each of the scene's groups has, [N, T] bool each.
    """

    rows: int
    arrays: tuple[np.ndarray, ...]
    held_out: tuple[np.ndarray, ...]
    scene: Scene
    parts: tuple[np.ndarray, ...]

    @abstractmethod
    def model(self, seed: int) -> Any:
        """A new model; the same seed gives the same weights."""

    @abstractmethod
    def actor(self, model: Any, bug: str) -> "Actor":
        """What a frame asks of the model."""


@dataclass(frozen=True)
class Actor:
    """What a frame asks of a model in training.

    Attributes:
        losses: the true loss [N, T] float64 of each timestep of the held-out text, padding too.
        parts: the timesteps of each group.
        write: what the model writes for the prompts.
        facts: the figures of the end.
    """

    losses: Callable[[], np.ndarray]
    parts: tuple[np.ndarray, ...]
    write: Callable[[], tuple[Written, ...]]
    facts: Callable[[], dict[str, float]]

    def frame(self, step: int, shape: tuple[int, int]) -> Frame:
        """The model after a step, on a fixed batch of this shape."""
        losses = self.losses()
        true = np.array([losses[part].mean() for part in self.parts])
        return Frame(step, losses[: shape[0], : shape[1]].astype(np.float32), true, self.write())


def losses_of(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """-ln softmax(logits)[target] in float64, [N, T] of [N, T, V]."""
    x = logits.astype(np.float64)
    x -= x.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(x, targets[..., None], axis=-1)[..., 0]
    losses: np.ndarray = np.log(np.exp(x).sum(axis=-1)) - chosen
    return losses


def grouped(parts: dict[str, np.ndarray]) -> tuple[tuple[Group, ...], tuple[np.ndarray, ...]]:
    """The groups of the timesteps [N, T] that each name has."""
    return tuple(Group(name, int(part.sum())) for name, part in parts.items()), tuple(parts.values())


def inside(lengths: np.ndarray, width: int) -> np.ndarray:
    """[N, T] bool: before each row's end."""
    within: np.ndarray = np.arange(width) < lengths[:, None]
    return within


def compiled(model: Any, *arrays: np.ndarray) -> Callable[[], np.ndarray]:
    """A function that gives the model's logits of these arrays."""
    inputs = tuple(tf.constant(array) for array in arrays)
    call = tf.function(lambda: model(inputs if len(inputs) > 1 else inputs[0]))
    return lambda: np.asarray(call().numpy())


def share(flags: Sequence[bool]) -> float:
    """The share of what is so, from 0 to 1."""
    return sum(flags) / len(flags)

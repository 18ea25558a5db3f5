"""What a stage is: a model, its texts, and how it is measured. TensorFlow from here on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.theatre._recording import Frame, Group, Scene, Written

__all__ = ["SHOWN", "Actor", "Program", "Replay", "Stage", "compiled", "grouped", "losses_of", "share"]

SHOWN = 8  # sequences of the fixed batch
Program = Callable[..., Any]


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
    def actor(self, model: Any, bug: str, program: Program) -> "Actor":
        """What a frame asks of the model, which is trained with this program."""


class Actor(ABC):
    """What a frame asks of a model in training.

    Args:
        stage: what it stands on.
        scores: gives the model's logits of the held-out text.
        program: the loss that it is trained with.
        parts: the timesteps of each group.
    """

    def __init__(
        self, stage: Stage, scores: Callable[[], np.ndarray], program: Program, parts: tuple[np.ndarray, ...]
    ) -> None:
        self.stage, self.scores, self.program, self.parts = stage, scores, program, parts

    @abstractmethod
    def losses(self, scores: np.ndarray) -> np.ndarray:
        """The true loss [N, T] float64 of each timestep of the held-out text, padding too."""

    @abstractmethod
    def replay(self, scores: np.ndarray) -> Any:
        """A model that answers the fixed batch with these logits."""

    @abstractmethod
    def written(self, scores: np.ndarray) -> tuple[Written, ...]:
        """What the model writes for the prompts."""

    @abstractmethod
    def facts(self) -> dict[str, float]:
        """The figures of the end."""

    def frame(self, step: int) -> Frame:
        """The model after a step."""
        scores = self.scores()
        losses = self.losses(scores)
        rows, width = self.stage.scene.targets.shape
        return Frame(
            step=step,
            losses=losses[:rows, :width].astype(np.float32),
            prints=self._printed(scores[:rows, :width]),
            told=self._printed(scores),
            true=np.array([losses[part].mean() for part in self.parts]),
            texts=self.written(scores),
        )

    def _printed(self, scores: np.ndarray) -> float:
        """What the program prints for the first rows, [N, T] timesteps of the held-out text, sorted as in training."""
        count, width = scores.shape[:2]
        rows = np.argsort(self.stage.held_out[-1][:count], kind="stable")
        batch = (array[rows] if array.ndim == 1 else array[rows, :width] for array in self.stage.held_out)
        return float(self.program(self.replay(scores[rows]), *map(tf.constant, batch)))


class Replay:
    """Stands for a model in a program: answers with logits that are known already.

    Args:
        scores: what it answers.
        stop_id: of an encoder-decoder.
    """

    def __init__(self, scores: np.ndarray, stop_id: int = 0) -> None:
        self.scores, self.stop_id = tf.constant(scores), stop_id

    def __call__(self, _inputs: Any) -> Any:
        return self.scores

    def run_lstm(self, _ids: Any) -> tuple[Any, None]:
        """What a classifier's program asks first: both halves."""
        return (self.scores, self.scores), None

    def logits_layer(self, read: Any) -> Any:
        """What it asks next, of what it reads of both halves."""
        return read[:, :1]


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


def compiled(model: Any, *arrays: np.ndarray) -> Callable[[], np.ndarray]:
    """A function that gives the model's logits of these arrays."""
    inputs = tuple(tf.constant(array) for array in arrays)
    call = tf.function(lambda: model(inputs if len(inputs) > 1 else inputs[0]), autograph=False)
    return lambda: np.asarray(call().numpy())


def share(flags: Sequence[bool]) -> float:
    """The share of what is so, from 0 to 1."""
    return sum(flags) / len(flags)

"""Models trained step by step on the same rows, each with its own loss; loads TensorFlow.

>>> from lossviz.theatre import Settings
>>> type(next(rehearse(Settings("reviews", "last-column", steps=1)))).__name__
'Opened'
"""

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossviz.models import minibatches, training_step
from lossviz.theatre._recording import Frame
from lossviz.theatre._settings import RIGHT, Settings, frame_steps, words
from lossviz.theatre._stage import Stage
from lossviz.theatre.events import Ended, Event, Framed, Opened, Stepped

__all__ = ["Cast", "rehearse", "versions"]

CLIP_NORM = 5.0


class Cast:
    """A model in several copies, one for each loss: the same weights, the same rows in the same order.

    The dropout is off, sums are made in one order, which can't be undone in this process, and nothing is drawn while
    training: the same arguments give the same numbers again on the same machine.

    Args:
        model: one of `MODELS`.
        bugs: the losses, by their names; "right" for the one without a bug.
        optimizer: one of `OPTIMIZERS`.
        seed: of the weights and of the order of the rows.
    """

    def __init__(self, model: str, bugs: Sequence[str], optimizer: str, seed: int) -> None:
        tf.config.experimental.enable_op_determinism()
        self.stage, self._seed = _stage(model), seed
        models = [self.stage.model(seed) for _ in bugs]
        programs = import_module(f"lossviz.theatre.programs.{model}")
        losses = [getattr(programs, words(bug)) for bug in bugs]
        self._steps = [_step(one, loss, _optimizer(optimizer)) for one, loss in zip(models, losses, strict=True)]
        self._actors = [self.stage.actor(*given) for given in zip(models, bugs, losses, strict=True)]

    def steps(self, count: int) -> Iterator[list[float]]:
        """Train them for some steps; gives what each program printed, step by step."""
        arrays, lengths = self.stage.arrays, self.stage.arrays[-1]
        for chosen in minibatches(len(lengths), self.stage.rows, count, self._seed):
            ordered = chosen[np.argsort(lengths[chosen], kind="stable")]  # by length, as loaders with buckets do
            batch = [tf.constant(array[ordered]) for array in arrays]
            yield [float(step(*batch)) for step in self._steps]

    def frames(self, step: int) -> list[Frame]:
        """Each of them as it is now, after a step."""
        return [actor.frame(step) for actor in self._actors]

    def facts(self) -> list[dict[str, float]]:
        """The figures of the end, of each."""
        return [actor.facts() for actor in self._actors]


def rehearse(settings: Settings) -> Iterator[Event]:
    """Train a pair, and give what happens: the scene, each step, each frame, the facts of the end."""
    cast = Cast(settings.model, (RIGHT, settings.bug), settings.optimizer, settings.seed)
    shown = frame_steps(settings.steps)
    yield Opened(cast.stage.scene, versions())
    yield Framed(*cast.frames(0))
    for done, printed in enumerate(cast.steps(settings.steps), start=1):
        yield Stepped(*printed)
        if done in shown:
            yield Framed(*cast.frames(done))
    yield Ended(*cast.facts())


def versions() -> dict[str, str]:
    """Of what computes the numbers."""
    return {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__}


def _step(model: Any, loss: Callable[..., Any], optimizer: Any) -> Callable[..., Any]:
    optimizer.build(model.trainable_variables)  # else the first step would be traced twice
    step = training_step(model, optimizer, lambda *batch: (loss(model, *batch), 1))
    function: Callable[..., Any] = tf.function(step, autograph=False)
    return function


def _optimizer(name: str) -> Any:
    if name == "sgd":
        return keras.optimizers.SGD(1.0, momentum=0.9, global_clipnorm=CLIP_NORM)
    return keras.optimizers.Adam(0.01, global_clipnorm=CLIP_NORM)


def _stage(name: str) -> Stage:
    from lossviz.theatre import _characters, _dates, _reviews

    stages: dict[str, type[Stage]] = {
        "characters": _characters.Characters,
        "dates": _dates.Dates,
        "reviews": _reviews.Reviews,
    }
    return stages[name]()

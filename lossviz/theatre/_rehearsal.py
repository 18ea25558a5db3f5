"""Two models trained step by step on the same rows: one with the right loss, one with the bug."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossviz.models import minibatches, training_step
from lossviz.theatre._growing import Ended, Event, Framed, Opened, Stepped
from lossviz.theatre._settings import RIGHT, Settings, frame_steps, words
from lossviz.theatre._stage import Actor, Stage

__all__ = ["rehearse"]

CLIP_NORM = 5.0


@dataclass(frozen=True)
class _Half:
    """One of the two models, on its way."""

    step: Callable[..., Any]
    actor: Actor


def rehearse(settings: Settings) -> Iterator[Event]:
    """Train both models, and give what happens: the scene, each step, each frame, the facts of the end.

    The dropout is off, the sums are in one order, and nothing is drawn while training: the same settings give the same
    frames on the same machine.
    """
    tf.config.experimental.enable_op_determinism()  # can't be turned off again in this process
    stage = _stage(settings.model)
    halves = [_half(stage, settings, bug) for bug in (RIGHT, settings.bug)]
    shape = stage.scene.targets.shape
    yield Opened(stage.scene, _versions())

    def framed(step: int) -> Framed:
        return Framed(*(half.actor.frame(step, shape) for half in halves))

    yield framed(0)
    lengths, shown = stage.arrays[-1], set(frame_steps(settings.steps))
    rows = minibatches(len(lengths), stage.rows, settings.steps, settings.seed)
    for step, chosen in enumerate(rows, start=1):
        ordered = chosen[np.argsort(lengths[chosen], kind="stable")]  # by length, as bucketing loaders do
        batch = [tf.constant(array[ordered]) for array in stage.arrays]
        yield Stepped(*(float(half.step(*batch)) for half in halves))
        if step in shown:
            yield framed(step)
    yield Ended(*(half.actor.facts() for half in halves))


def _half(stage: Stage, settings: Settings, bug: str) -> _Half:
    model = stage.model(settings.seed)
    loss = getattr(import_module(f"lossviz.theatre.programs.{settings.model}"), words(bug))
    optimizer = _optimizer(settings.optimizer)
    optimizer.build(model.trainable_variables)
    step = training_step(model, optimizer, lambda *batch: (loss(model, *batch), 1))
    return _Half(tf.function(step), stage.actor(model, bug))


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


def _versions() -> dict[str, str]:
    return {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__}

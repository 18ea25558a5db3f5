"""Keras 3, on TensorFlow, JAX and PyTorch: a callback and a metric in one object.

A callback never sees the batch; a metric does, inside the compiled step. The metric keeps the batch in variables of a
fixed shape, which every backend can compile; the callback reads them when the step has ended.
"""

from pathlib import Path
from typing import Any

import numpy as np

from lossviz.errors import InputError, require

require("keras", "Recording Keras", "keras")

import keras  # noqa: E402
from keras import ops  # noqa: E402

from lossviz.recording._recorder import Recorder  # noqa: E402
from lossviz.recording._settings import LOGITS_BYTES, recording_settings  # noqa: E402

__all__ = ["KerasRecorder"]

_SEES_MASKS = keras.backend.backend() != "jax"  # there the loss sees the mask, and metrics get a new array without it


class KerasRecorder(keras.callbacks.Callback, keras.metrics.Metric):  # type: ignore[misc]
    """Records what `fit` trains on: `compile(…, weighted_metrics=[recorder])` and `fit(…, callbacks=[recorder])`.

    Steps are counted from 0, over all epochs. Recorded are the first `sequences` rows of a batch. The loss that Keras
    prints is a mean over the steps of the epoch so far. With the JAX backend the mask of the layers can't be seen.

    Args:
        path: the folder of the run.
        from_logits: whether the model gives logits; by default what the model's loss was told.
        settings: those of `Recorder`.

    Raises:
        InputError: if a setting can't be used, or the number of timesteps is not known when the step is compiled.

    >>> KerasRecorder("run/", every=10).name
    'lossviz'
    """

    def __init__(self, path: str | Path, *, from_logits: bool | None = None, **settings: Any) -> None:
        keras.callbacks.Callback.__init__(self)
        keras.metrics.Metric.__init__(self, name="lossviz")
        self._known = recording_settings(settings)
        self._path, self._options, self._from_logits = Path(path), settings, from_logits
        self._recorder: Recorder | None = None
        self._step = 0
        self._before = 0.0
        self._live = False
        self._kept: dict[str, Any] = {}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Keep targets [B, T], losses and weights of a batch; called inside the compiled step.

        Raises:
            InputError: if the number of timesteps is not known.
        """
        self._live = _mask(y_pred) is not None
        targets = _targets(y_true, y_pred)
        weights = _weights(y_pred, sample_weight, targets)
        losses = _losses(targets, y_pred, self._gives_logits())
        rows = ops.ones_like(targets[:, 0])
        self._make_variables(*y_pred.shape[1:])
        values = {"targets": targets, "losses": losses, "weights": weights, "rows": rows}
        if "logits" in self._kept:
            values["logits"] = _logits(y_pred, self._gives_logits())
        for name, value in values.items():
            self._kept[name].assign(self._fitted(value, self._kept[name].dtype))
        self._kept["count"].assign(ops.cast(ops.sum(ops.cast(rows, "int32")), "int32"))

    def result(self) -> dict[str, Any]:
        """Nothing that `fit` would print."""
        return {}

    def reset_state(self) -> None:
        """Nothing is added up."""

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Begin to record."""
        self._recorder = self._recorder or Recorder(self._path, trainer="keras", **self._options)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Record the step that has ended, where it is one of those that are recorded."""
        printed = float((logs or {}).get("loss", np.nan))
        step, self._step = self._step, self._step + 1
        if self._recorder is not None and self._recorder.wants(step):
            model = self.model  # on JAX this brings the variables up to date
            self._record(step, batch, printed, model)
        self._before = printed

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
        """End the recording."""
        if self._recorder is not None:
            self._recorder.close()

    def _record(self, step: int, batch: int, printed: float, model: Any) -> None:
        kept = {name: variable.numpy() for name, variable in self._kept.items()}
        rows = kept.pop("rows") > 0
        if "logits" in kept:
            del kept["losses"]
        if not (self._live and _SEES_MASKS) and (kept["weights"][rows] == 1).all():
            del kept["weights"]  # nothing was weighted or masked, or it can't be seen
        loss = model.loss
        details = {
            "loss": loss if isinstance(loss, str) else type(loss).__name__,
            "reduction": getattr(loss, "reduction", "sum_over_batch_size"),
            "keras_mask": self._live if _SEES_MASKS else None,
            "rows": int(kept.pop("count")),
        }
        if self._recorder is not None:
            self._recorder.step(
                step=step,
                loss=printed * (batch + 1) - self._before * batch if batch else printed,
                reported=f"{printed:.6g}",
                window=batch + 1,
                details=details,
                **{name: values[rows] for name, values in kept.items()},
            )

    def _gives_logits(self) -> bool:
        if self._from_logits is not None or self._model is None:
            return bool(self._from_logits)
        return bool(getattr(self._model.loss, "from_logits", False))

    def _make_variables(self, timesteps: int | None, classes: int) -> None:
        if timesteps is None:
            raise InputError("The number of timesteps is unknown when the step is compiled. Pad all batches to one T.")
        shape = (self._known.sequences, timesteps)
        wanted = {
            "targets": (shape, "int32"),
            "losses": (shape, "float32"),
            "weights": (shape, "float32"),
            "rows": (shape[:1], "int32"),
            "count": ((), "int32"),
        }
        if self._known.logits == "auto" and 1 < classes <= LOGITS_BYTES // (4 * shape[0] * timesteps):
            wanted["logits"] = ((*shape, classes), "float32")
        for name, (size, kind) in wanted.items():
            if name not in self._kept:
                self._kept[name] = self.add_variable(size, "zeros", dtype=kind, name=name)

    def _fitted(self, value: Any, kind: str) -> Any:
        """The first rows of a batch, filled up to as many as are kept."""
        most = self._known.sequences
        head = ops.cast(value, kind)[:most]
        missing = most - ops.shape(head)[0]
        return ops.pad(head, [[0, missing]] + [[0, 0]] * (len(head.shape) - 1))


def _targets(y_true: Any, y_pred: Any) -> Any:
    """[B, T] from labels [B, T], [B, T, 1] or one-hot [B, T, V]."""
    if len(y_true.shape) == 2:
        return y_true
    one_hot = y_true.shape[-1] == y_pred.shape[-1] and y_pred.shape[-1] != 1
    return ops.argmax(y_true, -1) if one_hot else y_true[..., 0]


def _weights(y_pred: Any, sample_weight: Any, targets: Any) -> Any:
    """The sample weights times the mask of the layers, as Keras multiplies them."""
    weights = ops.ones_like(targets, dtype="float32")
    if sample_weight is not None:
        given = ops.cast(sample_weight, "float32")
        given = given[:, None] if len(given.shape) == 1 else ops.reshape(given, ops.shape(targets))
        weights = weights * given
    mask = _mask(y_pred)
    return weights if mask is None else ops.where(mask, weights, 0.0)


def _mask(y_pred: Any) -> Any:
    """The mask that the layers handed on, wherever Keras keeps it."""
    get = getattr(keras.src.backend, "get_keras_mask", None)
    return get(y_pred) if get else getattr(y_pred, "_keras_mask", None)


def _logits(y_pred: Any, from_logits: bool) -> Any:
    """Logits; of probabilities their logarithm, clipped as Keras clips them, whose softmax they are."""
    scores = ops.cast(y_pred, "float32")
    return scores if from_logits else ops.log(ops.clip(scores, keras.config.epsilon(), 1.0))


def _losses(targets: Any, y_pred: Any, from_logits: bool) -> Any:
    """The loss of each timestep as Keras computes it; NaN where the label is no class."""
    classes = y_pred.shape[-1]
    labels = ops.cast(targets, "int32")
    known = ops.logical_and(labels >= 0, labels < max(classes, 2))
    safe = ops.where(known, labels, 0)
    if classes == 1:
        losses = keras.losses.binary_crossentropy(ops.cast(safe, "float32")[..., None], y_pred, from_logits=from_logits)
    else:
        losses = keras.losses.sparse_categorical_crossentropy(safe, y_pred, from_logits=from_logits)
    return ops.where(known, losses, float("nan"))

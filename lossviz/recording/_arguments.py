"""The arguments of `Recorder.step`: checked, cut down to the recorded rows, and copied to NumPy."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossviz.errors import InputError, did_you_mean
from lossviz.recording._disk.step import RecordedStep
from lossviz.recording._libraries import take_rows, to_numpy
from lossviz.recording._measure import timestep_losses
from lossviz.recording._settings import LOGITS_BYTES, RecordingSettings

__all__ = ["recorded_step"]

_LOSSES = ("losses", "log_probs", "logits")
_INTEGERS = ("inputs", "segment_ids", "attention_mask")
_ARRAYS = ("weights", "known", *_INTEGERS)
_NUMBERS = ("micro_batch", "reported", "window", "loss", "accumulation", "num_items")
_KNOWN = (*_LOSSES, *_ARRAYS, "lengths", *_NUMBERS, "details")


def recorded_step(step: int, targets: Any, given: Mapping[str, Any], settings: RecordingSettings) -> RecordedStep:
    """Make the recorded rows of one micro-batch from what a training loop handed over.

    Raises:
        InputError: if an array is missing, unknown, or does not fit the targets.
    """
    given = {name: value for name, value in given.items() if value is not None}
    source = _source(given)
    count, timesteps = _shape("targets", targets, 2)
    rows = settings.rows(step, count)
    taken = {name: _taken(name, given[name], rows, (count, timesteps)) for name in (source, *_ARRAYS) if name in given}
    labels = _integers("targets", take_rows(_plain(targets), rows))
    losses, known = _losses(source, taken[source], labels)
    done = RecordedStep(
        step=int(step),
        targets=labels,
        losses=losses,
        known=known if "known" not in taken else known & (to_numpy("known", taken["known"]) != 0),
        row=np.arange(count) if rows is None else rows,
        rows=count,
        arrays=_arrays(taken),
        numbers={"micro_batch": 0, "rank": settings.rank, "world": settings.world} | _numbers(given),
        details=dict(given.get("details", {})),
    )
    if "lengths" in given:
        done.arrays["length"] = _lengths(given["lengths"], count, rows)
    if source == "logits":
        _add_logits(done, taken[source], settings)
    return done


def _source(given: Mapping[str, Any]) -> str:
    """Which of losses, log-probabilities and logits was given."""
    if unknown := [name for name in given if name not in _KNOWN]:
        raise InputError(f"`step` has no argument `{unknown[0]}`.{did_you_mean(unknown[0], _KNOWN)}")
    found = [name for name in _LOSSES if name in given]
    if len(found) != 1:
        got = " and ".join(f"`{name}`" for name in found) or "none of them"
        raise InputError(f"`step` needs one of `losses`, `log_probs` and `logits`; got {got}.")
    return found[0]


def _plain(value: Any) -> Any:
    return value if hasattr(value, "shape") else np.asarray(value)


def _shape(name: str, value: Any, rank: int) -> tuple[int, ...]:
    shape = tuple(_plain(value).shape)
    if len(shape) != rank:
        raise InputError(f"`{name}` must have rank {rank}; got shape {shape}. A single sequence needs `{name}[None]`.")
    return shape


def _taken(name: str, value: Any, rows: np.ndarray | None, shape: tuple[int, ...]) -> Any:
    found = _shape(name, value, 3 if name == "logits" else 2)
    if found[:2] != shape:
        raise InputError(f"`{name}` must have shape {shape} on its first two axes, that of `targets`; got {found}.")
    return take_rows(_plain(value), rows)


def _integers(name: str, value: Any) -> np.ndarray:
    array = to_numpy(name, value)
    if array.size and array.dtype.kind not in "iub":
        raise InputError(f"`{name}` must be integers; got {array.dtype.name}.")
    return array.astype(np.int64)


def _lengths(value: Any, count: int, rows: np.ndarray | None) -> np.ndarray:
    shape = tuple(_plain(value).shape)
    if shape != (count,):
        raise InputError(f"`lengths` must have shape ({count},), one per sequence; got {shape}.")
    return _integers("lengths", take_rows(_plain(value), rows))


def _losses(source: str, value: Any, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The losses in nats, and where they are known: from logits, wherever the target is a class."""
    if source == "logits":
        losses = timestep_losses(value, labels)
        classes = max(value.shape[2], 2)
        return losses, (labels >= 0) & (labels < classes)
    losses = to_numpy(source, value).astype(np.float32)
    return (0 - losses if source == "log_probs" else losses), np.ones(labels.shape, bool)


def _arrays(taken: Mapping[str, Any]) -> dict[str, np.ndarray]:
    arrays = {name: _integers(name, taken[name]) for name in _INTEGERS if name in taken}
    if "weights" in taken:
        arrays["weights"] = to_numpy("weights", taken["weights"]).astype(np.float32)
    return arrays


def _numbers(given: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: _scalar(name, given[name]) for name in _NUMBERS if name in given}
    if "reported" in numbers:
        numbers = {"window": 1} | numbers
    return numbers


def _scalar(name: str, value: Any) -> Any:
    if name == "reported":
        return (
            value if isinstance(value, str) else str(to_numpy(name, value).reshape(-1)[0])
        )  # as many digits as it has
    number = float(to_numpy(name, value))
    return number if name in ("loss", "num_items") else int(number)


def _add_logits(done: RecordedStep, logits: Any, settings: RecordingSettings) -> None:
    """Keep V, and the logits themselves where they are few."""
    done.numbers["classes"] = int(logits.shape[2])
    if settings.logits == "auto" and 4 * done.losses.size * logits.shape[2] <= LOGITS_BYTES:
        done.arrays["logits"] = to_numpy("logits", logits).astype(np.float32)

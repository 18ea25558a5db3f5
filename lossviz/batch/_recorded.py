"""Checks of what a loop recorded instead of logits: losses or log-probabilities, and what goes with them."""

from typing import Any

import numpy as np

from lossviz.arrays import as_array, as_integers, is_floating
from lossviz.errors import InputError

__all__ = ["RECORDED", "checked_losses", "checked_recorded"]

Array = np.ndarray
RECORDED = ("entropy", "rank", "top_classes", "top_probabilities")
ROUNDING = 0.1
"""How far below 0 a loss may lie: half precision rounds log Σ exp − z that far."""


def checked_losses(losses: Any, log_probs: Any) -> Array:
    """Losses [B, T] in nats, float64 and read-only, from themselves or from log-probabilities; NaN: not recorded.

    Raises:
        InputError: if neither or both were passed, the rank is not 2, or the sign is wrong.

    >>> checked_losses(None, [[-0.5, np.nan]]).tolist()
    [[0.5, nan]]
    >>> checked_losses([[-0.5, -2.0]], None)
    Traceback (most recent call last):
    lossviz.errors.InputError: `losses` must be 0 or more, −log p of the target; got -0.5 at sequence 0, timestep 0. \
If they are log-probabilities, pass them as `log_probs`.
    """
    if losses is not None and log_probs is not None:
        raise InputError("`losses` and `log_probs` say the same with opposite signs; pass one of them, not both.")
    if losses is None and log_probs is None:
        raise InputError("A batch needs `logits` [B, T, V], or `losses` or `log_probs` [B, T]; got none of them.")
    if losses is not None:
        hint = "`losses` must be 0 or more, −log p of the target", "log-probabilities, pass them as `log_probs`"
        return _signed(_plane("losses", losses), hint, 1)
    hint = "`log_probs` must be 0 or less, log p of the target", "losses, pass them as `losses`"
    return _signed(_plane("log_probs", log_probs), hint, -1)


def checked_recorded(shape: tuple[int, int], **given: Any) -> dict[str, Any]:
    """`entropy` and `rank` [B, T], `top_classes` and `top_probabilities` [B, T, K], where they were recorded.

    Raises:
        InputError: if a shape or dtype is wrong, or only one of the last two was passed.
    """
    if (given["top_classes"] is None) != (given["top_probabilities"] is None):
        raise InputError("`top_classes` and `top_probabilities` belong together; pass both or neither.")
    found: dict[str, Any] = dict.fromkeys(RECORDED)
    for name in ("entropy", "rank"):
        if given[name] is not None:
            found[name] = _numbers(name, given[name], shape)
    if given["top_classes"] is not None:
        classes = as_array("top_classes", given["top_classes"])
        if classes.ndim != 3 or classes.shape[:2] != shape:
            raise InputError(
                f"`top_classes` must have shape ({shape[0]}, {shape[1]}, K), the first two axes of `losses`; "
                f"got {classes.shape}."
            )
        found["top_classes"] = as_integers("top_classes", classes, classes.shape)
        found["top_probabilities"] = _numbers("top_probabilities", given["top_probabilities"], classes.shape)
    return found


def _numbers(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Numbers of any width as a read-only float64 array, copied; NaN and infinities are kept."""
    array = as_array(name, value)
    if array.dtype.kind not in "iuf" and not is_floating(array.dtype):
        raise InputError(f"`{name}` must be numbers; got {array.dtype.name}.")
    if array.shape != shape:
        raise InputError(f"`{name}` must have shape {shape}; got {array.shape}.")
    with np.errstate(invalid="ignore"):  # a signalling NaN
        array = array.astype(np.float64)
    array.flags.writeable = False
    return array


def _plane(name: str, value: Any) -> Array:
    array = as_array(name, value)
    if array.ndim != 2:
        raise InputError(
            f"`{name}` must have rank 2, (sequences, timesteps); got shape {array.shape}. "
            f"A single sequence needs `{name}[None]`; flat ones need `{name}.reshape(B, T)`."
        )
    return _numbers(name, array, array.shape)


def _signed(values: Array, hint: tuple[str, str], sign: int) -> Array:
    """Losses of values whose sign is right: rounding may take some of them just past 0, a wrong sign takes all."""
    with np.errstate(invalid="ignore"):  # a signalling NaN
        losses = values + 0.0 if sign > 0 else 0.0 - values
    below = losses < 0
    if below.any() and (losses[below].min() < -ROUNDING or not (losses > 0).any()):
        row, timestep = np.argwhere(below)[0]
        raise InputError(
            f"{hint[0]}; got {values[row, timestep]} at sequence {row}, timestep {timestep}. If they are {hint[1]}."
        )
    losses.flags.writeable = False
    return losses

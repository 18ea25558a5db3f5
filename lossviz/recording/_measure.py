"""The loss of each timestep from logits, computed where the logits live; only [B, T] numbers are copied.

One logit is a classifier's: the loss of the sigmoid. Computed in float32 on a device and in float64 by NumPy, in
slices, so that a wide vocabulary needs no second copy of the logits. A target that is no class has no loss: NaN.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from lossviz.recording._libraries import library_of, to_numpy

__all__ = ["timestep_losses"]

_SLICE = 1 << 24  # logits that are looked at together
_NUMPY_SLICE = 1 << 18  # by NumPy: its float64 copies stay in the cache, and their memory is used again


def timestep_losses(logits: Any, targets: Any) -> np.ndarray:
    """Compute −log softmax(logits)[target] of every timestep.

    Args:
        logits: [B, T, V], of NumPy, PyTorch, JAX or TensorFlow.
        targets: [B, T] integers.

    Returns:
        [B, T] float32, in nats.

    >>> timestep_losses(np.zeros((1, 2, 4)), np.array([[3, -100]])).tolist()  # ln 4, and no class
    [[1.3862943649291992, nan]]
    """
    sequences, timesteps, classes = logits.shape
    flat = logits.reshape(-1, classes) if library_of(logits) != "tensorflow" else _tf().reshape(logits, (-1, classes))
    labels = to_numpy("targets", targets).reshape(-1)
    known = (labels >= 0) & (labels < max(classes, 2))
    safe = np.where(known, labels, 0)
    compute = _LOSSES[library_of(logits)]
    step = max(1, (_NUMPY_SLICE if compute is _numpy else _SLICE) // max(1, classes))
    parts = [compute(flat[at : at + step], safe[at : at + step]) for at in range(0, len(safe), step)]
    losses = np.concatenate(parts) if parts else np.zeros(0)
    return np.where(known, losses, np.nan).astype(np.float32).reshape(sequences, timesteps)


def _numpy(logits: Any, labels: np.ndarray) -> np.ndarray:
    scores = np.asarray(logits, np.float64)
    if scores.shape[1] == 1:
        return np.asarray(np.logaddexp(0, np.where(labels == 1, -1, 1) * scores[:, 0]))
    highest = scores.max(axis=1, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(highest), highest, 0)  # +inf − +inf is NaN, as in every library
    with np.errstate(all="ignore"):
        log_sum = np.log(np.exp(scores - shift).sum(axis=1)) + shift[:, 0]
        return np.asarray(log_sum - scores[np.arange(len(labels)), labels])


def _torch(logits: Any, labels: np.ndarray) -> np.ndarray:
    torch = sys.modules["torch"]
    functional = torch.nn.functional
    with torch.no_grad(), torch.overrides.BaseTorchFunctionMode(), torch.autocast(logits.device.type, enabled=False):
        scores = logits.detach().float()
        where = torch.as_tensor(labels, device=scores.device)
        if scores.shape[1] == 1:
            losses = functional.softplus(torch.where(where == 1, -1.0, 1.0) * scores[:, 0])
        else:
            losses = functional.cross_entropy(scores, where, reduction="none")
        return np.asarray(losses.cpu().numpy())


def _jax(logits: Any, labels: np.ndarray) -> np.ndarray:
    jax = sys.modules["jax"]
    jnp = jax.numpy
    scores = logits.astype(jnp.float32)
    if scores.shape[1] == 1:
        return np.asarray(jax.nn.softplus(jnp.where(labels == 1, -1, 1) * scores[:, 0]))
    chosen = jnp.take_along_axis(scores, labels[:, None], axis=1)[:, 0]
    return np.asarray(jax.nn.logsumexp(scores, axis=1) - chosen)


def _tensorflow(logits: Any, labels: np.ndarray) -> np.ndarray:
    tf = _tf()
    scores = tf.cast(logits, tf.float32)
    if scores.shape[1] == 1:
        return np.asarray(tf.nn.softplus(np.where(labels == 1, -1, 1).astype(np.float32) * scores[:, 0]))
    return np.asarray(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores))


def _tf() -> Any:
    return sys.modules["tensorflow"]


_LOSSES: dict[str, Callable[[Any, np.ndarray], np.ndarray]] = {
    "numpy": _numpy,
    "torch": _torch,
    "jax": _jax,
    "tensorflow": _tensorflow,
}

"""One call of `torch.nn.functional.cross_entropy`: its [B, T], and the formula of what it returned.

Loops flatten logits to [N, V] and targets to [N]. B and T are recovered from the tensor that the targets are a view of,
or from the sizes that autograd keeps to undo the view of the logits.
"""

from dataclasses import dataclass
from typing import Any

import torch

from lossviz.errors import InputError

__all__ = ["CrossEntropyCall", "read_call"]


_NAMES = ("input", "target", "weight", "size_average", "ignore_index", "reduce", "reduction", "label_smoothing")
_DEFAULTS = {"weight": None, "ignore_index": -100, "reduction": "mean", "label_smoothing": 0.0}
_DEPTH = 6  # how far up the graph a view is looked for


@dataclass(frozen=True)
class CrossEntropyCall:
    """What was passed and returned.

    Attributes:
        logits: [B, T, V].
        targets: [B, T].
        weights: [B, T], each target's class weight, 0 where it is ignored; None without class weights.
        loss: the number that was returned, or None where `reduction` is "none".
        details: the function's options, and whether B and T could not be told (`flat`).
    """

    logits: Any
    targets: Any
    weights: Any
    loss: float | None
    details: dict[str, Any]

    def arguments(self) -> dict[str, Any]:
        """The arguments of `Recorder.step`."""
        arrays = {"targets": self.targets, "logits": self.logits, "weights": self.weights}
        return {**arrays, "loss": self.loss, "details": self.details}


def read_call(
    arguments: tuple[Any, ...], options: dict[str, Any], result: Any, timesteps: int | None
) -> CrossEntropyCall:
    """Read a call.

    Raises:
        InputError: if it is not about one class a timestep.
    """
    given = _DEFAULTS | dict(zip(_NAMES, arguments, strict=False)) | options
    logits, targets = given["input"], given["target"]
    if targets.is_floating_point():
        raise InputError("its targets are probabilities. Record the batch with `Recorder.step(losses=…)`.")
    logits, targets, flat = _with_axes(logits, targets, timesteps)
    return CrossEntropyCall(
        logits=logits.detach(),
        targets=targets,
        weights=_weights(given["weight"], targets, given["ignore_index"]),
        loss=result.item() if result.ndim == 0 else None,
        details={
            "function": "cross_entropy",
            "ignore_index": given["ignore_index"],
            "reduction": given["reduction"],
            "label_smoothing": given["label_smoothing"],
            "class_weights": given["weight"] is not None,
            "flat": flat,
        },
    )


def _with_axes(logits: Any, targets: Any, timesteps: int | None) -> tuple[Any, Any, bool]:
    """Logits [B, T, V], targets [B, T], and whether B and T are a guess."""
    if logits.ndim == 3:  # [B, V, T]
        return logits.movedim(1, 2), targets, False
    if logits.ndim != 2 or targets.ndim != 1:
        raise InputError(f"its logits have shape {tuple(logits.shape)}; those of sequences have rank 2 or 3.")
    shape = _shape(logits, targets, timesteps)
    rows, steps = shape or (1, len(targets))
    return logits.reshape(rows, steps, -1), targets.reshape(rows, steps), shape is None


def _shape(logits: Any, targets: Any, timesteps: int | None) -> tuple[int, int] | None:
    count = len(targets)
    if timesteps is not None:
        if count % timesteps:
            raise InputError(f"`timesteps` is {timesteps}, which does not divide the {count} timesteps of the call.")
        return count // timesteps, timesteps
    base = targets._base
    if base is not None and base.ndim == 2 and base.numel() == count:
        return int(base.shape[0]), int(base.shape[1])
    return _saved_shape(logits.grad_fn, count, logits.shape[1])


def _saved_shape(node: Any, count: int, classes: int) -> tuple[int, int] | None:
    """(B, T) from the sizes that a view keeps for its gradient: [B, T, V] before it was [B·T, V]."""
    for _ in range(_DEPTH):
        if node is None:
            return None
        sizes = tuple(getattr(node, "_saved_self_sym_sizes", ()))
        if len(sizes) == 3 and sizes[0] * sizes[1] == count and sizes[2] == classes:
            return int(sizes[0]), int(sizes[1])
        node = node.next_functions[0][0] if node.next_functions else None
    return None


def _weights(class_weights: Any, targets: Any, ignore_index: int) -> Any:
    """The class weight of each target; PyTorch divides the mean by their sum."""
    if class_weights is None:
        return None
    known = (targets != ignore_index) & (targets >= 0) & (targets < len(class_weights))
    return torch.where(known, class_weights.detach()[torch.where(known, targets, 0)], 0)

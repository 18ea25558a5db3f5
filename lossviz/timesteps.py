"""The numbers of every timestep: as the engine computes them from logits, or as a loop recorded them."""

from dataclasses import dataclass, fields

import numpy as np

__all__ = ["TOP", "Timesteps", "recorded_timesteps"]

Array = np.ndarray
TOP = 5
"""How many of the likeliest classes are kept."""


@dataclass(frozen=True, eq=False)
class Timesteps:
    """What the model said at every timestep; NumPy arrays [B, T], whatever the mask.

    A target outside [0, V) has loss, probability and gradient_norm NaN and rank 0; its entropy and top classes are
    right. A row of logits that holds NaN or +inf has loss, probability, entropy and gradient_norm NaN, as TensorFlow's
    own op gives; -inf at the target gives the loss inf, elsewhere it is a class that can't be.

    Attributes:
        loss: -ln p of the target, nats, float64.
        probability: p of the target, float64.
        entropy: of the whole distribution, nats, float64.
        gradient_norm: ‖softmax - onehot‖₂, not yet times weight / divisor, float64.
        rank: 1 + the count of classes with a strictly greater logit, int32.
        non_finite: the count of NaN and ±inf logits, int32.
        top_classes: the five largest logits' classes, the lowest index first in a tie, NaN counted as -inf,
            int32 [B, T, 5]; -1 where V < 5.
        top_probabilities: their probabilities, float64 [B, T, 5]; 0 where V < 5.
    """

    loss: np.ndarray
    probability: np.ndarray
    entropy: np.ndarray
    gradient_norm: np.ndarray
    rank: np.ndarray
    non_finite: np.ndarray
    top_classes: np.ndarray
    top_probabilities: np.ndarray

    @classmethod
    def empty(cls, *shape: int) -> "Timesteps":
        """Arrays of the given leading shape, to be filled; the top classes -1 with probability 0."""
        return cls(
            loss=np.empty(shape),
            probability=np.empty(shape),
            entropy=np.empty(shape),
            gradient_norm=np.empty(shape),
            rank=np.empty(shape, np.int32),
            non_finite=np.empty(shape, np.int32),
            top_classes=np.full((*shape, TOP), -1, np.int32),
            top_probabilities=np.zeros((*shape, TOP)),
        )

    def reshaped(self, *shape: int) -> "Timesteps":
        """The same arrays with their first axis split into `shape`."""
        arrays = [getattr(self, field.name) for field in fields(self)]
        return Timesteps(*[array.reshape(*shape, *array.shape[1:]) for array in arrays])


def recorded_timesteps(losses: Array, **recorded: Array | None) -> Timesteps:
    """What was recorded of every timestep, without logits; NaN, and the class -1, where it was not recorded.

    Args:
        losses: [B, T] in nats, NaN where not recorded.
        recorded: `entropy` and `rank` [B, T], `top_classes` and `top_probabilities` [B, T, K], or None.

    >>> numbers = recorded_timesteps(np.log([[2.0]]))
    >>> numbers.probability.round(4).tolist(), numbers.entropy.tolist(), numbers.top_classes.tolist()
    ([[0.5]], [[nan]], [[[-1]]])
    """
    given = {name: value for name, value in recorded.items() if value is not None}
    unknown = np.full(losses.shape, np.nan)
    return Timesteps(
        loss=losses,
        probability=np.exp(-losses),
        entropy=given.get("entropy", unknown),
        gradient_norm=unknown,
        rank=given.get("rank", unknown),
        non_finite=unknown,
        top_classes=given.get("top_classes", np.full((*losses.shape, 1), -1)),
        top_probabilities=given.get("top_probabilities", unknown[..., None]),
    )

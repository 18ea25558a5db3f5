"""One step of a training loop, written in each library.

The names are those of a loop: `logits` [B, T, V]; `targets`, `inputs`, `weights`, `losses` [B, T]; `lengths` [B];
`loss`, the number. `tf` is TensorFlow, `F` is `torch.nn.functional`, `jnp` is `jax.numpy`.
"""

from typing import NamedTuple

__all__ = ["CHANGE", "LIBRARIES", "LOSE", "REDUCE", "REPORT", "SOURCE", "WEIGH", "Line", "both", "by_condition"]

SOURCE, WEIGH, LOSE, CHANGE, REDUCE, REPORT = range(6)
"""The order of a training loop: data, weights, losses, changes to them, the number, and its unit."""


LIBRARIES = {"tensorflow": "TensorFlow", "pytorch": "PyTorch", "jax": "JAX"}
"""The libraries that fixes are written in, by the field of `Line`, with their names."""


class Line(NamedTuple):
    """One step of the loop in each library; may contain several lines of code.

    Attributes:
        place: its place in the loop, one of the six above.
        tensorflow: the code, with Keras where that is usual; {losses} is the line that gives every timestep's cross
            entropy, {labels} the targets, or those that are classes where there are others; {…} see `_SOFTMAX`.
        pytorch: likewise.
        jax: likewise, with optax where that is usual.
    """

    place: int
    tensorflow: str
    pytorch: str
    jax: str

    def saying(self, comment: str) -> "Line":
        """The same line, followed by a comment.

        >>> both("loss = total / count").saying("one division").jax
        'loss = total / count  # one division'
        """
        return Line(self.place, *(f"{code}  # {comment}" for code in self.code))

    @property
    def code(self) -> tuple[str, ...]:
        """Its code in each of `LIBRARIES`."""
        return self[1:]

    @property
    def step(self) -> tuple[int, str]:
        """What it does, without the comment."""
        return self.place, self.pytorch.partition("  #")[0]


def both(code: str, place: int = SOURCE) -> Line:
    """A line that is the same in every library.

    >>> both("targets = tokens[:, 1:]").tensorflow
    'targets = tokens[:, 1:]'
    """
    return Line(place, *[code] * len(LIBRARIES))


def by_condition(condition: str, place: int = WEIGH) -> Line:
    """Weights of 1 where a condition holds.

    >>> by_condition("targets != 0").jax
    'weights = (targets != 0).astype(jnp.float32)'
    """
    return Line(
        place,
        f"weights = tf.cast({condition}, tf.float32)",
        f"weights = ({condition}).float()",
        f"weights = ({condition}).astype(jnp.float32)",
    )

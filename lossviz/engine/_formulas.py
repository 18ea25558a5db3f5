"""From the sums over a row of logits to its numbers, in the form that leaves the target out.

Over the classes j other than the target y, with m = max x_j and e_j = exp(x_j - m):

    s = Σ e_j       d = (m - x_y) + ln s                     lse of the others - x_y, the difference first
    loss = softplus(d)                                       = -ln p, with all its digits however small it is
    p = sigmoid(-d)       1 - p = sigmoid(d)                 no cancellation on either side
    ‖softmax - onehot‖ = (1 - p) √(1 + Σ e_j² / s²)
    H = (1 - p) (ln s - Σ e_j (x_j - m) / s) + (1 - p) softplus(-d) + p loss

The familiar form, logsumexp(x) - x_y, gives 0 for every loss below 6e-8 in float32.
"""

from typing import Any, NamedTuple

import tensorflow as tf

__all__ = ["TOP", "Row", "finish"]

TOP = 5
LOWEST = -1e30
"""What -inf - m is raised to, so that its term 0 · (x - m) is 0 and not NaN."""


class Row(NamedTuple):
    """What one pass over each of R rows of logits found; float tensors [R] unless said.

    Attributes:
        total: s.
        moment: Σ e_j (x_j - m).
        squares: Σ e_j².
        greater: the count of logits above the target's.
        non_finite: the count of NaN and ±inf.
        largest: m, or 0 where no other class is above -inf.
        at_target: x_y, or -inf where the target is no class.
        has_target: bool; the target is a class.
        values: the top logits [R, k].
        classes: int32 [R, k], their classes.
        redo: bool; `classes` may break the rule that the lowest index wins a tie.
    """

    total: Any
    moment: Any
    squares: Any
    greater: Any
    non_finite: Any
    largest: Any
    at_target: Any
    has_target: Any
    values: Any
    classes: Any
    redo: Any


def finish(row: Row) -> dict[str, Any]:
    """The numbers of R timesteps in float64, by the field names of `Timesteps`, and `redo`."""
    wide = row._replace(**{name: tf.cast(getattr(row, name), tf.float64) for name in (*Row._fields[:7], "values")})
    nought = tf.zeros_like(wide.total)
    some = wide.total > 0
    total = tf.where(some, wide.total, nought + 1)
    log_total = tf.math.log(wide.total)
    d = (wide.largest - wide.at_target) + log_total
    d = tf.where(wide.at_target == float("inf"), nought + float("nan"), d)  # as TensorFlow's own op: inf - inf
    loss, rest = tf.math.softplus(d), tf.math.softplus(-d)
    p, others = tf.sigmoid(-d), tf.sigmoid(d)
    entropy = (
        others * tf.where(some, log_total - wide.moment / total, nought)
        + tf.where(others > 0, others * rest, nought)
        + tf.where(p > 0, p * loss, nought)
    )
    broken = tf.math.is_nan(d)
    ahead = d > 0  # logsumexp in two parts, of which the first is a logit: subtracting it is exact
    anchor = tf.where(ahead, wide.largest, wide.at_target)
    remainder = tf.where(ahead, log_total + rest, loss)
    unknown = ~row.has_target
    blank = nought + float("nan")
    return {
        "loss": tf.where(unknown, blank, loss),
        "probability": tf.where(unknown, blank, p),
        "entropy": tf.where(broken, blank, entropy),
        "gradient_norm": tf.where(unknown, blank, others * tf.sqrt(1 + wide.squares / (total * total))),
        "rank": tf.where(unknown, 0, 1 + tf.cast(row.greater, tf.int32)),
        "non_finite": tf.cast(row.non_finite, tf.int32),
        "top_classes": row.classes,
        "top_probabilities": tf.exp((wide.values - anchor[:, None]) - remainder[:, None]),
        "redo": row.redo,
    }

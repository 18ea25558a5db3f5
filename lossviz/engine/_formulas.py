"""From the sums over a row of logits to its numbers, in the form that leaves the target out.

Over the classes j other than the target y, with m = max x_j, e_j = exp(x_j - m) and s = Σ e_j:

    d = (m - x_y) + ln s                         logsumexp of the others - x_y, the difference of logits first
    loss = softplus(d)                           = -ln p, with all its digits however small it is
    p = sigmoid(-d),  1 - p = sigmoid(d)         no cancellation on either side
    ‖softmax - onehot‖ = (1 - p) √(1 + Σ e_j² / s²)
    H = (1 - p) (ln s - Σ e_j (x_j - m) / s) + (1 - p) softplus(-d) + p loss

The largest of the others has e_j = 1 and is kept apart too: s = 1 + r, ln s = log1p(r). A float32 sum that begins with
1 has no digits left for an r below 6e-8, and r is all of the entropy when the model is sure of a wrong class.
The familiar form, logsumexp(x) - x_y, gives 0 for every loss below 6e-8 in float32.
"""

from typing import Any, NamedTuple

import tensorflow as tf

__all__ = ["LOWEST", "Row", "finish", "leader"]

INF = float("inf")
LOWEST = -1e30
"""Used in place of -inf - m, so that the term 0 · (x - m) is 0 and not NaN."""


class Row(NamedTuple):
    """What was found in each of R rows of logits; float tensors [R] unless said.

    The sums run over the rest: every class but the target and the largest of the others.

    Attributes:
        rest: r = Σ e_j.
        moment: Σ e_j (x_j - m); NaN where a logit of the row, except perhaps the target's, is NaN.
        squares: Σ e_j².
        greater: the count of logits above the target's.
        non_finite: the count of NaN and ±inf.
        largest: m; -inf where no other class is possible.
        at_target: x_y, or -inf where the target is no class.
        has_target: bool; the target is a class.
        values: the top logits [R, k].
        classes: int32 [R, k], their classes.
        redo: bool; `classes` may break the rule that the lowest index wins a tie.
    """

    rest: Any
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
    nought = tf.zeros_like(wide.rest)
    blank = nought + float("nan")
    broken = tf.math.is_nan(wide.moment + wide.at_target) | (wide.largest == INF) | (wide.at_target == INF)
    total, log_total = 1 + wide.rest, tf.math.log1p(wide.rest)
    d = (wide.largest - wide.at_target) + log_total
    d = tf.where(broken, blank, d)  # as TensorFlow's own op: inf - inf
    loss, rest = tf.math.softplus(d), tf.math.softplus(-d)
    p, q = tf.sigmoid(-d), tf.sigmoid(d)
    entropy = tf.where(q > 0, q * (log_total - wide.moment / total + rest), nought) + tf.where(p > 0, p * loss, nought)
    ahead = d > 0  # logsumexp in two parts, of which the first is a logit: subtracting it is exact
    anchor = tf.where(ahead, wide.largest, wide.at_target)
    remainder = tf.where(ahead, log_total + rest, loss)
    unknown = ~row.has_target
    return {
        "loss": tf.where(unknown, blank, loss),
        "probability": tf.where(unknown, blank, p),
        "entropy": tf.where(tf.math.is_nan(d), blank, entropy),
        "gradient_norm": tf.where(unknown, blank, q * tf.sqrt(1 + (1 + wide.squares) / (total * total))),
        "rank": tf.where(unknown, 0, 1 + tf.cast(row.greater, tf.int32)),
        "non_finite": tf.cast(row.non_finite, tf.int32),
        "top_classes": row.classes,
        "top_probabilities": tf.exp((wide.values - anchor[:, None]) - remainder[:, None]),
        "redo": row.redo,
    }


def leader(values: tf.Tensor, classes: tf.Tensor, *without: tf.Tensor) -> tuple[Any, Any]:
    """The largest [R] of the top values [R, k] without some classes [R], and its class; -1 if that is NaN."""
    left = values
    for taken in without:
        left = tf.where(classes == taken[:, None], tf.constant(-INF, values.dtype), left)
    largest = tf.reduce_max(left, -1)
    return largest, tf.reduce_max(tf.where(left == largest[:, None], classes, -1), -1)

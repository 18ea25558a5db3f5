"""The fix of each bug (spec/padding-bugs.md): lines that run in a training loop and compute the masked mean."""

from collections.abc import Iterable

from lossviz.analysis import Analysis
from lossviz.fixes._line import CHANGE, LOSE, REDUCE, REPORT, SOURCE, Line, both
from lossviz.fixes._snippets import LOSSES, MEAN, WEIGHTS, WIDE, written

__all__ = ["FIXES", "GUARDED", "SAFE", "fix_of"]

TF_TOTAL = "tf.reduce_sum(tf.where(weights != 0, losses * weights, 0.0))"
PT_TOTAL = "torch.where(weights != 0, losses * weights, 0.0).sum()"
JAX_TOTAL = "jnp.where(weights != 0, losses * weights, 0.0).sum()"
KERAS = (
    'loss_fn = tf.keras.losses.{Entropy}(from_logits=True, reduction="mean_with_sample_weight")\n'
    "loss = loss_fn({of_keras}, logits, sample_weight=weights)"
)
SAFE = (
    WEIGHTS,
    Line(
        LOSE,
        "logits = tf.where(weights[..., None] != 0, logits, 0.0)",
        "logits = torch.where(weights[..., None] != 0, logits, 0.0)",
        "logits = jnp.where(weights[..., None] != 0, logits, 0.0)",
    ).saying("before the loss, for its gradient"),
    LOSSES,
    MEAN,
)
"""Selecting before the cross entropy, and again after it."""

GUARDED = Line(
    REDUCE,
    f"loss = tf.math.divide_no_nan({TF_TOTAL}, tf.reduce_sum(weights))",
    f"loss = {PT_TOTAL} / weights.sum().clamp(min=1e-9)",
    f"loss = {JAX_TOTAL} / jnp.maximum(weights.sum(), 1e-9)",
)
"""The mean, and 0 where nothing counts."""

_SMOOTHED = both("{smoothed}", LOSE)
_NLL = Line(REDUCE, *(code.replace("loss = ", "nll = ") for code in MEAN.code)).saying("beside the smoothed loss")
_HITS = Line(
    REPORT,
    "{hits}\naccuracy = tf.reduce_sum(tf.where(hits, weights, 0.0)) / tf.reduce_sum(weights)",
    "{hits}\naccuracy = torch.where(hits, weights, 0.0).sum() / weights.sum()",
    "{hits}\naccuracy = jnp.where(hits, weights, 0.0).sum() / weights.sum()",
)
_RANKS = Line(
    REDUCE,
    f"total, count = {TF_TOTAL}, tf.reduce_sum(weights)\n"
    "loss = total / tf.distribute.get_replica_context().all_reduce('SUM', count)  # the replicas' losses add up",
    f"total, count = {PT_TOTAL}, weights.sum()\n"
    "torch.distributed.all_reduce(count)\n"
    "loss = total / count * torch.distributed.get_world_size()  # DDP averages over the ranks",
    f"total, count = {JAX_TOTAL}, weights.sum()\n"
    'loss = total / jax.lax.pmean(count, "data")  # then pmean the gradients over the same axis',
)


def _keras(comment: str) -> tuple[Line, ...]:
    """With a Keras loss that divides by the weights."""
    return WEIGHTS, _or_keras(f"{{losses}}  # {comment}\n")


def _or_keras(before: str = "") -> Line:
    """A Keras loss that divides by the weights; elsewhere the mean, with what stands before it."""
    return Line(REDUCE, KERAS, before + MEAN.pytorch, before + MEAN.jax)


def _mean(comment: str) -> tuple[Line, ...]:
    return WEIGHTS, MEAN.saying(comment)


def _whole(comment: str) -> tuple[Line, ...]:
    return WEIGHTS, LOSSES.saying(comment), MEAN


def _first(line: Line, comment: str) -> tuple[Line, ...]:
    """A line that mends the data, then all the others."""
    return line.saying(comment), WEIGHTS, LOSSES, MEAN


def _once(parts: str) -> tuple[Line, ...]:
    """The sums and the counts of parts, each a pair of losses and weights, divided once."""
    return (
        Line(
            REDUCE,
            f"total = tf.add_n([{TF_TOTAL} for losses, weights in {parts}])\n"
            f"loss = total / tf.add_n([tf.reduce_sum(weights) for _, weights in {parts}])",
            f"total = sum({PT_TOTAL} for losses, weights in {parts})\n"
            f"loss = total / sum(weights.sum() for _, weights in {parts})",
            f"total = sum({JAX_TOTAL} for losses, weights in {parts})\n"
            f"loss = total / sum(weights.sum() for _, weights in {parts})",
        ).saying("sums and counts, divided once"),
    )


_SHIFT = both("inputs, targets = tokens[:, :-1], {shifted}")
_PERPLEXITY = Line(REPORT, "perplexity = tf.exp(loss)", "perplexity = loss.exp()", "perplexity = jnp.exp(loss)")

FIXES: dict[str, tuple[Line, ...]] = {
    "MOD01": _whole("no softmax before it"),
    "MOD02": _keras("nll_loss expects log_softmax(logits)"),
    "MOD08": (WEIGHTS._replace(tensorflow="  # or supports_masking = True in the layer that drops it"), MEAN),
    "MOD09": _whole("over all classes at once: no binary cross entropy"),
    "MOD10": _whole("of the logits that the model returns, with its scale and cap, at temperature 1"),
    "NUM01": SAFE,
    "NUM06": (WIDE, WEIGHTS, LOSSES, MEAN),
    "NUM08": _keras("not log(softmax + eps)"),
    "PAD01": (WEIGHTS, LOSSES, MEAN),
    "PAD02": (WEIGHTS, _or_keras()),
    "PAD03": _mean("select before adding up"),
    "PAD04": _mean("a mask of the ids alone loses real tokens"),
    "PAD05": _mean("the end of the sequence counts"),
    "PAD06": _mean("1 where a timestep counts"),
    "PAD07": _mean("the mask is on the side of the padding"),
    "PAD08": _mean("lengths count the end of the sequence, not the padding"),
    "PAD11": (WEIGHTS, GUARDED.saying("0 where nothing counts")),
    "PAD17": (WEIGHTS, _HITS),
    "RED01": _once("micro_batches"),
    "RED02": _once("micro_batches"),
    "RED03": (WEIGHTS, _RANKS),
    "RED04": _mean("count the labels after the shift"),
    "RED05": _mean("per timestep"),
    "RED06": _mean("one division"),
    "RED07": (
        WEIGHTS,
        Line(
            CHANGE, "losses = tf.reshape(losses, tf.shape(weights))", *2 * ("losses = losses.reshape(weights.shape)",)
        ),
        MEAN,
    ),
    "RED08": _mean("the sum of the weights"),
    "RED09": (
        WEIGHTS,
        Line(
            CHANGE,
            "weights = weights * tf.gather(class_weights, {labels})",
            *2 * ("weights = weights * class_weights[{labels}]",),
        ),
        MEAN.saying("class weights in both sums"),
    ),
    "RED10": (WEIGHTS, _SMOOTHED, MEAN),
    "RED11": (WEIGHTS, LOSSES, _NLL),
    "RED12": (*_once("batches"), _PERPLEXITY),
    "RED13": (*_mean("in nats"), _PERPLEXITY),
    "RED15": (WEIGHTS, _or_keras().saying("and no weights inside the loss")),
    "RED16": _mean("the ends count too"),
    "RED17": _once("micro_batches"),
    "SHF01": _first(_SHIFT, "the next token"),
    "SH1": _first(_SHIFT, "once; model(input_ids=tokens, labels=tokens) shifts inside"),
    "SH2": _first(_SHIFT, "once; the targets are one further than the inputs"),
    "SHF02": _whole("the targets as they are: no second shift"),
    "SHF05": _mean("the mask of the targets, not of the inputs"),
    "SHF08": _first(
        Line(
            SOURCE,
            "logits = tf.transpose(logits, [1, 0, 2])",
            "logits = logits.transpose(0, 1)",
            "logits = logits.transpose(1, 0, 2)",
        ),
        "[T, B, V] → [B, T, V]",
    ),
    "SHF10": _first(
        Line(
            SOURCE,
            "logits = tf.gather(logits, tf.argsort(order))",
            *2 * ("logits = logits[order.argsort()]",),
        ),
        "back, where order sorted the sequences",
    ),
}
"""By the bug's code."""


def fix_of(codes: Iterable[str], analysis: Analysis) -> dict[str, str]:
    """What to write against several mistakes at once, by library; nothing where no code has a fix.

    >>> import numpy as np
    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 0]], lengths=[1])
    >>> print(fix_of(["RED06"], analyze(batch))["TensorFlow"])
    weights = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)
    loss = tf.reduce_sum(tf.where(weights != 0, losses * weights, 0.0)) / tf.reduce_sum(weights)  # one division
    """
    lines = [line for code in dict.fromkeys(codes) for line in FIXES.get(code, ())]
    return written(lines, analysis) if lines else {}

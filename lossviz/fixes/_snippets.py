"""The lines that fixes are composed of: the weights, the losses and their mean, written in each library."""

from collections.abc import Iterable

from lossviz.analysis import Analysis
from lossviz.batch import Batch
from lossviz.fixes._line import LIBRARIES, LOSE, REDUCE, WEIGH, Line, by_condition

__all__ = ["BY_LENGTH", "LOSSES", "MEAN", "WEIGHTS", "WIDE", "weigh", "written"]

BY_LENGTH = Line(
    WEIGH,
    "weights = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)",
    "weights = (torch.arange(targets.shape[1], device=lengths.device) < lengths[:, None]).float()",
    "weights = (jnp.arange(targets.shape[1]) < lengths[:, None]).astype(jnp.float32)",
)
"""A timestep counts before the end of its sequence."""

WEIGHTS = Line(WEIGH, "", "", "")
"""A placeholder for the weights that the batch declares."""

LOSSES = Line(LOSE, "{losses}", "{losses}", "{losses}")
"""The cross entropy of every timestep."""

WIDE = Line(
    LOSE, "logits = tf.cast(logits, tf.float32)", "logits = logits.float()", "logits = logits.astype(jnp.float32)"
).saying("before the loss")
"""Half precision is for the model."""

MEAN = Line(
    REDUCE,
    "loss = tf.reduce_sum(tf.where(weights != 0, losses * weights, 0.0)) / tf.reduce_sum(weights)",
    "loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()",
    "loss = jnp.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()",
)
"""Σ w·loss ÷ Σ w; what does not count is selected away, since 0 · NaN is NaN."""


def written(lines: Iterable[Line], analysis: Analysis) -> dict[str, str]:
    """The code by library, in the order of a loop: each step once, and one reduction, the mean if there is no other.

    >>> import numpy as np
    >>> from lossviz import analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 0]], pad_id=0)
    >>> print(written([MEAN, WEIGHTS, MEAN], analyze(batch))["PyTorch"])
    weights = (targets != 0).float()
    loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()
    """
    steps: dict[tuple[int, str], Line] = {}
    for line in lines:
        steps.setdefault(line.step, line)
    reductions = [step for step in steps if step[0] == REDUCE]
    others = [step for step in reductions if step != MEAN.step]
    for step in reductions:
        if step != [*others, MEAN.step][0]:
            del steps[step]
    code = [_code(line, analysis) for line in sorted(steps.values(), key=lambda line: line.place)]
    return {name: _joined(texts) for name, texts in zip(LIBRARIES.values(), zip(*code, strict=True), strict=True)}


def _joined(texts: Iterable[str]) -> str:
    """The lines of code, one after the other; none right after itself."""
    lines = [line for text in texts for line in text.split("\n") if line]
    pairs = zip(["", *lines], lines, strict=False)
    return "\n".join(line for before, line in pairs if before.partition("  #")[0] != line.partition("  #")[0])


def _code(line: Line, analysis: Analysis) -> tuple[str, ...]:
    """A line's code on this batch, in each library."""
    if line.step == WEIGHTS.step:
        weights = _weights(analysis)
        return tuple(map("".join, zip(weights, line.code, strict=True))) if weights[0] else weights
    if "loss_fn" in line.tensorflow and (~analysis.mask & (analysis.non_finite > 0)).any():
        line = line._replace(tensorflow=f"{{losses}}\n{MEAN.tensorflow}")  # Keras multiplies by the weights: 0 · NaN
    is_half = analysis.has_logits and analysis.batch.logits.dtype.itemsize < 4
    filled = _SIGMOID if analysis.is_classifier else _SOFTMAX
    shifted = "labels[:, 1:]" if analysis.mask_name == "ignore_id" else "tokens[:, 1:]"
    written_out = []
    for at, code in enumerate(line.code):
        for name, texts in filled.items():
            wide = f"{WIDE.code[at]}\n" if is_half and name in ("{losses}", "{smoothed}") else ""
            code = code.replace(name, wide + texts[at])
        labels = "targets" if analysis.is_class.all() else f"{_MODULES[at]}.where(weights != 0, targets, 0)"
        written_out.append(code.replace("{shifted}", shifted).replace("{labels}", labels))
    return tuple(written_out)


_MODULES = ("tf", "torch", "jnp")


_SOFTMAX = {
    "{losses}": (
        "losses = tf.nn.sparse_softmax_cross_entropy_with_logits({labels}, logits)",
        'losses = F.cross_entropy(logits.transpose(1, 2), {labels}, reduction="none")',
        "losses = optax.softmax_cross_entropy_with_integer_labels(logits, {labels})",
    ),
    "{smoothed}": (
        (
            "losses = tf.keras.losses.categorical_crossentropy(\n    tf.one_hot({labels}, tf.shape(logits)[-1]), "
            "logits, from_logits=True, label_smoothing=epsilon)"
        ),
        'losses = F.cross_entropy(logits.transpose(1, 2), {labels}, reduction="none", label_smoothing=epsilon)',
        (
            "losses = optax.softmax_cross_entropy(\n"
            "    logits, optax.smooth_labels(jax.nn.one_hot({labels}, logits.shape[-1]), epsilon))"
        ),
    ),
    "{hits}": (
        "hits = tf.argmax(logits, -1, output_type=targets.dtype) == targets",
        "hits = logits.argmax(-1) == targets",
        "hits = logits.argmax(-1) == targets",
    ),
    "{Entropy}": ("SparseCategoricalCrossentropy", "", ""),
    "{of_keras}": ("{labels}", "", ""),
}
_SIGMOID = {
    "{losses}": (
        "losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(targets, tf.float32), logits[..., 0])",
        'losses = F.binary_cross_entropy_with_logits(logits[..., 0], targets.float(), reduction="none")',
        "losses = optax.sigmoid_binary_cross_entropy(logits[..., 0], targets)",
    ),
    "{smoothed}": (
        (
            "losses = tf.nn.sigmoid_cross_entropy_with_logits(\n"
            "    tf.cast(targets, tf.float32) * (1 - epsilon) + epsilon / 2, logits[..., 0])"
        ),
        (
            "losses = F.binary_cross_entropy_with_logits(\n"
            '    logits[..., 0], targets.float() * (1 - epsilon) + epsilon / 2, reduction="none")'
        ),
        "losses = optax.sigmoid_binary_cross_entropy(logits[..., 0], targets * (1 - epsilon) + epsilon / 2)",
    ),
    "{hits}": 3 * ("hits = (logits[..., 0] > 0) == (targets == 1)",),
    "{Entropy}": ("BinaryCrossentropy", "", ""),
    "{of_keras}": ("targets[..., None]", "", ""),
}
"""The code that differs between a softmax over V classes and a sigmoid of one logit."""

_COUNTS = (
    "weights = tf.cast(weights != 0, tf.float32)",
    "weights = (weights != 0).float()",
    "weights = (weights != 0).astype(jnp.float32)",
)
_LAST = (
    "weights = tf.where(tf.cumsum(weights, axis=1, reverse=True) == 1, weights, 0.0)  # the last timestep",
    "weights = weights * (weights.flip(1).cumsum(1).flip(1) == 1)  # the last timestep",
    "weights = weights * (weights[:, ::-1].cumsum(1)[:, ::-1] == 1)  # the last timestep",
)


def _weights(analysis: Analysis) -> tuple[str, ...]:
    """The weights of the mask in use; a classifier counts only its last timestep."""
    code = weigh(analysis.batch, analysis.mask_name)
    if not analysis.is_classifier:
        return code
    counts = code if code[0] else _COUNTS
    return tuple(map("\n".join, zip(counts, _LAST, strict=True)))


def weigh(batch: Batch, name: str) -> tuple[str, ...]:
    """The line that computes the weights of a mask, in each library; empty if the loop already has weights.

    >>> weigh(Batch.from_arrays(logits=[[[0.0, 0.0]]], targets=[[1]], pad_id=0), "nonpad")[1]
    'weights = (targets != 0).float()'
    """
    if name == "lengths":
        return BY_LENGTH.code
    if name == "none":
        return (
            "weights = tf.ones_like(targets, tf.float32)",
            "weights = torch.ones_like(targets, dtype=torch.float32)",
            "weights = jnp.ones_like(targets, jnp.float32)",
        )
    if name == "weights":
        return "", "", ""
    left_out = batch.ignore_id if name == "ignore_id" else batch.pad_id or 0
    return by_condition(f"targets != {left_out}").code

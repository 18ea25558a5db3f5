"""The lines that fixes are composed of: the weights, the losses and their mean, written in both libraries.

The names are those of a loop: `logits` [B, T, V]; `targets`, `inputs`, `weights`, `losses` [B, T]; `lengths` [B];
`loss`, the number. `tf` is TensorFlow, `F` is `torch.nn.functional`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lossviz.analysis import Analysis
from lossviz.batch import Batch

__all__ = [
    "BY_LENGTH",
    "CHANGE",
    "LOSE",
    "LOSSES",
    "MEAN",
    "REDUCE",
    "REPORT",
    "SOURCE",
    "WEIGH",
    "WEIGHTS",
    "WIDE",
    "Line",
    "both",
    "weigh",
    "written",
]

SOURCE, WEIGH, LOSE, CHANGE, REDUCE, REPORT = range(6)
"""The order of a training loop: data, weights, losses, changes to them, the number, and its unit."""


class Line(NamedTuple):
    """One step of the loop in both libraries; may contain several lines of code.

    Attributes:
        place: its place in the loop, one of the six above.
        tensorflow: the code, with Keras where that is usual; {losses} is the line that gives every timestep's cross
            entropy, {labels} the targets, or those that are classes where there are others; {…} see `_SOFTMAX`.
        pytorch: likewise.
    """

    place: int
    tensorflow: str
    pytorch: str

    def saying(self, comment: str) -> "Line":
        """The same line, followed by a comment.

        >>> MEAN.saying("one division").pytorch
        'loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()  # one division'
        """
        return Line(self.place, f"{self.tensorflow}  # {comment}", f"{self.pytorch}  # {comment}")

    @property
    def step(self) -> tuple[int, str]:
        """What it does, without the comment."""
        return self.place, self.pytorch.partition("  #")[0]


BY_LENGTH = Line(
    WEIGH,
    "weights = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)",
    "weights = (torch.arange(targets.shape[1], device=lengths.device) < lengths[:, None]).float()",
)
"""A timestep counts before the end of its sequence."""

WEIGHTS = Line(WEIGH, "", "")
"""A placeholder for the weights that the batch declares."""

LOSSES = Line(LOSE, "{losses}", "{losses}")
"""The cross entropy of every timestep."""

WIDE = Line(
    LOSE, "logits = tf.cast(logits, tf.float32)  # before the loss", "logits = logits.float()  # before the loss"
)
"""Half precision is for the model."""

MEAN = Line(
    REDUCE,
    "loss = tf.reduce_sum(tf.where(weights != 0, losses * weights, 0.0)) / tf.reduce_sum(weights)",
    "loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()",
)
"""Σ w·loss ÷ Σ w; what does not count is selected away, since 0 · NaN is NaN."""


def both(code: str, place: int = SOURCE) -> Line:
    """A line that is the same in both libraries.

    >>> both("targets = tokens[:, 1:]").tensorflow
    'targets = tokens[:, 1:]'
    """
    return Line(place, code, code)


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
    return {"TensorFlow": _joined(text for text, _ in code), "PyTorch": _joined(text for _, text in code)}


def _joined(texts: Iterable[str]) -> str:
    """The lines of code, one after the other; none right after itself."""
    lines = [line for text in texts for line in text.split("\n") if line]
    pairs = zip(["", *lines], lines, strict=False)
    return "\n".join(line for before, line in pairs if before.partition("  #")[0] != line.partition("  #")[0])


def _code(line: Line, analysis: Analysis) -> tuple[str, str]:
    """A line's code on this batch."""
    if line.step == WEIGHTS.step:
        weights = _weights(analysis)
        return (weights[0] + line.tensorflow, weights[1] + line.pytorch) if weights[0] else weights
    is_logit = analysis.is_classifier
    tensorflow, pytorch = line[1:]
    if "loss_fn" in tensorflow and (~analysis.mask & (analysis.non_finite > 0)).any():
        tensorflow = f"{{losses}}\n{MEAN.tensorflow}"  # Keras multiplies by the weights: 0 · NaN
    if analysis.has_logits and analysis.batch.logits.dtype.itemsize < 4:
        for name in ("{losses}", "{smoothed}"):
            tensorflow = tensorflow.replace(name, f"{WIDE.tensorflow}\n{name}")
            pytorch = pytorch.replace(name, f"{WIDE.pytorch}\n{name}")
    shifted = "labels[:, 1:]" if analysis.mask_name == "ignore_id" else "tokens[:, 1:]"
    for name, code in {**(_SIGMOID if is_logit else _SOFTMAX), "{shifted}": (shifted, shifted)}.items():
        tensorflow, pytorch = tensorflow.replace(name, code[0]), pytorch.replace(name, code[1])
    known = bool(analysis.is_class.all())
    labels = ("targets", "targets") if known else ("tf.where(weights != 0, targets, 0)",) * 2
    return tensorflow.replace("{labels}", labels[0]), pytorch.replace("{labels}", labels[1].replace("tf.", "torch."))


_SOFTMAX = {
    "{losses}": (
        "losses = tf.nn.sparse_softmax_cross_entropy_with_logits({labels}, logits)",
        'losses = F.cross_entropy(logits.transpose(1, 2), {labels}, reduction="none")',
    ),
    "{smoothed}": (
        (
            "losses = tf.keras.losses.categorical_crossentropy(\n    tf.one_hot({labels}, tf.shape(logits)[-1]), "
            "logits, from_logits=True, label_smoothing=epsilon)"
        ),
        'losses = F.cross_entropy(logits.transpose(1, 2), {labels}, reduction="none", label_smoothing=epsilon)',
    ),
    "{hits}": (
        "hits = tf.argmax(logits, -1, output_type=targets.dtype) == targets",
        "hits = logits.argmax(-1) == targets",
    ),
    "{Entropy}": ("SparseCategoricalCrossentropy", ""),
    "{of_keras}": ("{labels}", ""),
}
_SIGMOID = {
    "{losses}": (
        "losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(targets, tf.float32), logits[..., 0])",
        'losses = F.binary_cross_entropy_with_logits(logits[..., 0], targets.float(), reduction="none")',
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
    ),
    "{hits}": 2 * ("hits = (logits[..., 0] > 0) == (targets == 1)",),
    "{Entropy}": ("BinaryCrossentropy", ""),
    "{of_keras}": ("targets[..., None]", ""),
}
"""The code that differs between a softmax over V classes and a sigmoid of one logit."""

_COUNTS = "weights = tf.cast(weights != 0, tf.float32)", "weights = (weights != 0).float()"
_LAST = (
    "weights = tf.where(tf.cumsum(weights, axis=1, reverse=True) == 1, weights, 0.0)  # the last timestep",
    "weights = weights * (weights.flip(1).cumsum(1).flip(1) == 1)  # the last timestep",
)


def _weights(analysis: Analysis) -> tuple[str, str]:
    """The weights of the mask in use; a classifier counts only its last timestep."""
    code = weigh(analysis.batch, analysis.mask_name)
    if not analysis.is_classifier:
        return code
    counts = code if code[0] else _COUNTS
    return f"{counts[0]}\n{_LAST[0]}", f"{counts[1]}\n{_LAST[1]}"


def weigh(batch: Batch, name: str) -> tuple[str, str]:
    """The line that computes the weights of a mask, in TensorFlow and PyTorch; empty if the loop already has weights.

    >>> weigh(Batch.from_arrays(logits=[[[0.0, 0.0]]], targets=[[1]], pad_id=0), "nonpad")[1]
    'weights = (targets != 0).float()'
    """
    if name == "lengths":
        return BY_LENGTH.tensorflow, BY_LENGTH.pytorch
    if name == "none":
        return "weights = tf.ones_like(targets, tf.float32)", "weights = torch.ones_like(targets, dtype=torch.float32)"
    if name == "weights":
        return "", ""
    left_out = batch.ignore_id if name == "ignore_id" else batch.pad_id or 0
    return f"weights = tf.cast(targets != {left_out}, tf.float32)", f"weights = (targets != {left_out}).float()"

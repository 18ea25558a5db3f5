"""Lines of fixes that several rules write: where sequences end, and masks that are made of it."""

from lossviz.identification._lines import LOSE, SOURCE, WEIGH, Line
from lossviz.rules._case import Case
from lossviz.rules._rows import eos_of

__all__ = ["FROM_THE_END", "ends", "select"]

FROM_THE_END = Line(
    WEIGH,
    "weights = tf.reverse(tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32), [1])",
    "weights = (torch.arange(targets.shape[1], device=lengths.device).flip(0) < lengths[:, None]).float()",
)
"""A timestep counts from where the padding before its sequence ends."""


def ends(case: Case) -> Line:
    """The lengths, read from the targets: one past the last that is neither the pad id nor the ignore id.

    >>> import numpy as np
    >>> from lossviz import Batch, analyze
    >>> case = Case(analyze(Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 0]], pad_id=0)))
    >>> ends(case).pytorch
    'lengths = ((targets != 0) * torch.arange(1, targets.shape[1] + 1, device=targets.device)).amax(1)'
    """
    fills = [value for value in (case.batch.pad_id, case.batch.ignore_id) if value is not None]
    real = " & ".join(f"(targets != {value})" for value in fills)
    number = real if len(fills) < 2 else f"({real})"
    line = Line(
        SOURCE,
        f"lengths = tf.reduce_max(tf.where({real}, tf.range(1, tf.shape(targets)[1] + 1), 0), axis=1)",
        f"lengths = ({number} * torch.arange(1, targets.shape[1] + 1, device=targets.device)).amax(1)",
    )
    if eos_of(case) != case.batch.pad_id:
        return line
    return Line(
        SOURCE,
        f"{line.tensorflow}\nlengths = tf.minimum(lengths + 1, tf.shape(targets)[1])",
        f"{line.pytorch}\nlengths = (lengths + 1).clamp(max=targets.shape[1])",
    ).saying(f"the first {case.batch.pad_id} ends it")


def select(tensorflow: str, pytorch: str | None = None) -> Line:
    """The weights, 0 where a condition holds.

    >>> select("targets == 0").pytorch
    'weights = weights.masked_fill(targets == 0, 0.0)'
    """
    pytorch = tensorflow if pytorch is None else pytorch
    return Line(
        LOSE, f"weights = tf.where({tensorflow}, 0.0, weights)", f"weights = weights.masked_fill({pytorch}, 0.0)"
    )

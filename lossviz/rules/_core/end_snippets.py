"""Lines of code that several rules' fixes share: where sequences end, and masks built from that."""

import numpy as np

from lossviz.fixes import LOSE, SOURCE, WEIGH, Line
from lossviz.rules._core.case import Case
from lossviz.rules._core.sequence_ends import eos_of, true_end

__all__ = ["FROM_THE_END", "ends", "select"]

FROM_THE_END = Line(
    WEIGH,
    "weights = tf.reverse(tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32), [1])",
    "weights = (torch.arange(targets.shape[1], device=lengths.device).flip(0) < lengths[:, None]).float()",
    "weights = (jnp.arange(targets.shape[1])[::-1] < lengths[:, None]).astype(jnp.float32)",
)
"""The weights of left-padded sequences: the last `lengths` timesteps count."""


def ends(case: Case) -> Line:
    """Compute lengths from the targets, or a tagger's inputs: up to the last id that is neither pad nor ignore id.

    >>> from lossviz import Batch, analyze
    >>> case = Case(analyze(Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 0]], pad_id=0)))
    >>> ends(case).pytorch
    'lengths = ((targets != 0) * torch.arange(1, targets.shape[1] + 1, device=targets.device)).amax(1)'
    """
    name, more = _read_from(case)
    fills = [value for value in (case.batch.pad_id, case.batch.ignore_id) if value is not None]
    real = " & ".join(f"({name} != {value})" for value in fills)
    number = real if len(fills) < 2 else f"({real})"
    line = Line(
        SOURCE,
        f"lengths = tf.reduce_max(tf.where({real}, tf.range(1, tf.shape({name})[1] + 1), 0), axis=1)",
        f"lengths = ({number} * torch.arange(1, {name}.shape[1] + 1, device={name}.device)).amax(1)",
        f"lengths = ({number} * jnp.arange(1, {name}.shape[1] + 1)).max(1)",
    )
    if not more:
        return line
    return Line(
        SOURCE,
        f"{line.tensorflow}\nlengths = tf.minimum(lengths + 1, tf.shape(targets)[1])",
        f"{line.pytorch}\nlengths = (lengths + 1).clamp(max=targets.shape[1])",
        f"{line.jax}\nlengths = (lengths + 1).clip(max=targets.shape[1])",
    ).saying(f"the first {case.batch.pad_id} ends it")


def _read_from(case: Case) -> tuple[str, bool]:
    """Which array shows where sequences end as `true_end` does, and whether the first pad id belongs to them."""
    fills, timesteps = [case.batch.pad_id, case.batch.ignore_id], case.shape[1]
    for name, ids in (("targets", case.targets), ("inputs", case.batch.inputs)):
        for more in (False, True):
            if ids is not None:
                real = ~np.isin(ids, [value for value in fills if value is not None])
                last = np.where(real, np.arange(1, timesteps + 1), 0).max(axis=1, initial=0)
                if np.array_equal(np.minimum(last + more, timesteps), true_end(case)):
                    return name, more
    return "targets", eos_of(case) == case.batch.pad_id


def select(tensorflow: str, pytorch: str = "", jax: str = "") -> Line:
    """Set the weights to 0 where a condition holds, which may be written the same in every library.

    >>> select("targets == 0").pytorch
    'weights = weights.masked_fill(targets == 0, 0.0)'
    """
    return Line(
        LOSE,
        f"weights = tf.where({tensorflow}, 0.0, weights)",
        f"weights = weights.masked_fill({pytorch or tensorflow}, 0.0)",
        f"weights = jnp.where({jax or tensorflow}, 0.0, weights)",
    )

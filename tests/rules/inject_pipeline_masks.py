"""Lengths, weights and ignore ids that a pipeline gets wrong, and when the arrays show it (spec/padding-bugs.md, 1)."""

import numpy as np

from lossviz import Batch
from tests.rules.pipeline_bug import by_lengths, prefix, short, truly_short, wanted
from tests.rules.pipelines import Array, Step


def no_mask(step: Step) -> None:
    step.mask = np.ones_like(step.truth)
    step.mask_as, step.recorded = "none", {"pad_id": None}


def runs_at_the_end(step: Step, batch: Batch) -> bool:
    return int((step.targets.shape[1] - step.lengths >= 2).sum()) >= 2


def mask_by_id(step: Step) -> None:
    """`mask = targets != 0`, where 0 is also the commonest word."""
    step.targets = np.where(step.targets == step.task.ids.first, step.pad, step.targets)
    step.inputs = np.where(step.inputs == step.task.ids.first, step.pad, step.inputs)
    step.mask = step.targets != step.pad
    step.mask_as = str(step.random.choice(["pad", "weights"]))
    step.recorded = {"lengths": step.lengths if step.random.random() < 0.5 else None}


def holes_of_pad(step: Step, batch: Batch) -> bool:
    inside = prefix(step.lengths, step) & (step.targets == step.pad)
    head = np.logical_and.accumulate(step.targets == step.pad, axis=1)
    tail = np.logical_and.accumulate((step.targets == step.pad)[:, ::-1], axis=1)[:, ::-1]
    return batch.pad_id is not None and bool((inside & ~head & ~tail).any())


def mask_wipes_the_end(step: Step) -> None:
    """`labels[labels == pad] = -100`, where pad is EOS."""
    step.mask = step.mask & (step.targets != step.pad)
    step.mask_as = str(step.random.choice(["weights", "ignored", "pad"]))


def ends_are_wiped(step: Step, batch: Batch) -> bool:
    """EOS stands right after what counts, in sequences shorter than the longest."""
    ended = step.truth & (step.targets == step.pad)
    early = step.lengths < step.lengths.max()
    seen = batch.inputs is not None or batch.ignore_id is None
    return seen and batch.eos_id is not None and int((ended.any(axis=1) & early).sum()) >= 2


def inverted(step: Step) -> None:
    step.mask = ~step.mask
    step.mask_as = str(step.random.choice(["weights", "ignored"]))


def before_padding(step: Step) -> Array:
    """Whether the last real timestep counts, in the rows that are padded on the right."""
    rows = short(step) & ~step.real[:, -1]
    return np.take_along_axis(step.mask, np.maximum(step.lengths - 1, 0)[:, None], axis=1)[rows, 0] != 0


def padding_counts(step: Step, batch: Batch) -> bool:
    """A dialogue that was cut in a question looks right there."""
    beside = before_padding(step)
    if batch.ignore_id is not None and (step.mask & step.real[:, -step.mask.shape[1] :]).any():
        return False  # what is ignored before the padding may be padding
    return batch.pad_id is not None and beside.size >= 2 and not beside.any()


def other_side(step: Step) -> None:
    """`pad_sequences` pads in front, `sequence_mask` counts from the front."""
    step.mask = prefix(step.lengths, step)
    step.mask_as = str(step.random.choice(["lengths", "weights"]))


def end_not_counted(step: Step) -> None:
    """The length of the text, without the EOS that was appended."""
    wanted(bool((step.lengths > 1).all()))
    by_lengths(step, step.lengths - 1)


def pad_counted(step: Step) -> None:
    by_lengths(step, np.minimum(step.lengths + 1, step.targets.shape[1]))


def end_is_dropped(step: Step, batch: Batch) -> bool:
    """A pad that is EOS would have to be there once more."""
    ends = batch.eos_id is not None or (step.task.ids.eos is not None and batch.pad_id != step.task.ids.eos)
    return ends and batch.pad_id is not None and int(truly_short(step).sum()) >= 2


def one_pad_counts(step: Step, batch: Batch) -> bool:
    """Without an `eos_id` the one pad could be EOS."""
    ends = batch.eos_id is not None and batch.eos_id != batch.pad_id
    return ends and batch.pad_id is not None and int(truly_short(step).sum()) >= 2


def lengths_before_the_cut(step: Step) -> None:
    step.lengths = step.lengths + np.where(short(step), 0, step.random.integers(1, 30, len(step.lengths)))
    wanted(bool((step.lengths > step.targets.shape[1]).any()))
    step.mask_as = "lengths"


def lengths_of_padded_rows(step: Step) -> None:
    """`[len(row) for row in padded]`."""
    wanted(step.pad != step.task.ids.eos)
    by_lengths(step, np.full(len(step.lengths), step.targets.shape[1]))
    step.mask_as = "lengths"


def relative_lengths(step: Step) -> None:
    wanted(step.targets.shape[1] > 2)
    step.lengths = (step.lengths / step.lengths.max()).round(int(step.random.integers(2, 8)))
    step.mask, step.mask_as = prefix(step.lengths, step), "lengths"


def all_are_padded(step: Step, batch: Batch) -> bool:
    return batch.pad_id is not None and bool((step.real[:, -2:].sum(axis=1) == 0).any())


def empty_rows(step: Step) -> None:
    """A document that the cleaning left empty, or an answer that the cut left out."""
    wanted(len(step.mask) > 1)
    rows = step.random.random(len(step.mask)) < 0.2
    rows[step.random.integers(len(rows))] = True
    wanted(bool((~rows).any()))
    step.lengths = np.where(rows, 0, step.lengths)
    step.mask = step.mask & ~rows[:, None]
    step.targets = np.where(rows[:, None], step.pad, step.targets)


def template_not_found(step: Step) -> None:
    step.mask = np.zeros_like(step.mask)
    step.mask_as = str(step.random.choice(["weights", "ignored"]))


def half_replaced(step: Step) -> None:
    """The prompts became −100, the padding did not."""
    step.targets = np.where(step.wanted[:, 1:] | ~step.real[:, 1:], step.targets, -100)
    step.mask, step.mask_as, step.recorded = step.targets != -100, "none", {"ignore_id": -100}


def pads_left(step: Step, batch: Batch) -> bool:
    beside = before_padding(step)
    ignored = bool((step.targets == -100).any())
    return batch.pad_id is not None and ignored and beside.size > 0 and beside.mean() > 0.5


def other_ignore_id(step: Step) -> None:
    """Labels with −100 go to a loss that ignores −1 or the pad id."""
    wanted(not step.mask.all())
    step.targets = np.where(step.mask, step.targets, -100)
    step.mask_as, step.mask = "none", np.ones_like(step.mask)
    step.recorded = [{"ignore_id": -1}, {"ignore_id": step.pad}, {}][step.random.integers(3)]


def labels_from_one(step: Step) -> None:
    step.targets = np.where(step.mask, step.targets + 1, step.targets)


def too_large(step: Step, batch: Batch) -> bool:
    return bool((step.targets[step.mask] >= batch.shape[2]).any())


def one_template_missed(step: Step) -> None:
    """In one dialogue the template was not found, and all of it counts."""
    row = int(step.random.integers(len(step.mask)))
    step.mask[row] = step.real[row, 1:]
    step.mask_as = "weights"


def one_is_a_prefix(step: Step, batch: Batch) -> bool:
    changed = (step.mask != step.truth).any(axis=1)
    return len(step.mask) >= 4 and bool(changed.any()) and not step.truth[:, 0].any() and bool(step.truth.any(1).all())


def byte_not(step: Step) -> None:
    """`~mask` of bytes is 254 or 255, of integers −1 or −2."""
    kind = [np.uint8, np.int32][step.random.integers(2)]
    step.mask, step.mask_as = (~(~step.mask).astype(kind)).astype(float), "weights"


def whitespace_lengths(step: Step) -> None:
    """Words are counted, pieces of words are trained."""
    fewer = (step.lengths * step.random.uniform(0.4, 0.95, len(step.lengths))).astype(int).clip(1)
    wanted(bool((fewer < step.lengths).any()) and step.task.side == "right")
    wanted(not (step.truth != prefix(step.lengths, step)).any())
    step.lengths, step.mask_as = fewer, "both"


def says_what_pads(step: Step, batch: Batch) -> bool:
    return batch.pad_id is not None or batch.lengths is not None


def told_from_ones(step: Step, batch: Batch) -> bool:
    """Lengths that are all 1 may be single timesteps."""
    return batch.pad_id is not None or bool((step.lengths < 1).any())


def one_long_row(step: Step) -> None:
    wanted(step.truth.mean() < 0.45)

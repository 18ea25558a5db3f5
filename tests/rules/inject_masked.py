"""The same bugs where the mask is no plain run from the start: prompts, dialogues, padding on the left."""

import numpy as np

from tests.rules.inject_num_shf_mod import is_trained, is_varied
from tests.rules.inject_pad import counting
from tests.rules.injected import Injected

__all__ = ["INJECTORS"]


def is_masked(batch):
    """Whether timesteps that count come after others that don't, by weights or by ignored targets."""
    counts = counting(batch)
    opens = (counts[:, 1:] & ~counts[:, :-1]).any()
    return bool(opens and batch.pad_id is not None and batch.declared_mask in ("weights", "ignore_id"))


def with_mask(batch, counts):
    """The batch with other timesteps that count, said as they were."""
    if batch.declared_mask == "weights":
        return batch.replace(weights=np.where(counts, 1.0, 0.0))
    return batch.replace(targets=np.where(counts, np.where(counting(batch), batch.targets, batch.pad_id), -100))


def last(counts):
    return counts & (np.cumsum(counts[:, ::-1], axis=1)[:, ::-1] == 1)


def fills_right(batch):
    """The padding after each sequence that is padded on the right, [B, T], by the inputs."""
    if batch.inputs is None:
        return np.zeros(batch.targets.shape, bool)
    counts = counting(batch)
    ended = ~np.logical_or.accumulate(counts[:, ::-1], axis=1)[:, ::-1]
    return ended & (batch.inputs[:, -1:] == batch.pad_id) & (batch.inputs[:, :1] != batch.pad_id)


def end_taken_for_padding(batch, random):
    counts = counting(batch)
    ends = last(counts) & (batch.targets == batch.eos_id)
    known = is_masked(batch) and batch.inputs is not None and batch.eos_id not in (None, batch.pad_id)
    if not known or not ends.any(axis=1).all() or ends[:, -1].all():
        return None
    inputs = np.where(batch.inputs == batch.pad_id, batch.eos_id, batch.inputs)
    targets = np.where(batch.targets == batch.pad_id, batch.eos_id, batch.targets)
    kept = counts & (batch.targets != batch.eos_id)
    if not kept.any(axis=1).all():
        return None
    shared = batch.replace(inputs=inputs, targets=targets, pad_id=batch.eos_id)
    if batch.declared_mask == "ignore_id":
        ends = ends & (np.arange(batch.shape[1]) < batch.shape[1] - 1)  # in the last column nothing shows it any more
    return Injected(with_mask(shared, kept), ends)


def inverted_mask(batch, random):
    counts = counting(batch)
    pads = (batch.targets == batch.pad_id) & ~counts
    beside = (pads[:, 1:] & counts[:, :-1]) | (pads[:, :-1] & counts[:, 1:])
    padded = pads.any(axis=1)
    if not is_masked(batch) or batch.declared_mask != "weights" or not (beside.any(axis=1) | ~padded).all():
        return None  # next to prompts nothing tells inverted from not masked
    if not padded.any():
        return None
    return Injected(batch.replace(weights=~counts), None)


def wrong_side(batch, random):
    counts = counting(batch)
    pads = np.logical_and.accumulate(batch.targets == batch.pad_id, axis=1)
    if batch.pad_id is None or not np.array_equal(counts, ~pads) or pads.sum(axis=1).max() < 2:
        return None
    lengths = counts.sum(axis=1)
    prefix = np.arange(counts.shape[1]) < lengths[:, None]
    return Injected(batch.replace(lengths=lengths, weights=None), prefix != counts)


def padding_not_ignored(batch, random):
    if not is_masked(batch) or batch.declared_mask != "ignore_id" or batch.pad_id == batch.eos_id:
        return None
    tail = fills_right(batch)
    if not tail.any():
        return None
    return Injected(batch.replace(targets=np.where(tail, batch.pad_id, batch.targets)), tail)


def empty_sequence(batch, random):
    if not is_masked(batch) or batch.shape[0] < 2:
        return None
    counts = counting(batch)
    row = np.arange(batch.shape[0]) == random.integers(batch.shape[0])
    if not counts[~row].any():
        return None
    return Injected(with_mask(batch, counts & ~row[:, None]), np.repeat(row[:, None], batch.shape[1], axis=1))


def pad_counted(batch, random):
    """One pad after a sequence whose prompt does not count, or all the padding on the left."""
    heads = np.logical_and.accumulate(batch.targets == batch.pad_id, axis=1)
    if batch.pad_id is not None and heads.sum(axis=1).max() > 1 and np.array_equal(counting(batch), ~heads):
        cells = heads & (heads.sum(axis=1) > 1)[:, None]
        everything = {"weights": np.ones(heads.shape)}, {"lengths": np.full(len(heads), batch.shape[1])}
        kept = everything[random.integers(2)]
        return Injected(batch.replace(**{"weights": None, "lengths": None} | kept), cells)
    if not is_masked(batch) or batch.lengths is None or batch.pad_id == batch.eos_id or batch.eos_id is None:
        return None
    places = np.argwhere(np.arange(batch.shape[1]) > batch.lengths[:, None])
    if not len(places):
        return None
    cells = np.zeros(batch.targets.shape, bool)
    cells[tuple(places[random.integers(len(places))])] = True
    return Injected(batch.replace(weights=counting(batch) | cells), cells)


def targets_not_shifted(batch, random):
    """Labels that are the inputs, where the answer counts: they come one timestep later."""
    counts = counting(batch)
    shifted = batch.inputs is not None and (batch.inputs[:, 1:] == batch.targets[:, :-1])[counts[:, :-1]].all()
    if not is_masked(batch) or not shifted or not is_trained(batch) or counts.sum() < 12 or not is_varied(batch):
        return None
    later = np.pad(counts[:, :-1], ((0, 0), (1, 0)))
    moved = np.where(later, batch.inputs, -100)
    return Injected(batch.replace(targets=moved, weights=None, lengths=None, ignore_id=-100), None)


def fit_one_later(batch, random):
    """Targets and mask moved together, by one timestep, and nothing says what the model read."""
    counts = counting(batch)
    pairs = (counts[:, 1:] & counts[:, :-1]).sum()
    if not is_masked(batch) or not is_trained(batch) or pairs < 20 or not is_varied(batch):
        return None
    later = np.pad(counts[:, :-1], ((0, 0), (1, 0)))
    targets = np.roll(batch.targets, 1, axis=1)
    return Injected(batch.replace(targets=targets, weights=later, lengths=None, ignore_id=None, inputs=None), None)


def rows_permuted(batch, random):
    counts = counting(batch)
    few = (counts.sum(axis=1) < 3).any() or counts.sum() < 20 or not is_varied(batch)
    if not is_masked(batch) or few or batch.shape[0] < 3 or not is_trained(batch):
        return None
    order = np.roll(np.arange(batch.shape[0]), 1)
    return Injected(batch.replace(logits=batch.logits[order]), counts)


INJECTORS = {
    "PAD05": end_taken_for_padding,
    "PAD06": inverted_mask,
    "PAD07": wrong_side,
    "PAD10": empty_sequence,
    "PAD12": padding_not_ignored,
    "PAD16": pad_counted,
    "SHF01": targets_not_shifted,
    "SHF06": fit_one_later,
    "SHF10": rows_permuted,
}

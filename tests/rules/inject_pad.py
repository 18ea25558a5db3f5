"""The bugs of padding, put into a batch that is right: by code, batch and random generator → Injected, or None.

Every injector starts from what counts in the batch, and says None where the batch can't have its bug.
"""

import numpy as np

from lossviz import Batch
from lossviz.masking import resolve_mask
from tests.rules.injected import Injected

__all__ = ["INJECTORS"]


def counting(batch):
    return resolve_mask(batch, None).weights != 0


def is_pad(batch):
    return batch.targets == batch.pad_id if batch.pad_id is not None else np.zeros(batch.targets.shape, bool)


def by_length(batch):
    """The lengths, where what counts is exactly what stands before the padding of each sequence; else None."""
    counts = counting(batch)
    lengths = counts.sum(axis=1)
    prefix = np.arange(counts.shape[1]) < lengths[:, None]
    plain = np.array_equal(counts, prefix) and batch.pad_id is not None and (lengths > 0).all()
    return lengths if plain and np.array_equal(is_pad(batch), ~prefix) else None


def real_rows(batch, least=2):
    """The sequences of at least so many timesteps."""
    lengths = by_length(batch)
    return np.zeros(0, int) if lengths is None else np.flatnonzero(lengths >= least)


def one_cell(batch, *cells):
    mark = np.zeros(batch.targets.shape, bool)
    for row, timestep in cells:
        mark[row, timestep] = True
    return mark


def ends(batch):
    """[B, T], the last timestep that counts of each sequence where it is the declared end."""
    counts = counting(batch)
    last = counts & (np.cumsum(counts[:, ::-1], axis=1)[:, ::-1] == 1)
    return last & (batch.targets == batch.eos_id)


def padding_counts(batch, random):
    lengths = by_length(batch)
    if lengths is None or batch.pad_id not in (0, batch.eos_id) or (batch.shape[1] - lengths >= 2).sum() < 2:
        return None
    bare = {"lengths": None, "weights": None, "pad_id": None, "ignore_id": None}
    padded = is_pad(batch)
    if (padded.sum(axis=1) == 1).any():
        padded &= (padded.sum(axis=1) > 1)[:, None]
    return Injected(batch.replace(**bare), padded)


def pad_id_is_a_token(batch, random):
    rows = real_rows(batch, 3)
    if not rows.size or batch.pad_id == batch.eos_id:
        return None
    lengths = by_length(batch)
    cells = []
    for row in random.choice(rows, min(len(rows), int(random.integers(1, 4))), replace=False):
        cells.append((row, int(random.integers(1, lengths[row] - 1))))
    mark = one_cell(batch, *cells)
    targets = np.where(mark, batch.pad_id, batch.targets)
    if random.integers(2):
        return Injected(batch.replace(targets=targets, weights=None, lengths=None, ignore_id=None), mark)
    return Injected(batch.replace(targets=targets, weights=targets != batch.pad_id, lengths=None), mark)


def eos_not_supervised(batch, random):
    if by_length(batch) is None or batch.eos_id in (None, batch.pad_id):
        return None
    cells = ends(batch)
    if not cells.any(axis=1).all() or (batch.targets == batch.eos_id).sum() != cells.sum():
        return None
    if random.integers(2):
        return Injected(batch.replace(weights=counting(batch) & ~cells, lengths=None), cells)
    shared = {"pad_id": batch.eos_id, "targets": np.where(is_pad(batch), batch.eos_id, batch.targets)}
    if batch.inputs is not None:
        shared["inputs"] = np.where(batch.inputs == batch.pad_id, batch.eos_id, batch.inputs)
    return Injected(batch.replace(**shared, weights=None, lengths=None, ignore_id=None), cells)


def inverted_mask(batch, random):
    lengths = by_length(batch)
    if lengths is None or not is_pad(batch).any():
        return None
    kept = batch.lengths if random.integers(2) else None
    return Injected(batch.replace(weights=~counting(batch), lengths=kept), is_pad(batch))


def wrong_side(batch, random):
    lengths = by_length(batch)
    if lengths is None or batch.pad_id == batch.eos_id:
        return None
    shift = batch.shape[1] - lengths
    if shift.max() < 2 and (shift > 0).sum() < 2:
        return None
    places = (np.arange(batch.shape[1]) - shift[:, None]) % batch.shape[1]
    mask = np.arange(batch.shape[1]) < lengths[:, None]
    moved = np.take_along_axis(mask, places, axis=1)
    if random.integers(2):  # the mask moves
        if (2 * lengths == batch.shape[1])[shift > 0].all():
            return None  # an inverted mask looks the same
        return Injected(batch.replace(weights=moved, lengths=None), moved != mask)
    changes = {"targets": np.take_along_axis(batch.targets, places, axis=1)}  # the sequences move
    if batch.inputs is not None:
        changes["inputs"] = np.take_along_axis(batch.inputs, places, axis=1)
    logits = np.take_along_axis(batch.logits, places[..., None], axis=1)
    return Injected(batch.replace(**changes, logits=logits, lengths=lengths, weights=None), moved != mask)


def length_off_by_one(batch, random):
    lengths = by_length(batch)
    timesteps = batch.shape[1]
    if lengths is None or batch.eos_id in (None, batch.pad_id):
        return None
    places = np.arange(timesteps)
    if random.integers(2):
        if (lengths < 2).any() or len(lengths) < 2 or not ends(batch).any(axis=1).all():
            return None
        return Injected(batch.replace(lengths=lengths - 1, weights=None), places == lengths[:, None] - 1)
    padded = lengths < timesteps
    after = np.minimum(lengths + 1, timesteps)
    read = batch.inputs is not None and np.array_equal(batch.inputs != batch.pad_id, places < after[:, None])
    if padded.sum() < 2 or read:  # what the inputs say is SHF05
        return None
    return Injected(batch.replace(lengths=after, weights=None), padded[:, None] & (places == lengths[:, None]))


def impossible_lengths(batch, random):
    lengths = by_length(batch)
    if lengths is None or batch.shape[1] < 3:
        return None
    sequences, timesteps = batch.targets.shape
    row = int(random.integers(sequences))
    whole = np.repeat(np.arange(sequences)[:, None] == row, timesteps, axis=1)
    kind = int(random.integers(5))
    if kind == 3:
        if lengths.max() < timesteps or sequences < 2:
            return None
        return Injected(batch.replace(lengths=lengths / timesteps, weights=None), counting(batch))
    if kind == 4:
        twice = (timesteps - lengths).max() >= 2 and batch.pad_id != batch.eos_id
        full = np.full(sequences, timesteps)
        return Injected(batch.replace(lengths=full, weights=None), is_pad(batch)) if twice else None
    wrong = lengths.astype(float)
    wrong[row] = (timesteps + random.integers(1, 9), -random.integers(1, 9), lengths[row] - 0.3)[kind]
    if wrong.max() <= 1:
        return None
    return Injected(batch.replace(lengths=wrong, weights=None), whole)


def empty_sequence(batch, random):
    lengths = by_length(batch)
    if lengths is None or len(lengths) < 2:
        return None
    row = int(random.integers(len(lengths)))
    cut = np.where(np.arange(len(lengths)) == row, 0, lengths)
    if batch.shape[1] > 2 and cut.max() <= 1:
        return None
    return Injected(batch.replace(lengths=cut, weights=None), np.repeat((cut == 0)[:, None], batch.shape[1], axis=1))


def nothing_supervised(batch, random):
    if not counting(batch).any():
        return None
    everything = np.ones(batch.targets.shape, bool)
    if random.integers(2):
        return Injected(batch.replace(weights=np.zeros(batch.targets.shape)), everything)
    return Injected(batch.replace(lengths=np.zeros(batch.shape[0], int), weights=None), everything)


def ignore_id_mismatch(batch, random):
    lengths, pads = by_length(batch), is_pad(batch)
    if lengths is None or batch.pad_id == batch.eos_id:
        return None
    if random.integers(2) and pads.any() and batch.eos_id is not None:  # some pads were not replaced
        kept = pads & (random.random(pads.shape) < 0.5)
        kept[:, -1] |= pads[:, -1]
        targets = np.where(pads & ~kept, -100, batch.targets)
        return Injected(batch.replace(targets=targets, lengths=None, weights=None, ignore_id=-100), None)
    used = int(random.choice([-100, -1]))
    cells = counting(batch) & (random.random(pads.shape) < 0.2)
    if not cells.any() or batch.ignore_id is not None:
        return None
    return Injected(batch.replace(targets=np.where(cells, used, batch.targets)), cells)


def label_out_of_range(batch, random):
    places = np.argwhere(counting(batch))
    if not len(places):
        return None
    chosen = places[random.choice(len(places), min(len(places), int(random.integers(1, 4))), replace=False)]
    cells = one_cell(batch, *map(tuple, chosen))
    label = batch.shape[2] + int(random.choice([0, 1, 1000]))
    return Injected(batch.replace(targets=np.where(cells, label, batch.targets)), cells)


def mask_shapes(batch, random):
    rows = real_rows(batch, 4)
    if len(rows) < 3 or len(rows) < batch.shape[0]:
        return None
    row = int(random.choice(rows))
    hole = int(random.integers(1, by_length(batch)[row] - 1))
    counts = counting(batch) & ~one_cell(batch, (row, hole))
    cells = counts & (np.arange(len(counts)) == row)[:, None]
    return Injected(batch.replace(weights=counts, lengths=None), cells)


def odd_weights(batch, random):
    counts = counting(batch)
    if not counts.any():
        return None
    inverted = 255 - counts.astype(int) if random.integers(2) else -1 - counts.astype(int)
    return Injected(batch.replace(weights=inverted), np.ones(counts.shape, bool))


def masks_disagree(batch, random):
    lengths = by_length(batch)
    if lengths is None or batch.eos_id in (None, batch.pad_id):
        return None
    spare = np.flatnonzero(batch.shape[1] - lengths >= 2)
    if not spare.size or (lengths == lengths[0]).all():
        return None
    row = int(random.choice(spare))
    last = int(random.integers(lengths[row] + 1, batch.shape[1]))
    cells = one_cell(batch, (row, last))
    return Injected(batch.replace(weights=counting(batch) | cells, lengths=None), cells)


def padding_waste(batch, random):
    lengths = by_length(batch)
    if lengths is None:
        return None
    more = int(2 * lengths.sum() // len(lengths)) + 1
    wide = ((0, 0), (0, more))
    changes = {"targets": np.pad(batch.targets, wide, constant_values=batch.pad_id)}
    if batch.inputs is not None:
        changes["inputs"] = np.pad(batch.inputs, wide, constant_values=batch.pad_id)
    logits = np.pad(batch.logits, (*wide, (0, 0)))
    bugged = Batch.from_arrays(**{**batch.fields(), **changes, "logits": logits, "lengths": lengths, "weights": None})
    return Injected(bugged, np.arange(bugged.shape[1]) >= lengths[:, None])


INJECTORS = {
    "PAD01": padding_counts,
    "PAD04": pad_id_is_a_token,
    "PAD05": eos_not_supervised,
    "PAD06": inverted_mask,
    "PAD07": wrong_side,
    "PAD08": length_off_by_one,
    "PAD09": impossible_lengths,
    "PAD10": empty_sequence,
    "PAD11": nothing_supervised,
    "PAD12": ignore_id_mismatch,
    "PAD13": label_out_of_range,
    "PAD14": mask_shapes,
    "PAD15": odd_weights,
    "PAD16": masks_disagree,
    "PAD18": padding_waste,
}

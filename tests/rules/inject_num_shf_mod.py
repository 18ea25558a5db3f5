"""The bugs of numbers, shifts, models and documents, put into a batch that is right: code → batch, random → Injected.

An injector says None where the batch can't have its bug, or where its own model could not show it.
"""

import numpy as np

from lossviz.masking import resolve_mask
from tests.rules.injected import Injected

__all__ = ["INJECTORS"]


def counting(batch):
    return resolve_mask(batch, None).weights != 0


def some(random, cells, most=5):
    """Up to `most` of the cells, at least one, [B, T] bool."""
    places = np.argwhere(cells)
    chosen = random.choice(len(places), int(random.integers(1, min(most, len(places)) + 1)), replace=False)
    mark = np.zeros(cells.shape, bool)
    mark[tuple(places[chosen].T)] = True
    return mark


def with_logits(batch, cells, value):
    logits = np.array(batch.logits)
    logits[cells] = value
    return batch.replace(logits=logits)


def losses(batch, targets=None):
    """[B, T] in float64, from the definition; NaN where the target is no class."""
    x = np.asarray(batch.logits, np.float64)
    y = batch.targets if targets is None else targets
    inside = (y >= 0) & (y < x.shape[2])
    top = x.max(axis=-1)
    total = top + np.log(np.exp(x - top[..., None]).sum(axis=-1))
    return np.where(inside, total - np.take_along_axis(x, np.where(inside, y, 0)[..., None], axis=-1)[..., 0], np.nan)


def is_trained(batch):
    """Whether the mean loss lies well below a guess: only then do logits say which targets are theirs."""
    counts = counting(batch)
    return bool(counts.any() and np.nanmean(losses(batch)[counts]) < 0.6 * np.log(batch.shape[2]))


def is_plain(batch):
    """Whether what counts is a run from the start in every row, long enough to see a shift, of varied tokens."""
    counts = counting(batch)
    lengths = counts.sum(axis=1)
    runs = np.array_equal(counts, np.arange(counts.shape[1]) < lengths[:, None])
    return bool(runs and counts.any() and (lengths >= 3).sum() > 0 and counts.sum() >= 8)


def is_language_model(batch):
    """Whether the targets are the inputs one timestep later."""
    counts = counting(batch)
    if batch.inputs is None or not is_plain(batch):
        return False
    both = counts[:, :-1] & counts[:, 1:]
    return bool(both.any() and (batch.targets[:, :-1] == batch.inputs[:, 1:])[both].all() and is_varied(batch))


def is_varied(batch):
    """Whether the targets one timestep apart differ mostly, and those two apart do."""
    counts, y = counting(batch), batch.targets
    return all(
        (y[:, k:] == y[:, :-k])[counts[:, k:] & counts[:, :-k]].mean() < 0.4
        for k in (1, 2)
        if (counts[:, k:] & counts[:, :-k]).any()
    )


def marked(batch, lengths):
    """The batch with other runs that count, by whatever says so now."""
    if batch.declared_mask == "weights":
        counts = np.arange(batch.shape[1]) < lengths[:, None]
        return batch.replace(weights=counts.astype(float), lengths=None if batch.lengths is None else lengths)
    return batch.replace(lengths=lengths)


def non_finite_under_mask(batch, random):
    padding = ~counting(batch)
    if padding.sum() < 2:
        return None
    cells = some(random, padding)
    logits = np.array(batch.logits)
    for row, timestep in np.argwhere(cells):
        logits[row, timestep, random.integers(batch.shape[2])] = random.choice([np.nan, np.inf])
    return Injected(batch.replace(logits=logits, reported=None), cells)


def gradient_through_where(batch, random):
    injected = non_finite_under_mask(batch, random)
    if injected is None:
        return None
    weights = resolve_mask(batch, None).weights
    counts = weights != 0
    value = (weights * losses(batch))[counts].sum() / weights.sum()
    return Injected(injected.batch.replace(reported=f"{value:.4f}"), injected.cells) if np.isfinite(value) else None


def impossible_target(batch, random):
    x = np.asarray(batch.logits, np.float64)
    inside = (batch.targets >= 0) & (batch.targets < x.shape[2])
    allowed = counting(batch) & inside
    if not allowed.any() or x.shape[2] < 2:
        return None
    cells = some(random, allowed)
    logits = np.array(batch.logits)
    value = random.choice([-np.inf, -1e9 if logits.dtype.itemsize > 2 else -6e4])
    logits[(*np.nonzero(cells), batch.targets[cells])] = value
    return Injected(batch.replace(logits=logits), cells)


def minus_infinity(batch, random):
    counts = counting(batch)
    if not counts.any() or batch.shape[2] < 3 or not np.isfinite(losses(batch)[counts]).all():
        return None
    cells = some(random, counts, 50)
    logits = np.array(batch.logits)
    for row, timestep in np.argwhere(cells):
        others = np.setdiff1d(np.arange(batch.shape[2]), batch.targets[row, timestep])
        logits[row, timestep, random.choice(others[: len(others) // 2])] = -np.inf
    clean = np.where(np.isin(batch.targets, np.arange(batch.shape[2])), batch.targets, 0)
    known = np.array_equal(clean, batch.targets)
    reported = str(random.choice(["inf", "nan"])) if known else None
    return Injected(batch.replace(logits=logits, reported=reported), cells) if known else None


def fully_masked_attention(batch, random):
    padding = ~counting(batch)
    if padding.sum() < 2:
        return None
    return Injected(with_logits(batch, padding, np.nan), padding)


def half_precision(batch, random):
    counts = counting(batch)
    if not counts.any():
        return None
    cells = some(random, counts)
    logits = np.array(batch.logits).astype(np.float16)
    for row, timestep in np.argwhere(cells):
        logits[row, timestep, random.integers(batch.shape[2])] = np.inf
    return Injected(batch.replace(logits=logits), cells)


def targets_not_shifted(batch, random):
    if not is_language_model(batch) or not is_trained(batch):
        return None
    return Injected(batch.replace(targets=batch.inputs), None)


def shifted_twice(batch, random):
    if not is_language_model(batch):
        return None
    lengths = counting(batch).sum(axis=1)
    if (lengths < 2).any() or (lengths - 3).clip(0).sum() < 8:
        return None
    return Injected(one_later(batch, lengths), None)


def one_later(batch, lengths):
    fill = batch.pad_id or 0
    last = np.full((batch.shape[0], 1), fill)
    targets = np.concatenate([batch.targets[:, 1:], last], axis=1)
    targets[np.arange(batch.shape[1]) >= lengths[:, None] - 1] = fill
    return marked(batch.replace(targets=targets), lengths - 1)


def rolled_inputs(batch, random):
    counts = counting(batch)
    lengths = counts.sum(axis=1)
    if not is_language_model(batch) or batch.pad_id is None or batch.pad_id == batch.eos_id:
        return None
    is_full = lengths == batch.shape[1]
    tails = (batch.targets == batch.pad_id)[~is_full & (lengths > 0)][:, -1:]
    if not is_full.any() or is_full.all() or not tails.all() or (lengths == 0).any():
        return None
    if (batch.targets[is_full, -1] == batch.pad_id).any():  # a pad id that ends sequences looks like T5's start
        return None
    mark = np.zeros(batch.targets.shape, bool)
    mark[:, 0] = True
    return Injected(batch.replace(inputs=np.roll(batch.targets, 1, axis=1)), mark)


def timestep_never_predicted(batch, random):
    counts = counting(batch)
    columns = [t for t in (0, batch.shape[1] - 1) if counts[:, t].any()]
    if not columns or not is_trained(batch) or counts.sum() < 4 * counts.shape[0]:
        return None
    mark = np.zeros(counts.shape, bool)
    mark[:, random.choice(columns)] = True
    return Injected(with_logits(batch, mark, 0.0), mark & counts)


def mask_of_the_inputs(batch, random):
    """Inputs that end in EOS, and the lengths of the inputs: one more than those of the targets."""
    lengths = counting(batch).sum(axis=1)
    usual = batch.pad_id is not None and batch.eos_id not in (None, batch.pad_id)
    if not usual or not is_language_model(batch) or (lengths == 0).any() or (lengths == batch.shape[1]).all():
        return None
    if (batch.inputs == batch.pad_id)[counting(batch)].any() or (batch.targets == batch.pad_id)[counting(batch)].any():
        return None
    rows = np.flatnonzero(lengths < batch.shape[1])
    inputs = np.array(batch.inputs)
    inputs[rows, lengths[rows]] = batch.targets[rows, lengths[rows] - 1]
    mark = np.zeros(batch.targets.shape, bool)
    mark[rows, lengths[rows]] = True
    if not (batch.targets[mark] == batch.pad_id).all():
        return None
    longer = np.minimum(lengths + 1, batch.shape[1])
    return Injected(marked(batch.replace(inputs=inputs), longer), mark)


def logits_fit_another_timestep(batch, random):
    counts = counting(batch)
    lengths = counts.sum(axis=1)
    if not is_plain(batch) or not is_trained(batch) or not is_varied(batch) or (lengths < 3).any():
        return None
    plain = batch.replace(inputs=None)
    if random.random() < 0.5:
        return Injected(one_later(plain, lengths), None)
    first = np.full((batch.shape[0], 1), random.integers(batch.shape[2]))
    targets = np.concatenate([first, batch.targets[:, :-1]], axis=1)
    targets[~counts] = batch.targets[~counts]
    return Injected(plain.replace(targets=targets), None)


def eos_missing(batch, random):
    counts = counting(batch)
    lengths = counts.sum(axis=1)
    if not is_plain(batch) or batch.eos_id is None or batch.pad_id in (None, batch.eos_id) or (lengths < 2).any():
        return None
    ends = batch.targets[np.arange(len(lengths)), lengths - 1] == batch.eos_id
    short = np.flatnonzero(lengths < batch.shape[1])
    once = (batch.targets == batch.eos_id).sum(axis=1)[short] == 1
    if len(short) < 2 or not ends[short].all() or not once.all():
        return None
    targets, shorter = np.array(batch.targets), lengths.copy()
    targets[short, lengths[short] - 1] = batch.pad_id
    shorter[short] -= 1
    mark = np.zeros(counts.shape, bool)
    mark[short, shorter[short] - 1] = True
    if batch.inputs is not None and (batch.inputs == batch.targets)[counts].mean() > 0.5:
        return None
    inputs = None if batch.inputs is None else np.where(batch.inputs == batch.eos_id, batch.pad_id, batch.inputs)
    return Injected(marked(batch.replace(targets=targets, inputs=inputs), shorter), mark)


def time_major(batch, random):
    sequences, timesteps, _ = batch.shape
    if min(sequences, timesteps) < 2 or not is_trained(batch) or counting(batch).sum() < 12 or not is_varied(batch):
        return None
    return Injected(
        batch.replace(logits=np.ascontiguousarray(batch.logits.transpose(1, 0, 2)).reshape(batch.logits.shape)),
        counting(batch),
    )


def rows_permuted(batch, random):
    counts = counting(batch)
    if batch.shape[0] < 2 or not is_trained(batch) or (counts.sum(axis=1) < 5).any() or not is_varied(batch):
        return None
    by_length = np.argsort(-counts.sum(axis=1), kind="stable")
    order = by_length if random.random() < 0.5 else random.permutation(batch.shape[0])
    moved = order != np.arange(len(order))
    if moved.mean() < 0.6:
        return None
    return Injected(batch.replace(logits=batch.logits[order]), counts & moved[:, None])


def across_documents(batch, random):
    """Rows cut into two documents, whose segment ids the loss forgets."""
    counts = counting(batch)
    lengths = counts.sum(axis=1)
    rows = np.flatnonzero(lengths >= 4)
    if not is_language_model(batch) or batch.segment_ids is not None or not rows.size:
        return None
    mark, segments = np.zeros(counts.shape, bool), np.zeros(counts.shape, int)
    for row in random.choice(rows, int(random.integers(1, len(rows) + 1)), replace=False):
        cut = int(random.integers(1, lengths[row] - 2))
        mark[row, cut], segments[row, cut + 1 :] = True, 1
    return Injected(batch.replace(segment_ids=segments), mark)


def softmax_twice(batch, random):
    x = np.asarray(batch.logits, np.float64)
    if x.shape[2] < 2 or not counting(batch).any() or not np.isfinite(x).all():
        return None
    p = np.exp(x - x.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return Injected(batch.replace(logits=p.astype(np.float32)), counting(batch))


def log_probabilities(batch, random):
    injected = softmax_twice(batch, random)
    if injected is None:
        return None
    x = np.asarray(batch.logits, np.float64)
    top = x.max(axis=-1, keepdims=True)
    normalized = x - top - np.log(np.exp(x - top).sum(axis=-1, keepdims=True))
    return Injected(batch.replace(logits=normalized.astype(np.float32)), counting(batch))


def nan_that_counts(batch, random):
    counts = counting(batch)
    if not counts.any():
        return None
    cells = some(random, counts, int(counts.sum()))
    logits = np.array(batch.logits)
    if random.integers(2):
        logits[cells] = np.nan
    else:
        logits[(*np.nonzero(cells), random.integers(batch.shape[2], size=cells.sum()))] = np.nan
    return Injected(batch.replace(logits=logits), cells)


INJECTORS = {
    "MOD01": softmax_twice,
    "MOD03": log_probabilities,
    "NUM01": non_finite_under_mask,
    "NUM02": gradient_through_where,
    "NUM03": impossible_target,
    "NUM04": minus_infinity,
    "NUM05": fully_masked_attention,
    "NUM06": half_precision,
    "NUM09": nan_that_counts,
    "RED14": across_documents,
    "SHF01": targets_not_shifted,
    "SHF02": shifted_twice,
    "SHF03": rolled_inputs,
    "SHF04": timestep_never_predicted,
    "SHF05": mask_of_the_inputs,
    "SHF06": logits_fit_another_timestep,
    "SHF07": eos_missing,
    "SHF08": time_major,
    "SHF10": rows_permuted,
}
"""NUM07 is missing: its bug takes 2³¹ logits."""

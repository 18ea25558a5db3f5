"""A right batch and the number that a loop with a bug would print for it, by formulas that are not lossviz's."""

from math import floor, log10

import numpy as np

from tests.printed.given import Given
from tests.printed.printed_oracle import BUGS, CODE, values_of
from tests.rules.inject_pad import counting
from tests.rules.injected import Injected

__all__ = ["INJECTORS", "SAME", "given_of", "with_number", "written"]

SAME = {
    "PAD01": {"C04", "RED07s", "MOD08"},
    "PAD02": {"C05", "RED06b", "RED08b"},
    "MOD08": {"C04", "RED07s", "PAD01"},
    "RED01": {"C18o", "C21", "C21b", "RED12", "RED12w"},
    "RED04": {"C14"},
    "RED05": {"C07", "C07a", "C07g"},
    "RED06": {"C08", "C08m", "C16"},
    "RED08": {"C03z", "C05k", "C23", "st+sb"},
    "RED11": {"LS1", "LS2", "LS5"},
    "RED13": {"C11"},
    "RED16": {"C15"},
    "RED17": {"C19"},
}
"""The oracle's keys that are the formula of a code on every batch."""

DIGITS = 6
FRACTIONS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)


def written(value, digits=DIGITS):
    """With so many significant digits, zeros included.

    >>> written(0.92, 4), written(12.0, 4)
    ('0.9200', '12.00')
    """
    return f"{value:.{max(digits - 1 - floor(log10(abs(value))), 0)}f}"


def given_of(batch, **options):
    """The batch as the oracle sees it: what counts are its weights."""
    weights = np.where(counting(batch), 1.0 if batch.weights is None else batch.weights, 0.0)
    return Given(
        np.asarray(batch.logits, np.float64),
        batch.targets,
        weights=weights,
        inputs=batch.inputs,
        pad_id=batch.pad_id if batch.pad_id is not None else -1,
        eos_id=batch.eos_id if batch.eos_id is not None else -1,
        **options,
    )


def is_told(given, value, code):
    """Whether no other formula of the two pages gives the number, nor one close to the mean."""
    if not np.isfinite(value) or value <= 0 or abs(value - given.mean) <= 0.01 * given.mean:
        return False
    own = SAME.get(code, set())
    others = {key: v for key, v in values_of(given).items() if CODE[key] != code and key not in own}
    return all(abs(v - value) > 5e-5 * value for v in others.values())


def with_number(batch, given, key, code, cells=None):
    """The batch with the number of one of the oracle's keys; None where other formulas print it too."""
    with np.errstate(all="ignore"):
        value = float(BUGS[key](given))
        told = is_told(given, value, code)
    return Injected(batch.replace(reported=written(value)), cells) if told else None


def is_padded(batch):
    return not counting(batch).all() and counting(batch).any()


def plain(code, *keys, cells=None):
    """An injector of one of the keys, chosen at random, that needs no option."""

    def inject(batch, random):
        if not is_padded(batch):
            return None
        return with_number(batch, given_of(batch), str(random.choice(keys)), code, cells and cells(batch))

    return inject


def pads(batch):
    return ~counting(batch)


def micro_batched(code, *keys):
    """In k even micro-batches of several sequences."""

    def inject(batch, random):
        rows = batch.shape[0]
        several = [k for k in (2, 3, 4, 8) if rows % k == 0 and k < rows]
        if not several:
            return None
        given = given_of(batch, accumulation_steps=int(random.choice(several)))
        return with_number(batch, given, str(random.choice(keys)), code)

    return inject


def in_chunks(batch, random):
    chunks = int(random.integers(2, 5))
    if batch.shape[1] < chunks:
        return None
    return with_number(batch, given_of(batch, world_size=chunks), "RED03t", "RED03")


def smoothed(code, *keys, cells=None):
    def inject(batch, random):
        given = given_of(batch, smoothing=float(random.choice([0.05, 0.1, 0.15, 0.2])))
        if not is_padded(batch):
            return None
        return with_number(batch, given, str(random.choice(keys)), code, cells and cells(batch))

    return inject


def weighted(code, key, cells):
    """With weights other than 0 and 1."""

    def inject(batch, random):
        counts = counting(batch)
        weights = np.where(counts, random.choice(FRACTIONS, size=counts.shape), 0.0)
        uneven = batch.replace(weights=weights, lengths=None)
        return with_number(uneven, given_of(uneven), key, code, cells(weights))

    return inject


def capped(batch, random):
    """One target of probability e⁻³⁰."""
    counts = counting(batch) & (batch.targets >= 0) & (batch.targets < batch.shape[2])
    places = np.argwhere(counts)
    if batch.logits.dtype.itemsize < 4 or not len(places) or not np.isfinite(batch.logits).all():
        return None
    row, timestep = places[random.integers(len(places))]
    target, logits = batch.targets[row, timestep], np.array(batch.logits)
    logits[row, timestep, target] -= 30 + given_of(batch).log_p[row, timestep, target]
    rare = batch.replace(logits=logits)
    key = str(random.choice(["NUM08", "NUM08k"]))
    given = given_of(rare)
    cap = 23.03 if key == "NUM08" else 16.12
    return with_number(rare, given, key, "NUM08", counting(rare) & (cap < given.CE))


def classes_as_labels(batch, random):
    """Binary cross entropy over the classes, with the probabilities of a softmax or with sigmoids."""
    given, V = given_of(batch), batch.shape[2]
    if V < 3 or not np.isfinite(batch.logits).all() or not given.W.sum():
        return None
    labels = np.eye(V)[np.clip(batch.targets, 0, V - 1)]
    scores = np.asarray(batch.logits, np.float64)
    shares = np.exp(given.log_p) if random.random() < 0.5 else 1 / (1 + np.exp(-scores))
    shares = np.clip(shares, 1e-7, 1 - 1e-7)
    losses = -(labels * np.log(shares) + (1 - labels) * np.log(1 - shares)).mean(axis=-1)
    value = float((losses * given.W)[given.W != 0].sum() / given.W.sum())
    told = is_told(given, value, "MOD09") and np.abs(scores).max() < 15
    return Injected(batch.replace(reported=written(value)), None) if told else None


def other_logits(batch, random):
    """The loss of the logits scaled by a usual number, or after a soft cap that a logit reaches half of."""
    given = given_of(batch)
    scores = np.asarray(batch.logits, np.float64)
    if batch.logits.dtype.itemsize < 4 or not np.isfinite(scores).all() or not given.W.sum() or batch.shape[2] < 3:
        return None
    cap = float(random.choice([30.0, 50.0]))
    capped = random.random() < 0.5 and np.abs(scores).max() > cap / 2
    scores = cap * np.tanh(scores / cap) if capped else scores * float(random.choice([0.5, 2.0]))
    largest = scores.max(axis=-1, keepdims=True)
    total = largest[..., 0] + np.log(np.exp(scores - largest).sum(axis=-1))
    targets = np.clip(batch.targets, 0, batch.shape[2] - 1)
    losses = total - np.take_along_axis(scores, targets[..., None], axis=-1)[..., 0]
    value = float((losses * given.W)[given.W != 0].sum() / given.W.sum())
    return Injected(batch.replace(reported=written(value)), None) if is_told(given, value, "MOD10") else None


def unmasked_by_keras(batch, random):
    by_zero = batch.inputs is not None and batch.pad_id == 0 and is_padded(batch)
    if not by_zero or not np.array_equal(batch.inputs != 0, counting(batch)):
        return None
    bare = batch.replace(lengths=None, weights=None)
    if bare.declared_mask != "nonpad" or not np.array_equal(counting(bare), counting(batch)):
        return None
    return with_number(bare, given_of(bare), "MOD08", "MOD08", pads(bare))


INJECTORS = {
    "MOD02": plain("MOD02", "MOD02"),
    "MOD08": unmasked_by_keras,
    "MOD09": classes_as_labels,
    "MOD10": other_logits,
    "NUM08": capped,
    "PAD02": plain("PAD02", "PAD02", cells=pads),
    "PAD03": plain("PAD03", "PAD03", cells=pads),
    "RED01": micro_batched("RED01", "RED01", "RED01s"),
    "RED02": micro_batched("RED02", "RED02", "RED02s"),
    "RED03": in_chunks,
    "RED04": plain("RED04", "RED04"),
    "RED05": plain("RED05", "RED05"),
    "RED06": plain("RED06", "RED06", "RED06t", "RED06m"),
    "RED07": plain("RED07", "RED07", cells=pads),
    "RED08": weighted("RED08", "RED08z", lambda weights: weights != 0),
    "RED10": smoothed("RED10", "RED10", "RED10b", cells=pads),
    "RED11": smoothed("RED11", "RED11", "RED11b", "RED11c"),
    "RED13": plain("RED13", "RED13", "RED13e"),
    "RED15": weighted("RED15", "RED15", lambda weights: (weights != 0) & (weights != 1)),
    "RED16": plain("RED16", "RED16"),
    "RED17": micro_batched("RED17", "RED17"),
}
"""By code, batch and random generator → Injected, or None where the batch can't tell."""

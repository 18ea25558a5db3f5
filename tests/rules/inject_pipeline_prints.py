"""Loops that print something other than the mean over what counts, from the formulas of spec/padding-bugs.md."""

from collections.abc import Callable, Iterator

import numpy as np

from lossviz import Batch
from tests.rules.pipeline_bug import Bug, Unable, wanted
from tests.rules.pipelines import Array, Step

MICRO, CHUNKS = (2, 3, 4, 8, 16, 32), (2, 4, 8, 16)


def means(total: Array, count: Array) -> Array:
    """Quotients; 0 over 0 is left out."""
    with np.errstate(all="ignore"):
        quotients = np.asarray(total, float) / np.asarray(count, float)
    return quotients[~np.isnan(quotients)]


def formulas(step: Step) -> Iterator[tuple[str, float]]:
    """Each bug's number, by code; "" is a number that is right."""
    losses, weights = step.losses(), np.asarray(step.mask, float)
    rows, width = losses.shape
    each, counts = (losses * weights).sum(axis=1), weights.sum(axis=1)
    total, count, everything = each.sum(), counts.sum(), losses.sum()
    yield from (("", total / count), ("", total), ("", total / rows))
    yield from (("PAD01", everything / losses.size), ("PAD02", total / losses.size), ("PAD03", everything / count))
    yield "RED04", total / (count + (weights[:, 0] != 0).sum())
    yield "RED05", means(each, counts).mean()
    yield from (("RED06", total / (width * count)), ("RED06", total / width), ("RED06", total / max(width - 1, 1)))
    yield "RED07", everything / losses.size * count / losses.size
    yield from (("RED13", total / count / np.log(2)), ("RED16", total / (count - rows) if count > rows else 0))
    yield from (
        ("RED08", total / (weights != 0).sum()),
        ("RED08", total / losses.size),
        ("RED15", (losses * weights**2).sum() / count),
    )
    yield from (("NUM08", (np.minimum(losses, cap) * weights).sum() / count) for cap in (16.11809565, 23.02585093))
    for parts in MICRO:
        if rows % parts == 0 and rows > parts:
            some = means(each.reshape(parts, -1).sum(axis=1), counts.reshape(parts, -1).sum(axis=1))
            yield from (("RED01", some.mean()), ("RED02", some.sum()), ("RED17", some[-1]))
        if rows % parts == 0:
            yield "RED02", parts * total / count
    for parts in CHUNKS:
        if width % parts == 0 and width > parts:
            split = (losses * weights).reshape(rows, parts, -1), weights.reshape(rows, parts, -1)
            some = means(split[0].sum(axis=(0, 2)), split[1].sum(axis=(0, 2)))
            yield "RED03", some.sum() / parts  # an empty chunk is 0
    yield from smoothed(step, losses, weights)
    yield "MOD02", clipped(step, weights)


def smoothed(step: Step, losses: Array, weights: Array) -> Iterator[tuple[str, float]]:
    """Label smoothing of 0.1: as everybody does it, with the padding's share, and with other masses."""
    scores = step.logits.astype("f8")
    top = scores.max(axis=2)
    whole = top + np.log(np.exp(scores - top[..., None]).sum(axis=2))
    classes, share = scores.shape[2], 0.1
    every = whole - scores.mean(axis=2)
    total, count = (losses * weights).sum(), weights.sum()
    yield "", ((1 - share) * total + share * (every * weights).sum()) / count
    yield "RED10", ((1 - share) * total + share * every.sum()) / count
    others = share / (classes - 1)
    yield "RED11", ((1 - share - others) * total + others * classes * (every * weights).sum()) / count


def clipped(step: Step, weights: Array) -> float:
    """Keras reads logits as probabilities."""
    values = np.clip(step.logits.astype("f8"), 1e-7, 1 - 1e-7)
    chosen = np.take_along_axis(values, np.clip(step.targets, 0, None)[..., None], 2)[..., 0]
    return (-np.log(chosen / values.sum(axis=2)) * weights).sum() / weights.sum()


def printed(code: str) -> Callable[[Step], None]:
    def write(step: Step) -> None:
        with np.errstate(all="ignore"):
            known = [(name, float(value)) for name, value in formulas(step)]
        mine = [value for name, value in known if name == code and np.isfinite(value)]
        wanted(bool(mine))
        number = mine[step.random.integers(len(mine))]
        digits = int(step.random.integers(4, 7))
        step.printed, step.recorded = None, step.recorded | {"reported": f"{number:.{digits}f}"}
        near = 10.0**-digits + 2e-5 * abs(number)
        same = {name for name, value in known if abs(value - number) <= near}
        if "" in same or (code != "RED05" and "RED05" in same):
            raise Unable
        step.same = tuple(same - {code})  # numbers that nothing tells apart

    return write


def four_digits(step: Step, batch: Batch) -> bool:
    """A number with fewer is evidence of nothing; the losses of the padding are not there with labels of −100."""
    return float(batch.reported) >= 0.1


def with_padding(step: Step, batch: Batch) -> bool:
    return batch.ignore_id is None and four_digits(step, batch)


def weighed(step: Step) -> None:
    step.mask = step.truth * step.random.choice([0.5, 1, 1.5, 2], size=step.truth.shape)
    step.mask_as = "weights"


OF_PADDING = ("PAD01", "PAD03", "RED07", "RED10")
OF_WHAT_COUNTS = ("PAD02", "RED01", "RED02", "RED03", "RED04", "RED05", "RED06", "RED08", "RED11", "RED13")
PRINTED = [
    *(Bug(code, "reduce", printed(code), with_padding) for code in OF_PADDING),
    *(Bug(code, "reduce", printed(code), four_digits) for code in OF_WHAT_COUNTS),
    *(Bug(code, "reduce", printed(code), four_digits) for code in ("RED15", "RED16", "RED17", "NUM08", "MOD02")),
]
ALIASES = {
    "PAD01": ("RED07", "MOD08"),
    "RED07": ("PAD01", "MOD08"),
    "RED01": ("RED03",),
    "RED02": ("RED03",),
    "RED03": ("RED01", "RED02"),
}
"""What the catalogue calls one number under two names."""

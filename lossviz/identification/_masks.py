"""What a loop may count instead of what is declared (spec/padding-bugs.md §1, SHF-05, SHF-08)."""

from collections.abc import Iterator

import numpy as np

from lossviz.identification._facts import Facts
from lossviz.identification._steps import Mask

__all__ = ["masks"]

Array = np.ndarray


def masks(facts: Facts) -> tuple[Mask, ...]:
    """The declared mask, then every mask that is made of it by a known mistake.

    >>> from lossviz import Batch, analyze
    >>> from lossviz.reductions import Options
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=[[1, 2, 3], [1, 0, 0]], lengths=[3, 1])
    >>> [mask.code for mask in masks(Facts(analyze(batch), Options()))]
    ['', 'PAD01', 'PAD04', 'PAD06', 'PAD07', 'SHF08', 'PAD08', 'PAD08']
    """
    declared = Mask(formula="", weights=facts.weights, cost=0)
    rows = [declared, *_everything(facts), *_by_id(facts), *_turned(facts), *_off_by_one(facts), *_shifted(facts)]
    rows += [*_of_classifier(facts), *_unweighted(facts)]
    return tuple(mask for mask in rows if mask.weights.shape == facts.weights.shape)


def _everything(facts: Facts) -> Iterator[Mask]:
    yield Mask(
        code="PAD01",
        title="Padding counts",
        clause=f"counts all {facts.positions:,} positions; {facts.of_them}",
        formula="w_{bt} = 1",
        cost=1,
        aliases=("RED07", "MOD08"),
        weights=np.ones_like(facts.weights),
    )


def _by_id(facts: Facts) -> Iterator[Mask]:
    batch, targets = facts.analysis.batch, facts.targets
    counts = facts.weights != 0
    if batch.pad_id is not None:
        lost = int((counts & (targets == batch.pad_id)).sum())
        yield Mask(
            code="PAD04",
            title="Mask made from the pad id",
            clause=f"leaves out every target with the pad id {batch.pad_id}; {_counting(lost)}",
            formula=rf"w_{{bt}} = [y_{{bt}} \ne {batch.pad_id}]",
            cost=2,
            is_sure=lost > 0,
            weights=(targets != batch.pad_id).astype(float),
        )
    elif (targets == 0).any():
        yield Mask(
            code="PAD04",
            title="Mask made from the id 0",
            clause="leaves out every target with the id 0, as tf.sign(targets) does",
            formula=r"w_{bt} = [y_{bt} \ne 0]",
            cost=4,
            weights=(targets != 0).astype(float),
        )
    if batch.eos_id is not None:
        lost = int((counts & (targets == batch.eos_id)).sum())
        yield Mask(
            code="PAD05",
            title="The stop token does not count",
            clause=f"leaves out every target with the stop id {batch.eos_id}: {lost:,} timesteps that count",
            formula=rf"w_{{bt}} = w_{{bt}}\,[y_{{bt}} \ne {batch.eos_id}]",
            cost=2,
            is_sure=batch.eos_id == batch.pad_id,
            weights=np.where(targets != batch.eos_id, facts.weights, 0.0),
        )


def _turned(facts: Facts) -> Iterator[Mask]:
    yield Mask(
        code="PAD06",
        title="Mask inverted",
        clause=f"counts what should not count: {_padding(facts)} instead of {facts.counting:,} timesteps",
        formula=r"w_{bt} \to 1 - w_{bt}",
        cost=2,
        weights=1 - facts.weights,
    )
    yield _other_side(facts)
    if facts.sequences > 1 < facts.timesteps:
        yield Mask(
            code="SHF08",
            title="Mask laid out time-major",
            clause="reads the mask time-major while the losses are batch-major",
            formula=r"w \to \mathrm{reshape}(w^{\top}, B, T)",
            cost=8,
            key="mask",
            weights=facts.weights.T.reshape(facts.weights.shape),
        )


def _other_side(facts: Facts) -> Mask:
    last = np.arange(facts.timesteps) >= facts.timesteps - facts.ends[:, None]
    return Mask(
        code="PAD07",
        title="Mask on the other side",
        clause="counts the last len timesteps of each sequence, as if the padding came first"
        if facts.is_prefix
        else "counts each sequence's mask from the other end, as if the padding were there",
        formula=r"w_{bt} = [t \ge T - \mathrm{len}_b]" if facts.is_prefix else r"w_{bt} \to w_{b,T-1-t}",
        cost=3,
        weights=last.astype(float) if facts.is_prefix else facts.weights[:, ::-1],
    )


def _ended(facts: Facts, by: int, ends: Array) -> Array:
    """The weights where sequences end at `ends`; a classifier's one timestep moves along."""
    columns = np.arange(facts.timesteps)
    if facts.is_prefix:
        return (columns < ends[:, None]).astype(float)
    if facts.is_classifier:
        return np.where((columns == ends[:, None] - 1) & (facts.ends > 0)[:, None], 1.0, 0.0)
    edge = columns == (facts.ends - 1 if by < 0 else facts.ends)[:, None]
    return np.where(edge, float(by > 0), facts.weights)


def _off_by_one(facts: Facts) -> Iterator[Mask]:
    for by, words, sign in ((-1, "one timestep too early", "-"), (1, "one timestep too late", "+")):
        ends = np.clip(facts.ends + by, 0, facts.timesteps)
        changed = int((ends != facts.ends).sum())
        what = "the last timestep" if by < 0 else "one timestep of padding"
        yield Mask(
            code="PAD08",
            title=f"Length {sign} 1" if by > 0 else "Length − 1",
            clause=f"ends {'each sequence' if changed > 1 else 'a sequence'} {words}: {what} of {changed:,} sequences",
            formula=rf"w_{{bt}} = [t < \mathrm{{len}}_b {sign} 1]",
            cost=3,
            key=sign,
            weights=_ended(facts, by, ends),
        )


def _shifted(facts: Facts) -> Iterator[Mask]:
    """A mask that was not shifted when the targets were: of the inputs, or by one timestep."""
    batch = facts.analysis.batch
    if batch.inputs is None or batch.pad_id is None:
        return
    yield Mask(
        code="SHF05",
        title="Mask of the inputs",
        clause="masks where the inputs, not the targets, are padding",
        formula=rf"w_{{bt}} = [x_{{bt}} \ne {batch.pad_id}]",
        cost=5,
        weights=(batch.inputs != batch.pad_id).astype(float),
    )


def _of_classifier(facts: Facts) -> Iterator[Mask]:
    """MOD-04: of a classifier counts the last timestep of each sequence, and not that of the array."""
    if not facts.is_classifier or not facts.timesteps:
        return
    columns, ends = np.arange(facts.timesteps), facts.ends[:, None]
    yield Mask(
        code="MOD04",
        title="The last column read",
        clause=f"reads timestep {facts.timesteps - 1:,} of every sequence, which lies in the padding of "
        f"{int((facts.ends < facts.timesteps).sum()):,}",
        formula=r"w_{bt} = [t = T - 1]",
        cost=2,
        weights=np.broadcast_to((columns == facts.timesteps - 1).astype(float), facts.weights.shape),
    )
    yield Mask(
        code="MOD04",
        title="Every timestep read",
        clause=f"counts every timestep up to each sequence's end, {int(facts.ends.sum()):,} of them",
        formula=r"w_{bt} = [t < \mathrm{len}_b]",
        cost=3,
        key="every",
        weights=(columns < ends).astype(float),
    )


def _unweighted(facts: Facts) -> Iterator[Mask]:
    if not facts.has_binary_weights:
        yield Mask(
            code="RED08",
            title="Weights read as a mask",
            clause="counts by 1 whatever has a weight",
            formula=r"w_{bt} \to [w_{bt} \ne 0]",
            cost=3,
            weights=(facts.weights != 0).astype(float),
        )


def _padding(facts: Facts) -> str:
    if not facts.has_binary_weights:
        return "1 − w of every timestep"
    kind = "timesteps of padding" if facts.is_padded else "other timesteps"
    return f"{facts.padding:,} {kind}"


def _counting(lost: int) -> str:
    return f"{lost:,} of those {'counts' if lost == 1 else 'count'}" if lost else "none of those counts"

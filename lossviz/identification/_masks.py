"""What a loop may count instead of what is declared (padding-bugs.md §1, SHF-05, SHF-08)."""

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
    return tuple(mask for mask in rows if mask.weights.shape == facts.weights.shape)


def _everything(facts: Facts) -> Iterator[Mask]:
    yield Mask(
        code="PAD01",
        title="Padding counts",
        clause=f"counts all {facts.positions:,} positions; {_of_them(facts)}",
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
    columns = np.arange(facts.timesteps)
    yield Mask(
        code="PAD07",
        title="Mask on the other side",
        clause="counts the last len timesteps of each sequence, as if the padding came first",
        formula=r"w_{bt} = [t \ge T - \mathrm{len}_b]",
        cost=3,
        weights=(columns >= facts.timesteps - facts.ends[:, None]).astype(float),
    )
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
            weights=(np.arange(facts.timesteps) < ends[:, None]).astype(float),
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
        is_sure=not np.array_equal(batch.inputs != batch.pad_id, facts.weights != 0),
        weights=(batch.inputs != batch.pad_id).astype(float),
    )


def _padding(facts: Facts) -> str:
    return f"{facts.padding:,} timesteps of padding" if facts.is_binary else "1 − w of every timestep"


def _of_them(facts: Facts) -> str:
    return (
        "none of them is padding"
        if not facts.padding
        else (f"{facts.padding:,} of them {'is' if facts.padding == 1 else 'are'} padding")
    )


def _counting(lost: int) -> str:
    return f"{lost:,} of those {'counts' if lost == 1 else 'count'}" if lost else "none of those counts"

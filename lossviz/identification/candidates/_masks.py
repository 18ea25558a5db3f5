"""The masks that a loop may use instead of the declared one (spec/padding-bugs.md §1, SHF-05, SHF-08)."""

from collections.abc import Iterator

import numpy as np

from lossviz.identification._components import Mask
from lossviz.identification._context import Context
from lossviz.identification.candidates._input_masks import input_masks

__all__ = ["masks"]

Array = np.ndarray


def masks(context: Context) -> tuple[Mask, ...]:
    """The declared mask, then what each known mistake makes of it.

    >>> from lossviz import Batch, analyze
    >>> from lossviz.reductions import Options
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=[[1, 2, 3], [1, 0, 0]], lengths=[3, 1])
    >>> [mask.code for mask in masks(Context(analyze(batch), Options()))]
    ['', 'PAD01', 'PAD04', 'PAD06', 'PAD07', 'SHF08', 'PAD08', 'PAD08']
    """
    declared = Mask(formula="", weights=context.weights, cost=0)
    rows = [
        declared,
        *_everything(context),
        *_by_id(context),
        *_turned(context),
        *_off_by_one(context),
        *input_masks(context),
    ]
    rows += [*_of_classifier(context), *_unweighted(context)]
    return tuple(mask for mask in rows if mask.weights.shape == context.weights.shape)


def _everything(context: Context) -> Iterator[Mask]:
    yield Mask(
        code="PAD01",
        title="Padding counts",
        clause=f"counts all {context.positions:,} positions, {context.padding_note}",
        formula="w_{bt} = 1",
        cost=1,
        aliases=("RED07", "MOD08"),
        weights=np.ones_like(context.weights),
    )


def _by_id(context: Context) -> Iterator[Mask]:
    batch, targets = context.analysis.batch, context.targets
    counts = context.weights != 0
    if batch.pad_id is not None:
        lost = int((counts & (targets == batch.pad_id)).sum())
        yield Mask(
            code="PAD04",
            title="Mask made from the pad id",
            clause=f"leaves out every target with the pad id {batch.pad_id}, {_counting(lost)}",
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
            weights=np.where(targets != batch.eos_id, context.weights, 0.0),
        )


def _turned(context: Context) -> Iterator[Mask]:
    yield Mask(
        code="PAD06",
        title="Mask inverted",
        clause=f"counts what should not count: {_padding(context)} instead of {context.counting:,} timesteps",
        formula=r"w_{bt} \to 1 - w_{bt}",
        cost=2,
        weights=1 - context.weights,
    )
    yield _other_side(context)
    if context.sequences > 1 < context.timesteps:
        yield Mask(
            code="SHF08",
            title="Mask laid out time-major",
            clause="reads the mask time-major while the losses are batch-major",
            formula=r"w \to \mathrm{reshape}(w^{\top}, B, T)",
            cost=8,
            key="mask",
            weights=context.weights.T.reshape(context.weights.shape),
        )


def _other_side(context: Context) -> Mask:
    last = np.arange(context.timesteps) >= context.timesteps - context.ends[:, None]
    return Mask(
        code="PAD07",
        title="Mask on the other side",
        clause="counts the last len timesteps of each sequence, as if the padding came first"
        if context.is_prefix
        else "mirrors each sequence's mask, as if the padding were at its other end",
        formula=r"w_{bt} = [t \ge T - \mathrm{len}_b]" if context.is_prefix else r"w_{bt} \to w_{b,T-1-t}",
        cost=3,
        weights=last.astype(float) if context.is_prefix else context.weights[:, ::-1],
    )


def _ended(context: Context, by: int, ends: Array) -> Array:
    """The weights of sequences that end at `ends`; a classifier's one timestep moves with the end."""
    columns = np.arange(context.timesteps)
    if context.is_prefix:
        return (columns < ends[:, None]).astype(float)
    if context.is_classifier:
        return np.where((columns == ends[:, None] - 1) & (context.ends > 0)[:, None], 1.0, 0.0)
    edge = columns == (context.ends - 1 if by < 0 else context.ends)[:, None]
    return np.where(edge, float(by > 0), context.weights)


def _off_by_one(context: Context) -> Iterator[Mask]:
    for by, words, sign in ((-1, "one timestep too early", "-"), (1, "one timestep too late", "+")):
        ends = np.clip(context.ends + by, 0, context.timesteps)
        changed = int((ends != context.ends).sum())
        what = "the last timestep" if by < 0 else "one timestep of padding"
        yield Mask(
            code="PAD08",
            title=f"Length {sign} 1" if by > 0 else "Length − 1",
            clause=f"ends {'each sequence' if changed > 1 else 'a sequence'} {words}: {what} of {changed:,} sequences",
            formula=rf"w_{{bt}} = [t < \mathrm{{len}}_b {sign} 1]",
            cost=3,
            key=sign,
            weights=_ended(context, by, ends),
        )


def _of_classifier(context: Context) -> Iterator[Mask]:
    """MOD-04: a classifier should read the last timestep of each sequence, not the last column of the array."""
    if not context.is_classifier or not context.timesteps:
        return
    columns, ends = np.arange(context.timesteps), context.ends[:, None]
    yield Mask(
        code="MOD04",
        title="The last column read",
        clause=f"reads timestep {context.timesteps - 1:,} of every sequence, which lies in the padding of "
        f"{int((context.ends < context.timesteps).sum()):,}",
        formula=r"w_{bt} = [t = T - 1]",
        cost=2,
        weights=np.broadcast_to((columns == context.timesteps - 1).astype(float), context.weights.shape),
    )
    yield Mask(
        code="MOD04",
        title="Every timestep read",
        clause=f"counts every timestep up to each sequence's end, {int(context.ends.sum()):,} of them",
        formula=r"w_{bt} = [t < \mathrm{len}_b]",
        cost=3,
        key="every",
        weights=(columns < ends).astype(float),
    )


def _unweighted(context: Context) -> Iterator[Mask]:
    if not context.has_binary_weights:
        yield Mask(
            code="RED08",
            title="Weights read as a mask",
            clause="counts every timestep with a weight as 1",
            formula=r"w_{bt} \to [w_{bt} \ne 0]",
            cost=3,
            weights=(context.weights != 0).astype(float),
        )


def _padding(context: Context) -> str:
    if not context.has_binary_weights:
        return "1 − w of every timestep"
    kind = "timesteps of padding" if context.is_padded else "other timesteps"
    return f"{context.padding:,} {kind}"


def _counting(lost: int) -> str:
    return f"{lost:,} of which {'count' if lost > 1 else 'counts'}" if lost else "none of which counts"

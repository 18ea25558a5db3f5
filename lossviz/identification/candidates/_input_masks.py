"""Masks of the inputs, and masks cut beside the targets (spec/padding-bugs.md, SHF-05)."""

from collections.abc import Iterator

import numpy as np

from lossviz.identification._components import Mask
from lossviz.identification._context import Context

__all__ = ["input_masks"]

Array = np.ndarray


def input_masks(context: Context) -> Iterator[Mask]:
    """The mask of the inputs, used where the targets were shifted and the mask was not."""
    batch = context.analysis.batch
    if not context.is_prefix and not context.is_classifier and context.timesteps > 1:
        yield from _beside_the_answers(context)
    if batch.inputs is None or batch.pad_id is None:
        return
    real = np.asarray(batch.inputs != batch.pad_id)
    if _is_of_a_tagger(context, real):
        yield Mask(
            code="PAD04",
            title="Mask of the inputs",
            clause=f"counts every timestep whose input is not {batch.pad_id}, as Keras' mask_zero does: the labels "
            f"with the number of the pad id too",
            formula=rf"w_{{bt}} = [x_{{bt}} \ne {batch.pad_id}]",
            is_bug=False,
            is_sure=True,
            cost=1,
            key="inputs",
            weights=real.astype(float),
        )
        return
    yield Mask(
        code="SHF05",
        title="Mask of the inputs",
        clause="masks where the inputs, not the targets, are padding",
        formula=rf"w_{{bt}} = [x_{{bt}} \ne {batch.pad_id}]",
        cost=5,
        weights=real.astype(float),
    )


def _is_of_a_tagger(context: Context, real: Array) -> bool:
    """Whether labels have the pad id wherever the inputs do, and elsewhere too, and are no tokens of the inputs."""
    inputs, targets = np.asarray(context.analysis.batch.inputs), context.targets
    is_pad = targets == context.analysis.batch.pad_id
    if real.all() or not is_pad[~real].all() or not (is_pad & real).any() or is_pad.all():
        return False
    follows = (targets[:, :-1] == inputs[:, 1:])[~is_pad[:, :-1]]
    copies = (targets == inputs)[~is_pad]
    return not (follows.size and follows.mean() >= 0.5) and not copies.mean() >= 0.5


def _beside_the_answers(context: Context) -> Iterator[Mask]:
    """A mask of the tokens cut at the wrong end: mask[:, :-1] or mask[:, 2:] instead of mask[:, 1:]."""
    for late, words, cut, what in (
        (1, "late", "mask[:, :-1]", "the first timestep of each answer does not count, the one after its end does"),
        (-1, "early", "mask[:, 2:]", "the last timestep of each prompt counts, the end of each answer does not"),
    ):
        moved = np.roll(context.weights, late, axis=1)
        moved[:, 0 if late > 0 else -1] = 0
        yield Mask(
            code="SHF05",
            title=f"Mask one timestep {words}",
            clause=f"moves the mask one timestep too {words}, as {cut} beside tokens[:, 1:] does: {what}",
            formula=rf"w_{{bt}} \to w_{{b,t{-late:+d}}}",
            cost=4,
            key=words,
            weights=moved,
        )

"""What an accuracy printed beside the loss reveals (spec/padding-bugs.md PAD-17)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lossviz.fixes import fix_of
from lossviz.identification._context import Context, plural
from lossviz.identification._match import Match
from lossviz.identification._reported import Printed
from lossviz.identification.candidates._one_off import accuracies
from lossviz.reductions import LoopOption

__all__ = ["ACCURACY", "with_accuracy"]

ACCURACY = LoopOption(
    "accuracy",
    "Accuracy",
    "A",
    "The accuracy that was printed beside the loss, from 0 to 1 or in percent.",
    kind="fraction",
    phrase="prints an accuracy",
    most=100.0,
)
"""What else the loop printed; it describes the batch, and is no field of `Options`."""


def with_accuracy(matches: Sequence[Match], context: Context, printed: Printed | None) -> tuple[Match, ...]:
    """Add PAD-17 if the accuracy counts padding, which makes it likelier that the loss does too.

    >>> from lossviz import Batch, analyze
    >>> from lossviz.identification._reported import read_printed
    >>> from lossviz.reductions import Options
    >>> batch = Batch.from_arrays(logits=np.eye(2)[None], targets=[[0, 0]], lengths=[1])
    >>> with_accuracy((), Context(analyze(batch), Options()), read_printed("0.50"))[0].explanation
    'Your accuracy of 0.5 is that of all 2 positions; over the 1 timestep that counts it is 1.'
    """
    if printed is None:
        return tuple(matches)
    scale = 100.0 if printed.value > 1 else 1.0
    everywhere, masked = (scale * share for share in accuracies(context))
    if not printed.is_hit(everywhere) or printed.is_hit(masked):
        return tuple(matches)
    sure = [_surer(match) for match in matches]
    place = sum(not match.accidental for match in sure)
    found = [*sure[:place], _counts_padding(context, everywhere, masked, printed), *sure[place:]]
    return tuple(replace(match, rank=rank) for rank, match in enumerate(found, start=1))


def _surer(match: Match) -> Match:
    """PAD-01 without its doubt: the accuracy supports it."""
    if "PAD01" not in match.codes or not match.possible:
        return match
    clause = f"{match.clause}, and its accuracy counts them too"
    return replace(match, explanation=f"Your loop {clause}.", clause=clause, possible=False)


def _counts_padding(context: Context, everywhere: float, masked: float, printed: Printed) -> Match:
    unmasked = f"{plural(context.counting, 'timestep')} that count{'s' if context.counting == 1 else ''}"
    return Match(
        code="PAD17",
        title="Accuracy counts padding",
        value=everywhere,
        difference=everywhere - printed.value,
        formula=r"\frac{1}{B \cdot T}\sum_{b,t} [\operatorname{argmax}_v z_{btv} = y_{bt}]",
        kind="bug",
        explanation=(
            f"Your accuracy of {everywhere:.4g} is that of all {context.positions:,} positions; "
            f"over the {unmasked} it is {masked:.4g}."
        ),
        fix=fix_of(["PAD17"], context.analysis),
        codes=("PAD17",),
        arrays=lambda: (np.zeros(context.weights.shape), np.ones(context.weights.shape, bool)),
    )

"""How [B, T] losses become one number: the numerator and the divisor of each reduction, separate until the end.

To add a reduction, add a row to `REDUCTIONS`. `lossviz.conventions` says which library prints which of them, and in
what unit.
"""

from lossviz.errors import SettingsError
from lossviz.reductions._catalogue import REDUCTIONS
from lossviz.reductions._flags import FLAGS, check_flags, reduce_sequence_loss
from lossviz.reductions._followed import Followed, follow
from lossviz.reductions._loop_options import LOOP_OPTIONS, LoopOption
from lossviz.reductions._means import group_sums
from lossviz.reductions._options import MAX_SAFE_INTEGER, Options
from lossviz.reductions._reduced import Reduced, quotient
from lossviz.reductions._reduction import Reduction

__all__ = [
    "CALCULATIONS",
    "FLAGS",
    "LOOP_OPTIONS",
    "MAX_SAFE_INTEGER",
    "REDUCTIONS",
    "Followed",
    "LoopOption",
    "Options",
    "Reduced",
    "Reduction",
    "check_flags",
    "check_options",
    "follow",
    "group_sums",
    "quotient",
    "reduce_sequence_loss",
    "reduction_named",
]

CALCULATIONS = REDUCTIONS[:5]
"""The five calculations of spec/losses.md §1."""


def reduction_named(name: str) -> Reduction:
    """The row of `REDUCTIONS` of that name, which `Settings` has checked.

    >>> reduction_named("mean").source
    'sequence_loss with its default flags'
    """
    return next(reduction for reduction in REDUCTIONS if reduction.name == name)


def check_options(reduction: Reduction, options: Options) -> None:
    """Refuse options with which a reduction has no number.

    Raises:
        SettingsError: if one is missing, or the flags of `sequence_loss` contradict each other.

    >>> check_options(reduction_named("micro_batch_means"), Options())
    Traceback (most recent call last):
    lossviz.errors.SettingsError: `reduction='micro_batch_means'` needs `accumulation_steps`; got None. Say how many \
micro-batches the batch was cut into.
    """
    if reduction.name == "sequence_loss":
        check_flags(*options.flags)
    for name in options.missing(reduction.needs):
        raise SettingsError(
            f"`reduction={reduction.name!r}` needs `{name}`; got None. "
            "Say how many micro-batches the batch was cut into."
        )

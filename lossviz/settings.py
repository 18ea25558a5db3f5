"""What the user chose: which mask, and how the losses become one number."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossviz.errors import SettingsError, not_one_of
from lossviz.reductions import FLAGS, REDUCTIONS, Options

__all__ = ["FILE_VARIABLE", "MASKS", "Settings"]

FILE_VARIABLE = "LOSSVIZ_FILE"
"""The environment variable by which `lossviz app FILE` tells the app what to open."""

MASKS = {
    "lengths": "Lengths: timesteps before the end of each sequence",
    "weights": "Weights: as given, any number per timestep",
    "nonpad": "Targets that are not the pad id: sign(targets)",
    "ignore_id": "Targets that are not the ignore id",
    "none": "No mask: every timestep counts",
}


@dataclass(frozen=True)
class Settings:
    """Which mask and which reduction to use.

    Args:
        mask: one of `MASKS`, or None for what the batch declares (weights, else lengths, else ignore id, else pad id).
        reduction: the name of one of `lossviz.reductions.REDUCTIONS`.
        average_across_timesteps: a flag of `sequence_loss`, like the next three; used by that reduction only.
        average_across_batch: see above.
        sum_over_timesteps: see above.
        sum_over_batch: see above.
        accumulation_steps: how many micro-batches the batch is cut into; used by "micro_batch_means" only.
        max_length: the constant L_max; used by the reduction "max_length" only, which takes T without it.

    Raises:
        SettingsError: if a name is unknown. Flags that contradict each other are refused by `analyze`.

    >>> Settings(reduction="language_model").reduction
    'language_model'
    >>> Settings(mask="length")
    Traceback (most recent call last):
    lossviz.errors.SettingsError: `mask` must be one of 'lengths', 'weights', 'nonpad', 'ignore_id', 'none' or None; \
got 'length'. Did you mean 'lengths'?
    """

    mask: str | None = None
    reduction: str = "mean"
    average_across_timesteps: bool = True
    average_across_batch: bool = True
    sum_over_timesteps: bool = False
    sum_over_batch: bool = False
    accumulation_steps: int | None = None
    max_length: int | None = None

    def __post_init__(self) -> None:
        _check_name("mask", self.mask, tuple(MASKS), optional=True)
        _check_name("reduction", self.reduction, tuple(r.name for r in REDUCTIONS))
        for flag in FLAGS:
            if not isinstance(getattr(self, flag), bool | np.bool_):
                raise SettingsError(f"`{flag}` must be True or False; got `{getattr(self, flag)!r:.40}`.")
        Options(accumulation_steps=self.accumulation_steps, max_length=self.max_length)

    @property
    def options(self) -> Options:
        """What the reduction needs to know beside the losses and the weights."""
        return Options(accumulation_steps=self.accumulation_steps, max_length=self.max_length, flags=self.flags)

    @property
    def is_classifier(self) -> bool:
        """Whether one logit per timestep is a sigmoid's, read at one timestep of each sequence."""
        return self.reduction == "classification"

    @property
    def flags(self) -> tuple[bool, bool, bool, bool]:
        """The four flags of `sequence_loss`, in the order of its signature."""
        return (
            self.average_across_timesteps,
            self.average_across_batch,
            self.sum_over_timesteps,
            self.sum_over_batch,
        )

    def replace(self, **changes: Any) -> "Settings":
        """The same settings with some of them changed."""
        return replace(self, **changes)


def _check_name(argument: str, value: object, names: tuple[str, ...], *, optional: bool = False) -> None:
    if (isinstance(value, str) and value in names) or (optional and value is None):
        return
    raise SettingsError(not_one_of(argument, value, names, " or None" if optional else ""))

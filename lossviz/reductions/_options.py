"""What some reductions and conventions need besides the losses and the weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import index
from typing import Any

import numpy as np

from lossviz.errors import SettingsError, did_you_mean
from lossviz.reductions._loop_options import LOOP_OPTIONS

__all__ = ["MAX_SAFE_INTEGER", "Options"]

MAX_SAFE_INTEGER = 2**53 - 1  # the largest integer that floats and browsers represent exactly


@dataclass(frozen=True)
class Options:
    """How a training loop was configured, as far as its number depends on it; None means "not given".

    Args:
        accumulation_steps: k, the number of micro-batches that the sequences are cut into, in order.
        world_size: the number of ranks that the sequences are distributed over, in order.
        groups: the sequences of each micro-batch, if they are not cut evenly: ((0,), (1, 2)).
        max_length: L_max, the constant length of a trainer that divides by it; by default T.
        smoothing: ε of label smoothing, from 0 up to 1.
        class_weights: [V], the factor of the loss of each class.
        bytes_per_token: [V], the UTF-8 bytes of each token, for bits per byte.
        z_loss: the factor of logsumexp², if that is added to the loss.
        flags: the four flags of `sequence_loss`, in the order of its signature.

    Raises:
        SettingsError: if a number is out of its range.

    >>> Options(accumulation_steps=2).parts(5).tolist()
    [0, 0, 0, 1, 1]
    >>> Options(smoothing=1.5)
    Traceback (most recent call last):
    lossviz.errors.SettingsError: `smoothing` must be from 0 up to, not including, 1; got 1.5.
    """

    accumulation_steps: int | None = None
    world_size: int | None = None
    groups: tuple[tuple[int, ...], ...] | None = None
    max_length: int | None = None
    smoothing: float | None = None
    class_weights: Sequence[float] | None = None
    bytes_per_token: Sequence[float] | None = None
    z_loss: float | None = None
    flags: tuple[bool, bool, bool, bool] = (True, True, False, False)

    def __post_init__(self) -> None:
        for option in LOOP_OPTIONS:
            value = getattr(self, option.name)
            if value is not None:
                object.__setattr__(self, option.name, _CHECKS[option.kind](option.name, value))
        if self.groups is not None:
            object.__setattr__(self, "groups", _groups(self.groups))

    def replaced(self, options: Mapping[str, Any]) -> "Options":
        """These options, with some of them replaced.

        Raises:
            SettingsError: if an option is unknown or out of its range.

        >>> Options(world_size=2).replaced({"smoothin": 0.1})
        Traceback (most recent call last):
        lossviz.errors.SettingsError: There is no option `smoothin`. Did you mean `smoothing`? There are \
accumulation_steps, world_size, groups, max_length, smoothing, class_weights, bytes_per_token, z_loss, flags.
        """
        for name in options:
            if name not in self.names():
                hint = did_you_mean(name, self.names())
                raise SettingsError(f"There is no option `{name}`.{hint} There are {', '.join(self.names())}.")
        return replace(self, **options)

    def missing(self, needs: Sequence[str]) -> tuple[str, ...]:
        """Those of the options that were not given; `groups` also give the number of micro-batches.

        >>> Options(smoothing=0.1).missing(("smoothing", "z_loss"))
        ('z_loss',)
        >>> Options(groups=((0,), (1, 2))).missing(("accumulation_steps",))
        ()
        """
        given = {"accumulation_steps"} if self.groups is not None else set()
        return tuple(name for name in needs if getattr(self, name) is None and name not in given)

    def parts(self, sequences: int) -> np.ndarray:
        """The micro-batch of each sequence, [B]: from `groups` if given, else `accumulation_steps` even parts.

        Raises:
            SettingsError: if `groups` does not contain each sequence exactly once.
        """
        if self.groups is None:
            cuts = np.array_split(np.arange(sequences), min(self.accumulation_steps or 1, max(sequences, 1)))
            return np.repeat(np.arange(len(cuts)), [len(cut) for cut in cuts])
        flat = [row for group in self.groups for row in group]
        if sorted(flat) != list(range(sequences)):
            raise SettingsError(
                f"`groups` must hold each of the sequences 0 to {sequences - 1} once; got {self.groups}. "
                "Leave it out to cut the batch evenly."
            )
        parts = np.empty(sequences, int)
        for number, group in enumerate(self.groups):
            parts[list(group)] = number
        return parts

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all options."""
        return tuple(field.name for field in fields(cls))


def _count(name: str, value: Any) -> int:
    try:
        whole = index(value)
    except TypeError:
        raise SettingsError(f"`{name}` must be a whole number from 1 on; got {value!r}.") from None
    if isinstance(value, bool) or whole < 1:
        raise SettingsError(f"`{name}` must be a whole number from 1 on; got {value!r}.")
    if whole > MAX_SAFE_INTEGER:
        raise SettingsError(f"`{name}` must be a whole number up to {MAX_SAFE_INTEGER:,}; got a larger one.")
    return whole


def _fraction(name: str, value: Any) -> Any:
    if not (_is_number(value) and 0 <= value < 1):
        raise SettingsError(f"`{name}` must be from 0 up to, not including, 1; got {value!r}.")
    return value


def _factor(name: str, value: Any) -> Any:
    if not (_is_number(value) and _fits_float(value)):
        raise SettingsError(f"`{name}` must be a finite number, such as 1e-4; got {value!r:.40}.")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _fits_float(value: float) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except OverflowError:
        return False


def _per_class(name: str, value: Any) -> tuple[float, ...]:
    try:
        numbers = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        numbers = np.full(1, np.nan)
    if numbers.ndim != 1 or not np.isfinite(numbers).all() or (numbers < 0).any():
        raise SettingsError(f"`{name}` must be a list of numbers from 0 on, one for each class.")
    return tuple(numbers.tolist())


def _groups(value: Any) -> tuple[tuple[int, ...], ...]:
    try:
        return tuple(tuple(index(row) for row in group) for group in value)
    except TypeError:
        raise SettingsError(
            f"`groups` must list the sequences of each micro-batch, such as ((0,), (1, 2)); got {value!r}."
        ) from None


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "count": _count,
    "fraction": _fraction,
    "factor": _factor,
    "per_class": _per_class,
}
"""What a value of each kind of `LoopOption` must be; each returns the value to keep."""

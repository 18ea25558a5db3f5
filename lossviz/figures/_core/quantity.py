"""What a heatmap can show: each quantity's numbers, unit, scale and form."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from lossviz.analysis import Analysis
from lossviz.errors import InputError, not_one_of
from lossviz.figures._core.scale import BEYOND, Scale
from lossviz.figures._core.text import compact, number

__all__ = ["QUANTITIES", "Quantity", "quantity_named"]

Array = np.ndarray


# Cells that stay in the processor's cache.
STRIP = 1 << 17
# The ends of an analysis never change, and finding them reads the whole batch.
_ENDS: WeakKeyDictionary[Analysis, dict[str, Scale]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Quantity:
    """One number per timestep, and how it is drawn.

    Attributes:
        name: as options call it; `title` for rows and axes; `unit` for the colour bar, or "".
        values: of every timestep [B, T], before the mask; `counted`: what is left where a timestep counts.
        left: the name of what is left, for the third heatmap.
        under_mask: what a change of the mask makes of a value: "weighted", multiplied by its weight; "hidden", the same
            or not shown; "other", another value that only an analysis can tell.
        form: a value as text.
        sums: whether adding it up over timesteps means something.
        best: the end of the scale that has the page's colour, "low" or "high".
        limits: the ends of the colour scale where they are the same for every batch, else None.
        scale: the ends of the colour scale where they are locked, else None.
        beyond: for a scale anchored at ln V, how many nats it extends above ln V; else None.
        guess: the loss of a uniform guess where the batch can't tell, else None.
        logarithmic: whether colours follow log₁₀ of the value.
    """

    name: str
    title: str
    unit: str
    values: Callable[[Analysis], Array]
    counted: Callable[[Analysis], Array]
    left: str
    under_mask: str
    form: Callable[[float], str]
    sums: bool = False
    best: str = "low"
    limits: tuple[float, float] | None = None
    scale: tuple[float, float] | None = None
    beyond: float | None = None
    guess: float | None = None
    logarithmic: bool = False

    def locked(self, low: float, high: float) -> "Quantity":
        """The same quantity on a colour scale from low to high, whatever the batch.

        Raises:
            InputError: if low is not below high.

        >>> QUANTITIES["loss"].locked(0, 5).scale
        (0.0, 5.0)
        """
        if not (np.isfinite([low, high]).all() and low < high):
            raise InputError(f"`scale` must be two finite numbers, the lower first; got ({low}, {high}).")
        return replace(self, scale=(float(low), float(high)))

    def anchored(self, classes: int) -> "Quantity":
        """The same quantity on the scale of so many classes, for recorded losses that don't say how many there are.

        >>> round(QUANTITIES["loss"].anchored(115).guess, 4)
        4.7449
        """
        return replace(self, guess=float(np.log(classes)))

    def guess_of(self, analysis: Analysis) -> float | None:
        """The loss of a uniform guess, or None where the number of classes is unknown."""
        return _uniform_guess(analysis) if self.guess is None else self.guess

    def colour_value(self, values: Array) -> Array:
        """The values as the colour scale sees them: the same, or their log₁₀."""
        if not self.logarithmic:
            return values
        with np.errstate(all="ignore"):
            return np.where(values >= 1, np.log10(values), np.nan)

    def scale_of(self, analysis: Analysis) -> Scale:
        """The colour scale: locked, or fixed, or anchored at the loss of a uniform guess, or that of `stretched`."""
        fixed = self.scale or self.limits
        if fixed:
            low, high = np.log10(np.maximum(fixed, 1)) if self.logarithmic else fixed
            return Scale(float(low), float(high))
        guess = self.guess_of(analysis)
        if self.beyond is not None and guess is not None:
            return Scale(0.0, guess + self.beyond, guess)
        return self.stretched(analysis)

    def stretched(self, analysis: Analysis) -> Scale:
        """The colour scale of this batch alone: 0 to mean + 3σ of the timesteps that count.

        Of a classifier, also of those that are only drawn as if they were read.
        """
        known = _ENDS.setdefault(analysis, {})
        if self.name not in known:
            known[self.name] = Scale(*(self.limits or self._usual_ends(analysis)))
        return known[self.name]

    def _usual_ends(self, analysis: Analysis) -> tuple[float, float]:
        values = self.values(analysis)
        if self.logarithmic:
            return 0.0, float(np.log10(max(10.0, values.max(initial=0))))
        end = _end(values, analysis.mask, analysis.invalid)
        if analysis.is_classifier:  # one timestep is read, and the others are drawn as if they were
            real = analysis.real_timesteps
            end = max(end, _end(values, real, analysis.invalid))
        return 0.0, end


def _uniform_guess(analysis: Analysis) -> float | None:
    """The loss of a uniform guess, ln V in nats (ln 2 of a classifier); None where V is unknown or 1."""
    classes = 2 if analysis.is_classifier else analysis.batch.classes
    # The vocabulary of recorded losses may hold the tokens of this batch alone.
    partial = not analysis.has_logits and not analysis.is_classifier and analysis.batch.vocabulary is not None
    return None if classes is None or classes < 2 or partial else float(np.log(classes))


HUGE = 1e150  # whose square float64 does not hold
LARGEST_DRAWN = 3e38  # in the float32 that pictures are drawn with


def _end(values: Array, used: Array, invalid: Array) -> float:
    """Mean + 3σ of the values that are used, at most the largest of all; of all where none is used."""
    with np.errstate(over="ignore"):
        usual, every = _moments(values, used, invalid)
    if every.largest > HUGE:
        return min(every.largest, LARGEST_DRAWN)
    if usual.largest <= 0:
        usual = every
    return min(every.largest, usual.mean + 3 * usual.deviation) if usual.largest > 0 else 1.0


class _Moments:
    """The largest of some values, their mean and standard deviation, gathered strip by strip; 0 where there is none."""

    def __init__(self) -> None:
        self.count, self.total, self.squares, self.largest = 0, 0.0, 0.0, 0.0

    def add(self, values: Array, used: Array) -> None:
        part = np.where(used, values, 0.0).ravel()
        self.count += int(np.count_nonzero(used))
        self.total += float(part.sum())
        self.squares += float(np.square(part).sum())
        self.largest = max(self.largest, float(part.max(initial=0.0)))

    @property
    def mean(self) -> float:
        return self.total / max(self.count, 1)

    @property
    def deviation(self) -> float:
        return float(np.sqrt(max(self.squares / max(self.count, 1) - self.mean**2, 0.0)))


def _moments(values: Array, mask: Array, invalid: Array) -> tuple[_Moments, _Moments]:
    """Of the finite values that count, without rows of an impossible length; and of all finite values."""
    usual, every = _Moments(), _Moments()
    step = max(1, STRIP // max(1, values.shape[1]))
    for row in range(0, len(values), step):
        rows = slice(row, row + step)
        finite = np.isfinite(values[rows])
        usual.add(values[rows], finite & mask[rows] & ~invalid[rows])
        every.add(values[rows], finite)
    return usual, every


def quantity_named(quantity: str | Quantity) -> Quantity:
    """The quantity of that name; one that is already a Quantity is kept.

    Raises:
        InputError: if there is none of that name.
    """
    if isinstance(quantity, Quantity):
        return quantity
    if isinstance(quantity, str) and quantity in QUANTITIES:
        return QUANTITIES[quantity]
    raise InputError(not_one_of("quantity", quantity, QUANTITIES))


def _array(name: str) -> Callable[[Analysis], Array]:
    def values(analysis: Analysis) -> Array:
        array: Array = getattr(analysis, name)
        return array

    return values


def _two(value: float) -> str:
    return compact(value)


def _percent(value: float) -> str:
    return f"{value:.1%}" if np.isfinite(value) else number(value)


def _whole(value: float) -> str:
    return f"{value:.0f}" if np.isfinite(value) else number(value)


def _three(value: float) -> str:
    return compact(value, 3)


def _plain(
    name: str, title: str, unit: str, form: Callable[[float], str], *, under_mask: str = "hidden", **more: Any
) -> Quantity:
    """A quantity that is not multiplied by the weights."""
    values = _array(name)
    return Quantity(name, title, unit, values, values, "where it counts", under_mask, form, **more)


_LOSS = Quantity(
    "loss",
    "batch loss",
    "nats",
    values=_array("batch_loss"),
    counted=_array("unpadded_loss"),
    left="unpadded loss",
    under_mask="weighted",
    form=_two,
    sums=True,
    beyond=BEYOND,
)
QUANTITIES = {
    quantity.name: quantity
    for quantity in (
        _LOSS,
        _plain("probability", "probability", "", _two, best="high", limits=(0.0, 1.0)),
        _plain("entropy", "entropy", "nats", _two, beyond=0.0),
        _plain("rank", "rank", "", _whole, logarithmic=True),
        _plain("gradient_norm", "gradient norm", "", _three, under_mask="other"),
        _plain("share", "share", "", _percent, under_mask="other", sums=True),
    )
}

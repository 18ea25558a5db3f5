"""A printed number, and how far a formula's value may be from it."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from lossviz.arrays import as_array
from lossviz.errors import InputError, not_one_of

__all__ = ["PRECISIONS", "Printed", "accuracy_or_refuse", "decimals_or_refuse", "read_printed", "relative_tolerance"]

PRECISIONS = {"float32": 1e-5, "float16": 4e-3, "bfloat16": 4e-3}
"""The relative error of a loss computed in each precision."""

WORDS, COMMA = "Leave out units and words.", "Write the decimal comma as a point."
MOST_DECIMALS = 300


@dataclass(frozen=True)
class Printed:
    """A printed number: its value, text, printed decimals and tolerance (spec/padding-bugs.md §0).

    >>> printed = read_printed("1.2545")
    >>> printed.value, printed.decimals, printed.digits, round(printed.tolerance, 7)
    (1.2545, 4, 5, 6.25e-05)
    >>> printed.is_hit(1.25454), printed.is_hit(1.2546)
    (True, False)
    """

    value: float
    text: str
    decimals: int
    tolerance: float

    @property
    def digits(self) -> int:
        """The number of significant digits printed."""
        if not np.isfinite(self.value) or self.value == 0:
            return max(self.decimals, 0)
        return max(int(np.floor(np.log10(abs(self.value)))) + 1 + self.decimals, 0)

    def is_hit(self, value: float) -> bool:
        """Whether a formula's value could have been printed like this; NaN matches NaN, and ±inf only itself."""
        if not np.isfinite(self.value) or not np.isfinite(value):
            return bool(np.array_equal(self.value, value, equal_nan=True))
        return bool(abs(value - self.value) <= self.tolerance)

    def is_near(self, value: float) -> bool:
        """Whether a hit needs no more than a tenth of what the loop's precision allows; most loops lose less."""
        half_digit = self.tolerance if abs(self.decimals) > MOST_DECIMALS else 0.5 * 10.0**-self.decimals
        most = half_digit + 0.1 * max(self.tolerance - half_digit, 0.0)
        return not np.isfinite(value) or bool(abs(value - self.value) <= most)

    def hits(self, values: np.ndarray) -> np.ndarray:
        """`is_hit` for each of several values."""
        if not np.isfinite(self.value):
            same: np.ndarray = np.isnan(values) if np.isnan(self.value) else values == self.value
            return same
        with np.errstate(invalid="ignore"):
            close: np.ndarray = np.abs(values - self.value) <= self.tolerance
        return close


def read_printed(
    value: Any, *, name: str = "reported", decimals: int | None = None, relative: float = PRECISIONS["float32"]
) -> Printed:
    """Read what a loop printed, or a variable, whose decimals are those of its shortest form.

    Raises:
        InputError: if it is not one number.

    >>> read_printed("1.25e-3").decimals, read_printed(0.5).decimals, read_printed("nan").text
    (5, 1, 'nan')
    """
    text = value.strip().replace("−", "-") if isinstance(value, str) else _shortest(name, value)
    try:
        number = _decimal(text)
    except ValueError:
        raise InputError(_no_number(name, value, COMMA if text.count(",") == 1 else WORDS)) from None
    if number.is_snan():
        raise InputError(_no_number(name, value, WORDS))
    exponent = number.as_tuple().exponent
    shown = decimals if decimals is not None else -exponent if isinstance(exponent, int) else 0
    plain = float(number)
    half_digit = float(Decimal((0, (5,), -shown - 1))) if abs(shown) <= MOST_DECIMALS else 0.0  # 10.0**999 raises
    tolerance = half_digit + relative * abs(plain) if np.isfinite(plain) else 0.0
    return Printed(plain, text, shown, tolerance)


def relative_tolerance(precision: str) -> float:
    """The relative error of a loss computed in that precision.

    Raises:
        InputError: if the precision is none of `PRECISIONS`.

    >>> relative_tolerance("bfloat16")
    0.004
    """
    if not isinstance(precision, str) or precision not in PRECISIONS:
        raise InputError(not_one_of("precision", precision, PRECISIONS))
    return PRECISIONS[precision]


def decimals_or_refuse(decimals: Any) -> int | None:
    """The number of decimals printed, or None to count them in the text.

    Raises:
        InputError: if it is not a whole number from 0 to 17.

    >>> decimals_or_refuse(4)
    4
    """
    if decimals is None:
        return None
    whole = isinstance(decimals, (int, np.integer)) and not isinstance(decimals, bool)
    if not whole or not 0 <= decimals <= 17:
        raise InputError(
            f"`decimals` must be a whole number from 0 to 17; got {decimals!r}. Leave it out to count them."
        )
    return int(decimals)


def _decimal(text: str) -> Decimal:
    """The number exactly; with an exponent beyond what Decimal holds, ±inf or 0, as float reads it."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(float(text))


def accuracy_or_refuse(accuracy: Any) -> Printed | None:
    """The accuracy that was printed, from 0 to 1 or in percent; None where none was.

    Raises:
        InputError: if it is no number from 0 to 100.

    >>> accuracy_or_refuse("0.50").value
    0.5
    """
    if accuracy is None:
        return None
    printed = read_printed(accuracy, name="accuracy")
    if not 0 <= printed.value <= 100:
        raise InputError(f"`accuracy` must be from 0 to 1, or from 0 to 100 in percent; got {printed.text:.40}.")
    return printed


def _no_number(name: str, value: Any, way_out: str) -> str:
    return f"`{name}` must be a number as it was printed, such as '1.2545'; got {value!r}. {way_out}"


def _shortest(name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{Decimal(value)}"
    array = as_array(name, np.empty(0) if value is None else value)
    if array.size != 1 or array.dtype.kind in "bOUS":
        raise InputError(_no_number(name, value, WORDS))
    return str(array.reshape(-1)[0])

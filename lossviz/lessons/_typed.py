"""What is typed into a field: a number, a fraction, a shape. A grammar of two lines; nothing is ever evaluated."""

import re
from dataclasses import dataclass
from math import floor, isnan, log10

__all__ = ["LONGEST", "Typed", "read_number", "read_shape"]

LONGEST = 60  # characters that an answer may have
_NUMBER = r"([-+]?(?:\d{1,20}(?:[.,]\d{0,20})?|[.,]\d{1,20})(?:[eE][-+]?\d{1,2})?)"
_TYPED = re.compile(rf"{_NUMBER}(?:\s*[/÷:]\s*{_NUMBER})?(?:\s*nats)?", re.ASCII)
_SHAPE = re.compile(r"\s*[(\[]?\s*(\d{1,9}(?:\s*[,x×]\s*\d{1,9})*)\s*,?\s*[)\]]?\s*", re.ASCII)
SIGNIFICANT = 3
EXACT = 1e-9


@dataclass(frozen=True)
class Typed:
    """A number as it was typed: its value, and the size of one in its last digit (0 for a fraction)."""

    value: float
    last_digit: float

    def is_same(self, other: float) -> bool:
        """Whether it is the other number at the digits typed, rounded or cut off, of which three must be significant.

        >>> [read_number(text).is_same(2 / 3) for text in ("0.667", "0.666", "0.67", "2/3", "0.668")]
        [True, True, False, True, False]
        """
        if isnan(self.value) or isnan(other):
            return isnan(self.value) and isnan(other)
        away = abs(self.value - other)
        if away <= EXACT * max(1.0, abs(other)):
            return True
        if not self.last_digit:
            return away <= 0.5 * 10.0**-SIGNIFICANT * abs(other)
        return self.digits >= SIGNIFICANT and away < self.last_digit * (1 + EXACT) and self._agrees(other)

    def is_short_for(self, other: float) -> bool:
        """Whether it is the other number in too few digits to be sure.

        >>> read_number("1.3").is_short_for(1.2545), read_number("1.2").is_short_for(1.4)
        (True, False)
        """
        return bool(self.last_digit) and self.digits < SIGNIFICANT and abs(self.value - other) < self.last_digit / 1.9

    @property
    def digits(self) -> int:
        """How many digits are significant; of 0, as many as were typed after the point."""
        largest = floor(log10(abs(self.value))) if self.value else 0
        return largest - round(log10(self.last_digit)) + 1 if self.last_digit else 17

    def _agrees(self, other: float) -> bool:
        """Rounded to the digits typed, or cut off there."""
        rounded = abs(self.value - other) <= self.last_digit / 2 * (1 + EXACT)
        return rounded or abs(self.value) <= abs(other)


def read_number(text: str) -> Typed | None:
    """Read `1.2545`, `1,2545`, `13.8/11` or `NaN`; None for anything else, however long.

    >>> read_number("1,2545").value, read_number("13.8/11").value == 13.8 / 11, read_number("__import__('os')")
    (1.2545, True, None)
    """
    text = text.strip().replace("−", "-") if len(text) <= LONGEST else ""
    if text.lower() == "nan":
        return Typed(float("nan"), 0.0)
    match = _TYPED.fullmatch(text)
    if match is None:
        return None
    value, digit = _read(match[1])
    if match[2] is None:
        return Typed(value, digit)
    divisor, _ = _read(match[2])
    return Typed(value / divisor, 0.0) if divisor else Typed(float("nan"), 0.0)


def read_shape(text: str) -> tuple[int, ...] | None:
    """Read `(3, 4)`, `3 x 4` or `[3,4]`; None for anything else.

    >>> read_shape("(3, 4)"), read_shape("3x4"), read_shape("(3,)"), read_shape("three")
    ((3, 4), (3, 4), (3,), None)
    """
    match = _SHAPE.fullmatch(text) if len(text) <= LONGEST else None
    return tuple(int(size) for size in re.split(r"\s*[,x×]\s*", match[1])) if match else None


def _read(word: str) -> tuple[float, float]:
    word = word.replace(",", ".").lower()
    mantissa, _, exponent = word.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(word), 10.0 ** (int(exponent or 0) - decimals)

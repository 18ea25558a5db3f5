"""Numbers as text, as training loops print them, as figures draw them and in formulas; and read from what is typed."""

import re
from collections.abc import Iterable

import numpy as np

__all__ = ["compact", "is_number", "latex_lines", "latex_number", "number", "number_text", "numbers_in"]

_APART = re.compile(r"[,;\s]+")
_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")


def number_text(value: float) -> str:
    """A number in the digits that training loops print: four decimals, or an exponent where they would hide it.

    >>> number_text(1.25454), number_text(0.00001234), number_text(float("nan")), number_text(11.0)
    ('1.2545', '1.234e-05', 'NaN', '11.0000')
    """
    if np.isnan(value):
        return "NaN"
    small_or_large = value != 0 and not 1e-3 <= abs(value) < 1e7
    return f"{value:.4g}" if small_or_large else f"{value:.4f}"


def number(value: float, digits: int = 4) -> str:
    """A number as it stands everywhere in a figure: a fixed number of decimals, and typographer's signs.

    >>> number(1.25451), number(float("nan")), number(float("-inf")), number(123456.7, 2), number(1e-7)
    ('1.2545', 'NaN', '−∞', '123,456.7', '1e-07')
    """
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+∞" if value > 0 else "−∞"
    size = abs(value)
    if size != 0 and (size < 0.5 * 10.0**-digits or size >= 1e12):
        written = f"{size:.3g}"
    else:
        written = f"{size:,.1f}" if size >= 1e5 else f"{size:.{digits}f}"
    return f"−{written}" if value < 0 else written


def compact(value: float, digits: int = 2) -> str:
    """A number in the few characters that a cell has; only an exact 0 is written as one.

    >>> compact(1.2545), compact(0.0), compact(0.0004), compact(-0.02)
    ('1.25', '0.00', '4e−4', '−0.02')
    """
    size = abs(value)
    if not 0 < size < 0.5 * 10.0**-digits:
        return number(value, digits)
    mantissa, exponent = f"{size:.0e}".split("e")
    return f"{'−' if value < 0 else ''}{mantissa}e−{-int(exponent)}"


def latex_number(value: float) -> str:
    r"""A number in a formula, with six digits.

    >>> latex_number(1.25454), latex_number(1.5e-7), latex_number(float("-inf"))
    ('1.25454', '1.5 \\times 10^{-7}', '-\\infty')
    """
    if np.isnan(value):
        return r"\mathrm{NaN}"
    if np.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


def latex_lines(steps: Iterable[tuple[str, str, float]]) -> str:
    r"""Lines of arithmetic as one block: each a name, a formula in LaTeX, and its value.

    >>> latex_lines([("weight", "w", 0.5)])
    '\\begin{aligned}w &= 0.5 && \\text{weight}\\end{aligned}'
    """
    lines = [rf"{formula} &= {latex_number(value)} && \text{{{name}}}" for name, formula, value in steps]
    return r"\begin{aligned}" + r"\\".join(lines) + r"\end{aligned}"


def numbers_in(text: str) -> tuple[str, ...]:
    """The numbers of a text, as they were printed; one word, which is no number, where a comma stands for the point.

    >>> numbers_in("[1.36, 0.60,  2.30]"), numbers_in(" "), numbers_in("1,2545")
    (('1.36', '0.60', '2.30'), (), ('1,2545',))
    """
    text = text.replace("−", "-")
    if _COMMA.fullmatch(text):
        return (text.strip(),)
    return tuple(number for word in _APART.split(text) if (number := word.strip("()[]")))


def is_number(word: str | bytes) -> bool:
    """Whether a word is a number.

    >>> is_number("1e-3"), is_number("1.2 nats")
    (True, False)
    """
    try:
        float(word)
    except ValueError:
        return False
    return True

"""The table itself: the rows of every family, by code."""

import re

from lossviz.conventions._convention import Convention
from lossviz.conventions._means import MEANS_OF_MEANS
from lossviz.conventions._shift import SHIFTED
from lossviz.conventions._smoothing import SMOOTHED
from lossviz.conventions._sums import SUMS
from lossviz.conventions._tokens import TOKEN_MEANS
from lossviz.conventions._units import OTHER_UNITS
from lossviz.conventions._z_loss import WITH_Z
from lossviz.errors import InputError, did_you_mean

__all__ = ["CONVENTIONS", "LIBRARIES", "convention_coded"]


def _natural(convention: Convention) -> tuple[object, ...]:
    """C2 before C10, and names after all codes."""
    numbered = re.fullmatch(r"([A-Z]+)(\d+)(\w*)", convention.code)
    return (0, numbered[1], int(numbered[2]), numbered[3]) if numbered else (1, convention.code)


CONVENTIONS: tuple[Convention, ...] = tuple(
    sorted((*SUMS, *TOKEN_MEANS, *MEANS_OF_MEANS, *OTHER_UNITS, *SMOOTHED, *WITH_Z, *SHIFTED), key=_natural)
)
"""Every row of spec/conventions.md, then the calculations of spec/losses.md, by code."""

LIBRARIES: tuple[str, ...] = tuple(
    sorted({user.library for row in CONVENTIONS for user in row.users}, key=str.casefold)
)
"""Every library that some row names as its user."""


def convention_coded(code: str) -> Convention:
    """The row of `CONVENTIONS` of that code.

    Raises:
        InputError: if there is none.

    >>> convention_coded("C05").name
    'Keras 3 with sample_weight'
    >>> convention_coded("C99")
    Traceback (most recent call last):
    lossviz.errors.InputError: There is no convention `C99`. Did you mean `C19`?
    """
    found = next((row for row in CONVENTIONS if row.code == code), None)
    if found is None:
        hint = did_you_mean(code, [row.code for row in CONVENTIONS])
        raise InputError(f"There is no convention `{code}`.{hint}")
    return found

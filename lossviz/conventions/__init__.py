"""How libraries make a number of the losses: formula, numerator, divisor, unit, who prints it, and its laws.

`CONVENTIONS` is the table, `compare_conventions` its numbers on one batch. Adding a convention is a row in the file of
its family, and one in the oracle of the tests.
"""

from lossviz.conventions._convention import DIVISORS, LAWS, UNITS, Convention, Quotient, User
from lossviz.conventions._table import CONVENTIONS, LIBRARIES, convention_coded
from lossviz.conventions._terms import Terms, terms_of
from lossviz.conventions._without_pad import smoothed_without_pad
from lossviz.conventions.compare import compare_conventions

__all__ = [
    "CONVENTIONS",
    "DIVISORS",
    "LAWS",
    "LIBRARIES",
    "UNITS",
    "Convention",
    "Quotient",
    "Terms",
    "User",
    "compare_conventions",
    "convention_coded",
    "smoothed_without_pad",
    "terms_of",
]

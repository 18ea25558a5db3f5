"""The exceptions of lossviz, all caught by `except LossvizError`.

LossvizError
├── InputError (ValueError)      an array or option that can't be used, and how to mend it
│   └── SettingsError            a choice of mask or reduction that does not exist or contradicts itself
├── FormatError (ValueError)     a file that can't be read
│   └── NamesError               a file whose arrays have other names than lossviz looks for
└── Cancelled                    the user stopped a computation
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["Cancelled", "FormatError", "InputError", "LossvizError", "NamesError", "SettingsError"]


class LossvizError(Exception):
    """The base of every exception that lossviz raises on purpose."""


class InputError(LossvizError, ValueError):
    """An array or an option that can't be used; the message says what was passed, what was expected, how to fix it."""


class SettingsError(InputError):
    """A mask or a reduction that does not exist, contradicts itself, or needs what the batch does not have."""


class FormatError(LossvizError, ValueError):
    """A file that can't be read; the message says what was found in it and what was looked for."""


class NamesError(FormatError):
    """A file that could be read, but whose arrays have other names than the ones lossviz looks for.

    Attributes:
        arrays: everything found in the file by its own name, so that a caller can ask which is which.
    """

    def __init__(self, message: str, arrays: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.arrays = dict(arrays)


class Cancelled(LossvizError):
    """A computation that was stopped before its end."""

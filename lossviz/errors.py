"""The exceptions of lossviz, all caught by `except LossvizError`.

LossvizError
├── InputError (ValueError)      an array or option that can't be used, and how to mend it
│   ├── NoLogitsError            a quantity that can't be told without logits
│   └── SettingsError            a choice of mask or reduction that does not exist or contradicts itself
├── FormatError (ValueError)     a file that can't be read
│   └── NamesError               a file whose arrays have other names than lossviz looks for
├── MissingPackageError (ImportError)  a library of `lossviz[app]` that is not installed
└── Cancelled                    the user stopped a computation
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from operator import index
from typing import Any

__all__ = [
    "Cancelled",
    "FormatError",
    "InputError",
    "LossvizError",
    "MissingPackageError",
    "NamesError",
    "NoLogitsError",
    "SettingsError",
    "did_you_mean",
    "first_line",
    "instance_of",
    "not_one_of",
    "require",
    "whole_number",
    "words_of",
]

_TITLES = {
    "distributed": "Dask",
    "duckdb": "DuckDB",
    "keras": "Keras",
    "plotly": "Plotly",
    "streamlit": "Streamlit",
    "tensorflow": "TensorFlow",
}


class LossvizError(Exception):
    """The base of every exception that lossviz raises on purpose."""


class InputError(LossvizError, ValueError):
    """An array or an option that can't be used; the message says what was passed, what was expected, how to fix it."""


class NoLogitsError(InputError):
    """A quantity that can't be told without logits, asked of a batch that holds only losses.

    >>> str(NoLogitsError("The z-loss"))
    "The z-loss can't be told without logits."
    """

    def __init__(self, what: str = "This") -> None:
        super().__init__(f"{what} can't be told without logits.")


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


class MissingPackageError(LossvizError, ImportError):
    """A library that this call needs and the core installation of lossviz does not bring; see `require`."""


class Cancelled(LossvizError):
    """A computation that was stopped before its end."""


def did_you_mean(word: str, options: Iterable[str], quote: str = "`") -> str:
    """The end of a message about an unknown word: the option that looks most like it, or "".

    >>> did_you_mean("length", ["lengths", "weights"]), did_you_mean("x", ["lengths"])
    (' Did you mean `lengths`?', '')
    """
    close = get_close_matches(word, list(options), n=1)
    return f" Did you mean {quote}{close[0]}{quote}?" if close else ""


def not_one_of(argument: str, value: object, options: Iterable[str], more: str = "") -> str:
    """The message about an argument that is none of its options; `more` ends their list.

    >>> not_one_of("theme", "drak", ["light", "dark"])
    "`theme` must be one of 'light', 'dark'; got 'drak'. Did you mean 'dark'?"
    """
    names = list(options)
    hint = did_you_mean(value, names, "'") if isinstance(value, str) else ""
    return f"`{argument}` must be one of {', '.join(map(repr, names))}{more}; got {_short(value)}.{hint}"


def first_line(error: BaseException) -> str:
    r"""The first line of what an exception says, or "".

    >>> first_line(ValueError("no column\n  in the table")), first_line(KeyError())
    ('no column', '')
    """
    return next(iter(str(error).splitlines()), "")


def instance_of(argument: str, value: Any, kind: type | tuple[type, ...], expected: str) -> Any:
    """The argument, once it is of a kind that the call takes; `expected` says of which.

    Raises:
        InputError: it is of another type.

    >>> instance_of("batch", "a.npz", dict, "a Batch, as `lossviz.load` gives")
    Traceback (most recent call last):
    lossviz.errors.InputError: `batch` must be a Batch, as `lossviz.load` gives; got `'a.npz'` (str).
    """
    if isinstance(value, kind):
        return value
    raise InputError(f"`{argument}` must be {expected}; got {_shown(value)}.")


def whole_number(argument: str, value: Any) -> int:
    """The argument as a Python integer; NumPy's are taken, floats are not.

    Raises:
        InputError: it is no whole number.

    >>> whole_number("sequence", 1.5)
    Traceback (most recent call last):
    lossviz.errors.InputError: `sequence` must be a whole number; got `1.5` (float).
    """
    try:
        return index(value)
    except TypeError:
        raise InputError(f"`{argument}` must be a whole number; got {_shown(value)}.") from None


def words_of(argument: str, value: Any) -> list[str]:
    """Names given as strings in any collection, or in one string with spaces or commas.

    Raises:
        InputError: it is something else, or holds something else.

    >>> words_of("select", "PAD, NUM01"), words_of("select", 1.5)
    Traceback (most recent call last):
    lossviz.errors.InputError: `select` must be names, such as "a, b" or ["a", "b"]; got `1.5` (float).
    """
    if isinstance(value, str):
        return value.replace(",", " ").split()
    words = list(value) if isinstance(value, Iterable) and not isinstance(value, bytes | Mapping) else [value]
    if odd := [word for word in words if not isinstance(word, str)]:
        raise InputError(f'`{argument}` must be names, such as "a, b" or ["a", "b"]; got {_shown(odd[0])}.')
    return words


def _shown(value: object) -> str:
    return f"`{_short(value)}` ({type(value).__name__})"


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:59] + "…"


def require(package: str, purpose: str, install: str = "'lossviz[app]'") -> Any:
    """Import a library that the core does not install.

    Args:
        package: the name to import.
        purpose: what needs it, as the subject of the sentence that says so.
        install: what to install.

    Raises:
        MissingPackageError: it is not installed.

    >>> require("json", "Reading JSON").loads("1")
    1
    >>> require("jason", "Reading JSON")
    Traceback (most recent call last):
    lossviz.errors.MissingPackageError: Reading JSON needs jason (not installed): `pip install 'lossviz[app]'`.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:  # it is installed, and lacks something of its own
            raise
    title = _TITLES.get(package, package)
    raise MissingPackageError(
        f"{purpose} needs {title} (not installed): `pip install {install}`.", name=package
    ) from None

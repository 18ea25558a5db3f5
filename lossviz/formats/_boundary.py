"""The boundary of the readers: whatever one of them raises leaves as a FormatError."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

from lossviz.display_text import printable
from lossviz.errors import FormatError, MissingPackageError

__all__ = ["only_format_errors", "shown_name"]

MESSAGE_CHARACTERS = 1000


def shown_name(source: Any, name: str | None) -> str:
    """Name a source in messages: as the caller does, else by its path or the stream's name.

    >>> shown_name("run/batch.npz", None), shown_name(b"", None)
    ('run/batch.npz', 'the bytes')
    """
    return name or (str(source) if isinstance(source, str | PathLike) else str(getattr(source, "name", "the bytes")))


@contextmanager
def only_format_errors(file: str) -> Iterator[None]:
    """Turn whatever a reader raises into a FormatError of one printable sentence.

    A damaged file can make NumPy, pyarrow or our own code raise anything. The exception's type stays in the sentence,
    for a bug report.

    >>> with only_format_errors("a.npz"):
    ...     [][0]
    Traceback (most recent call last):
    lossviz.errors.FormatError: `a.npz` is damaged, or written in a way lossviz doesn't know (IndexError: list index \
out of range). Save or copy it again.
    """
    try:
        yield
    except FormatError as error:
        error.args = (printable(str(error), MESSAGE_CHARACTERS),)
        raise
    except MissingPackageError:
        raise
    except OSError as error:
        raise FormatError(f"`{printable(file)}` can't be read: {printable(error.strerror or str(error))}.") from None
    except MemoryError:
        raise FormatError(f"`{printable(file)}` needs more memory than there is. Save fewer sequences.") from None
    except Exception as error:
        reason = printable((str(error).splitlines() or [""])[0]).rstrip(".")
        raise FormatError(
            f"`{printable(file)}` is damaged, or written in a way lossviz doesn't know "
            f"({': '.join(filter(None, (type(error).__name__, reason)))}). Save or copy it again."
        ) from error

"""The boundary of the layouts: whatever one of them raises leaves as one printable sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from lossviz.display_text import cause_of, printable
from lossviz.errors import InputError, LossvizError

__all__ = ["only_sentences"]

MESSAGE_CHARACTERS = 1000


@contextmanager
def only_sentences() -> Iterator[None]:
    """Turn whatever a layout raises into an InputError; the exception's type stays in it, for a bug report.

    >>> with only_sentences():
    ...     [][0]
    Traceback (most recent call last):
    lossviz.errors.InputError: The arrays are laid out in a way that lossviz doesn't know (IndexError: list index out \
of range). Save `logits` [B, T, V] and `targets` [B, T].
    """
    try:
        yield
    except LossvizError as error:
        error.args = (printable(str(error), MESSAGE_CHARACTERS),)
        raise
    except MemoryError:
        raise InputError("The arrays need more memory than there is. Save fewer sequences.") from None
    except Exception as error:
        raise InputError(
            f"The arrays are laid out in a way that lossviz doesn't know ({cause_of(error)}). Save `logits` [B, T, V] "
            "and `targets` [B, T]."
        ) from error

"""How a file is opened: its format by its name, its bytes once they are known to fit, each failure a FormatError."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np

from lossviz.display_text import cause_of, printable
from lossviz.errors import FormatError, MissingPackageError, did_you_mean
from lossviz.file_arrays import ARRAYS
from lossviz.formats import csv_, json_, npy, npz, parquet_, safetensors_
from lossviz.formats._common import LIMITS, Fields, Format, Source, listing
from lossviz.unpacking import size_words

__all__ = [
    "FORMATS",
    "PICKLES",
    "find",
    "only_format_errors",
    "open_source",
    "shown_name",
    "take_timesteps",
    "too_large",
]

FORMATS: tuple[Format, ...] = (
    csv_.FORMAT,
    json_.FORMAT,
    npy.FORMAT,
    npz.FORMAT,
    parquet_.FORMAT,
    safetensors_.FORMAT,
)

PICKLES = (".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth")
_SUFFIXES = tuple(suffix for known in FORMATS for suffix in known.suffixes)
MESSAGE_CHARACTERS = 1000
PER_TIMESTEP = 200
"""Bytes that the numbers of a timestep take once it is analysed: docs/reliability.md."""
_OF_TIMESTEPS = ("targets", "labels", "losses", "loss", "log_probs", "weights")


def find(name: str) -> Format:
    """Find a format by a file's name, a suffix or the format's own name.

    Raises:
        FormatError: no format has that suffix.

    >>> find("run/batch.npz").name, find("csv").name
    ('npz', 'csv')
    """
    for known in FORMATS:
        if name == known.name or name.lower().endswith(known.suffixes):
            return known
    suffixes = [suffix for known in FORMATS for suffix in known.suffixes]
    file = Path(name).name
    suffix = Path(file).suffix.lower()
    way_out = did_you_mean(suffix, suffixes)
    if suffix in PICKLES:
        way_out = " It holds a pickle, and loading one runs the code in it. Save the arrays with `np.savez`."
    found = f"the suffix `{suffix}`" if suffix else "no suffix"
    raise FormatError(f"`{file}` has {found}; {listing(suffixes, 'or')} are read.{way_out}")


def open_source(source: str | PathLike[str] | bytes | bytearray | memoryview | IO[bytes], name: str | None) -> Source:
    """A path or an upload as what a format reads from, once its size is known to fit."""
    if isinstance(source, str | PathLike):
        return _path(Path(source), name)
    name = name or getattr(source, "name", None)
    if not isinstance(name, str):
        raise FormatError('The bytes have no name to choose the format by. Pass `name=`, such as `name="batch.npz"`.')
    if isinstance(source, bytes | bytearray | memoryview):
        size = memoryview(source).nbytes
    else:
        size = source.seek(0, 2)
        source.seek(0)
    if size > LIMITS.upload_bytes:
        raise too_large(f"`{name}` is", size, f"`{name}`")
    data = bytes(source) if isinstance(source, bytes | bytearray | memoryview) else source.read()
    return Source(Path(name).name, None, data)


def too_large(subject: str, size: int, it: str) -> FormatError:
    """The refusal of an upload; `it` is what to open by its path instead."""
    return FormatError(
        f"{subject} {size_words(size)}; an upload may have at most {size_words(LIMITS.upload_bytes)}. Save {it} on "
        "this machine and open it by its path: what is on disk is read as it is needed."
    )


def _path(path: Path, name: str | None) -> Source:
    """A path as a source, once it is known to be a file."""
    if path.is_dir():
        held = sorted(entry.name for entry in path.iterdir() if entry.name.lower().endswith(_SUFFIXES))
        raise FormatError(f"`{path}` is a folder. Open one of its files: {listing(held, 'or', 6) or 'it holds none'}.")
    if path.is_symlink() and not path.exists():
        raise FormatError(f"`{path}` is a link to `{path.readlink()}`, which is not there.")
    if not path.exists():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise FormatError(f"There is no file `{path}`.{did_you_mean(path.name, beside)}")
    if not path.is_file():
        raise FormatError(f"`{path}` is not a file but a device or a pipe. Save its content as a file.")
    return Source(name or path.name, path)


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
        raise FormatError(
            f"`{printable(file)}` is damaged, or written in a way lossviz doesn't know ({cause_of(error)}). "
            "Save or copy it again."
        ) from error


def take_timesteps(fields: Fields, source: Source) -> Fields:
    """Count what the numbers of every timestep will take, once the fields are a batch; gives the fields back.

    A file of zeros may hold a hundred million timesteps in kilobytes, and each of them has a loss, an entropy, a rank …

    Raises:
        FormatError: there are too many.
    """
    most = max((_timesteps(name, value) for name, value in fields.items()), default=0)
    source.budget.take(PER_TIMESTEP * most, f"Each of its {most:,} timesteps takes {PER_TIMESTEP} bytes: save fewer.")
    return fields


def _timesteps(name: str, value: Any) -> int:
    """How many timesteps an array may have, or a list of rows: one for each integer, or each loss."""
    if isinstance(value, list):
        return sum(_timesteps(name, row) for row in value if isinstance(row, np.ndarray))
    if not isinstance(value, ARRAYS) or value.ndim > 2:
        return 0
    return value.size if value.dtype.kind in "iub" or name in _OF_TIMESTEPS else 0

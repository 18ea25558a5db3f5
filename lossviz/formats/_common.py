"""What every format shares: the limits, the source that bytes come from, and the words for what was found."""

import codecs
import math
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from lossviz.errors import FormatError
from lossviz.file_arrays import open_array
from lossviz.formats._beginnings import beginning
from lossviz.unpacking import MIB, Budget, size_words

Fields = dict[str, Any]
Target = Path | IO[bytes]


@dataclass(frozen=True)
class Limits:
    """How much a file may hold; each is checked before anything is decoded.

    Attributes:
        upload_bytes: size of a file that comes as bytes.
        upload_decoded_bytes: what such a file may unpack to.
        file_decoded_bytes: what a file on disk may unpack to; arrays that stay in the file are not counted.
        text_bytes: size of a JSON or CSV text.
        text_cells: numbers in a JSON or CSV text.
        text_lists: brackets in a JSON text.
        directory_bytes: the directory of a zip archive.
        header_bytes: the header of a safetensors file.
        arrays: arrays in one file.
        empty_entries: the other axes of an array that has an axis of length 0, multiplied.
        left_bytes: floats on disk stay in their file from this size on.
        typed_characters: length of a typed text.
        typed_cells: numbers in typed or made logits.
    """

    upload_bytes: int = 200 * MIB
    upload_decoded_bytes: int = 1024 * MIB
    file_decoded_bytes: int = 8192 * MIB
    text_bytes: int = 512 * MIB
    text_cells: int = 10_000_000
    text_lists: int = 5_000_000
    directory_bytes: int = MIB
    header_bytes: int = 100_000_000
    arrays: int = 10_000
    empty_entries: int = 10_000_000
    left_bytes: int = MIB
    typed_characters: int = 5_000_000
    typed_cells: int = 20_000_000


LIMITS = Limits()


def listing(words: Iterable[str], last: str = "and", most: int = 12) -> str:
    """Join words as a sentence does.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    shown = list(words)
    if len(shown) > most:
        shown = [*shown[:most], f"{len(shown) - most} more"]
    return f" {last} ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def byte_count(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """How many bytes an array has, as Python integers count; -1 where there is no such array.

    >>> byte_count(np.dtype("f4"), (2, 3)), byte_count(np.dtype("f4"), (-1, 3))
    (24, -1)
    """
    whole = math.prod(size or 1 for size in shape) * dtype.itemsize
    if min(shape, default=0) < 0 or len(shape) > 64 or not 0 < whole < 2**63:
        return -1
    if 0 in shape:  # a batch of no timesteps still has one entry per sequence
        return 0 if whole <= LIMITS.empty_entries * dtype.itemsize else -1
    return whole


def check_count(arrays: int, file: str) -> None:
    """Refuse a file of so many arrays that looking through their names would take minutes.

    Raises:
        FormatError: there are more than `LIMITS.arrays`.
    """
    if arrays > LIMITS.arrays:
        raise FormatError(
            f"`{file}` holds {arrays:,} arrays; at most {LIMITS.arrays:,} are read. Save only those of one batch."
        )


@dataclass(frozen=True)
class Source:
    """Where a file's bytes come from: a path, or an upload's bytes with the name it had."""

    name: str
    path: Path | None = None
    data: bytes = b""

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.path.stat().st_size if self.path else len(self.data)

    @property
    def decoded_limit(self) -> int:
        """How many bytes the file may unpack to."""
        return LIMITS.file_decoded_bytes if self.path else LIMITS.upload_decoded_bytes

    @cached_property
    def budget(self) -> Budget:
        """What reading the file may still allocate."""
        return Budget(self.name, self.size, self.decoded_limit)

    def open(self) -> IO[bytes]:
        """Open the bytes for reading."""
        return self.path.open("rb") if self.path else BytesIO(self.data)

    def head(self, count: int = 512) -> bytes:
        """The first bytes."""
        with self.open() as stream:
            return stream.read(count)

    def wrong(self, expected: str, way_out: str) -> FormatError:
        """The error for a file that is something else than its name says."""
        found = beginning(self.head())
        if found == "a pickle":
            way_out = f"lossviz never loads a pickle, since loading one runs the code in it. {way_out}"
        return FormatError(f"`{self.name}` is not {expected}: it starts like {found}. {way_out}")

    def encoded(self) -> bytes:
        """The bytes of a text, without a byte order mark.

        Raises:
            FormatError: it is too large.
        """
        if self.size > LIMITS.text_bytes:
            raise FormatError(
                f"`{self.name}` is {size_words(self.size)} of text; at most {size_words(LIMITS.text_bytes)} are read. "
                "Save it as .npz, which needs no decoding."
            )
        self.budget.take(self.size, "Save it as .npz, which needs no decoding.")
        with self.open() as stream:
            return stream.read().removeprefix(codecs.BOM_UTF8)

    def decoded(self, text: bytes) -> str:
        """All or a part of the file's bytes as UTF-8 text.

        Raises:
            FormatError: it takes too much memory, or is not UTF-8.
        """
        # One letter outside of ASCII makes Python hold the whole text with up to 4 bytes per letter.
        self.budget.take(len(text) * (1 if text.isascii() else 4), "Save it as .npz, which needs no decoding.")
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise FormatError(
                f"`{self.name}` is not UTF-8 text: byte {error.start} is 0x{text[error.start]:02x}. Save it as UTF-8."
            ) from None

    def text(self) -> str:
        """The whole file as UTF-8 text, without a byte order mark.

        Raises:
            FormatError: it is too large, or not UTF-8.
        """
        return self.decoded(self.encoded())

    def array(self, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int, order: str = "C") -> Any:
        """The array that stands at an offset; large floats in C order, which may be logits, stay in a file on disk."""
        count = byte_count(dtype, shape)
        if self.path and order == "C" and dtype.kind in "fV" and count >= LIMITS.left_bytes:
            return open_array(self.path, dtype, shape, offset)
        self.budget.take(count, "Save only the arrays of one batch.")
        with self.open() as stream:
            stream.seek(offset)
            data = stream.read(count)
        return np.frombuffer(data, dtype).reshape(shape, order="F" if order == "F" else "C")


@dataclass(frozen=True)
class Format:
    """One file format.

    Attributes:
        name: the word for it, and of its module and test.
        suffixes: the file name endings that choose it.
        title: what it is, in a few words.
        doc: its documentation.
        asks: the names that a mapping dialog asks for: of arrays, or of a table's columns.
        read: takes the source and the mapping of names; gives everything found by its own name.
        write: takes the fields and where to write them.
    """

    name: str
    suffixes: tuple[str, ...]
    title: str
    doc: str
    asks: tuple[str, ...]
    read: Callable[[Source, Mapping[str, str] | None], Fields]
    write: Callable[[Fields, Target], None]


@contextmanager
def replacing(target: Target) -> Iterator[IO[bytes]]:
    """Give a stream whose content replaces the target at the end.

    The old file stays whole until then: the fields may still be in it.
    """
    if not isinstance(target, Path):
        yield target
        return
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")  # which no link in the folder can be
    try:
        with temporary.open("wb") as stream:
            yield stream
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)

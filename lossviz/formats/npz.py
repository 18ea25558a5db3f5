"""Several NumPy arrays in one file, as `np.savez` writes them. The format to choose when in doubt.

Holds one array under each name: `logits` [B, T, V] and `targets` [B, T], and whichever of `lengths` [B], `weights`
[B, T], `inputs` [B, T], `segment_ids` [B, T], `vocabulary` [V] and `input_vocabulary` (text), `pad_id`, `eos_id`,
`ignore_id` (integers without an axis), `reported` and `title` (text without an axis) there are:

```python
np.savez("batch.npz", logits=logits, targets=targets, lengths=[3, 4, 2], pad_id=0, title="Before training")
```

- Dtypes are kept. A bfloat16 array is stored as NumPy itself stores it, as 2-byte void, and read back as bfloat16.
- Logits of 1 MiB or more that were stored uncompressed (`np.savez`, not `np.savez_compressed`) are read as they are
  needed, so a file larger than memory opens at once. Don't change the file while it is open.
- Object arrays are refused: they are pickles, and loading a pickle runs the code in it.
- What the archive's directory and the arrays' headers declare is checked before anything is unpacked: 1 GiB for an
  upload, 8 GiB for a file on disk.
"""

import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from lossviz.errors import FormatError
from lossviz.formats._array import read_array, read_header, tagged
from lossviz.formats._common import LIMITS, Fields, Format, Source, Target, check_count, listing, replacing
from lossviz.formats._fields import FIELDS, VOCABULARIES
from lossviz.unpacking import size_words

_PIECE = 1 << 20  # bytes that are unpacked at once
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError, struct.error)


def read(source: Source, _names: Mapping[str, str] | None = None) -> Fields:
    """Read every array of an .npz archive.

    Raises:
        FormatError: it is no .npz archive, is damaged, holds pickles, or unpacks to too much.
    """
    if not source.head().startswith(b"PK\x03\x04"):
        raise source.wrong("an .npz archive", "Save the arrays with `np.savez`.")
    check_directory(source)
    try:
        with zipfile.ZipFile(source.path or source.open()) as archive:
            members = _members(archive, source)
            return {member.filename.removesuffix(".npy"): _read(archive, member, source) for member in members}
    except FormatError:
        raise
    except _DAMAGED as error:
        raise FormatError(
            f"`{source.name}` is a damaged .npz archive ({error or type(error).__name__}). Save or copy it again."
        ) from None


def check_directory(source: Source) -> None:
    """Check the archive's directory, at its end, before the zip reader makes an object of each of its entries."""
    with source.open() as stream:
        stream.seek(max(0, source.size - 65_557))
        end = stream.read()
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or len(end) < at + 22:
        raise FormatError(
            f"`{source.name}` was cut off: the directory that ends an .npz archive is missing. Save or copy it again."
        )
    size = max(struct.unpack_from("<I", end, at + 12)[0], _zip64_size(source, end, at))
    if size > LIMITS.directory_bytes:
        raise FormatError(
            f"`{source.name}` declares a directory of {size_words(size)}; at most "
            f"{size_words(LIMITS.directory_bytes)} are read. Save only the arrays of one batch."
        )


def _zip64_size(source: Source, end: bytes, at: int) -> int:
    """The size that a zip64 record, which the zip reader prefers, gives the directory; 0 without such a record."""
    if at < 20 or end[at - 20 : at - 16] != b"PK\x06\x07":
        return 0
    offsets = (max(0, source.size - len(end) + at - 76), struct.unpack_from("<Q", end, at - 12)[0])
    return max(_zip64_record(source, offset) for offset in offsets)


def _zip64_record(source: Source, offset: int) -> int:
    with source.open() as stream:
        stream.seek(min(offset, source.size))
        record = stream.read(56)
    whole = len(record) == 56 and record.startswith(b"PK\x06\x06")
    return int(struct.unpack_from("<Q", record, 40)[0]) if whole else 0


def refuse_overlaps(archive: zipfile.ZipFile) -> None:
    """Refuse members that share bytes: a small file could name one large array thousands of times."""
    end = 0
    for member in sorted(archive.infolist(), key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise zipfile.BadZipFile(f"`{member.filename}` shares bytes with another array")
        length = max(member.compress_size, member.file_size if _stored(member) else 0)
        end = member.header_offset + 30 + length


def _members(archive: zipfile.ZipFile, source: Source) -> list[zipfile.ZipInfo]:
    """The arrays in the archive, once their declared sizes are known to fit."""
    members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
    names = [member.filename for member in members]
    check_count(len(members), source.name)
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise FormatError(f"`{source.name}` holds `{twice[0]}` twice. Save each array once.")
    if not members:
        held = listing(f"`{name}`" for name in archive.namelist()) or "nothing"
        raise FormatError(f"`{source.name}` holds {held}, and no .npy array. Save the arrays with `np.savez`.")
    refuse_overlaps(archive)
    unpacked = sum(member.file_size for member in members if not _stored(member))
    source.budget.take(unpacked, "Save it uncompressed, with `np.savez`, and open it from disk.")
    return members


def _stored(member: zipfile.ZipInfo) -> bool:
    return member.compress_type == zipfile.ZIP_STORED


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: Source) -> Any:
    if member.flag_bits & 1:
        raise zipfile.BadZipFile(f"`{member.filename}` is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"`{member.filename}` is compressed in a way that NumPy doesn't use")
    if _stored(member):
        return read_array(source, _offset(member, source), member.file_size, member.filename)
    with archive.open(member) as stream:
        dtype, shape, order = read_header(stream, member.filename, member.file_size)
        array = np.empty(shape, dtype, order="F" if order == "F" else "C")
        data, place = array.reshape(-1, order="A").view(np.uint8), 0
        while piece := stream.read(_PIECE):  # all of it at once takes its size three times over
            data[place : place + len(piece)] = np.frombuffer(piece, np.uint8)
            place += len(piece)
    return tagged(array)


def _offset(member: zipfile.ZipInfo, source: Source) -> int:
    """Where a stored member's bytes begin: after its local header of 30 bytes, its name and its extra field."""
    with source.open() as stream:
        stream.seek(member.header_offset)
        header = stream.read(30)
    name, extra = struct.unpack_from("<HH", header, 26)
    start = member.header_offset + 30 + int(name) + int(extra)
    if not header.startswith(b"PK\x03\x04") or start + member.file_size > source.size:
        raise zipfile.BadZipFile(f"`{member.filename}` is not where the directory says")
    return start


def write(fields: Fields, target: Target) -> None:
    """Write an uncompressed .npz archive, of which a part can be read."""
    with replacing(target) as stream:
        np.savez(
            stream, allow_pickle=False, **{name: as_array(name, fields[name]) for name in FIELDS if name in fields}
        )


def as_array(name: str, value: Any) -> npt.NDArray[Any]:
    """One field as an array that NumPy's format can hold; text that its fixed width would change becomes JSON."""
    if name in VOCABULARIES:
        wide = len(value) * max(map(len, value), default=0) > 16 * sum(map(len, value)) + LIMITS.left_bytes
        if not value or wide or any(token.endswith("\0") for token in value):
            return np.array(json.dumps(value))
    array = np.asarray(value)
    return array.view("V2") if array.dtype.name == "bfloat16" else array


def write_array(stream: IO[bytes], name: str, value: Any) -> None:
    """Write one field as an .npy array."""
    np.lib.format.write_array(stream, as_array(name, value), allow_pickle=False)


FORMAT = Format("npz", (".npz",), "NumPy archive", __doc__, FIELDS, read, write)

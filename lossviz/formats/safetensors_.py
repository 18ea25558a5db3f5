"""Tensors in Hugging Face's format, which holds no code and can be read in parts.

Holds one tensor under each name: `logits` [B, T, V], `targets` [B, T], and whichever of the other arrays there are. Its
metadata, which is text, holds the rest: `pad_id`, `eos_id`, `ignore_id`, `reported`, `title`, and `vocabulary` and
`input_vocabulary` as JSON lists.

```python
from safetensors.numpy import save_file
save_file({"logits": logits, "targets": targets}, "batch.safetensors", metadata={"pad_id": "0", "title": "Trained"})
```

- Dtypes are kept, bfloat16 included. Float8 tensors are refused: convert them first.
- Logits of 1 MiB or more are read as they are needed. Don't change the file while it is open.
- The header may have 100 MB, as the format says; what it declares is checked against the size of the file.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from lossviz.arrays import dtype_named
from lossviz.errors import FormatError, require
from lossviz.formats._common import LIMITS, Fields, Format, Source, Target, byte_count, check_count, listing, replacing
from lossviz.formats._fields import ARRAYS, FIELDS, IDS, VOCABULARIES
from lossviz.formats.text.parse_json import parse
from lossviz.unpacking import size_words

Span = tuple[str, tuple[int, ...], int, int]
_DTYPES = {name: f"<{name[0].lower()}{int(name[1:]) // 8}" for name in ("F64", "F32", "F16")}
_DTYPES |= {f"{kind}{bits}": f"<{kind.lower()}{bits // 8}" for kind in "IU" for bits in (64, 32, 16, 8)}
_DTYPES |= {"BF16": "bfloat16", "BOOL": "bool"}


def read(source: Source, names: Mapping[str, str] | None = None) -> Fields:
    """Read every tensor and the known metadata.

    Raises:
        FormatError: it is no safetensors file, was cut off, or holds a dtype that NumPy has no word for.
    """
    header, start = _header(source)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise FormatError(f"`{source.name}` has metadata that is not a map of texts. Save it again.")
    check_count(len(header), source.name)
    spans = {name: _span(name, entry, source.name) for name, entry in header.items()}
    _refuse_overlaps(spans, source.name)
    tensors = {name: _tensor(name, span, source, start) for name, span in spans.items()}
    wanted = {*FIELDS, *(names or {}).values()} - tensors.keys()
    return tensors | {key: _text(key, metadata[key], source.name) for key in metadata if key in wanted}


def _header(source: Source) -> tuple[dict[str, Any], int]:
    length = int.from_bytes(source.head(8), "little")
    if source.size < 10 or source.head(9)[8:] != b"{":
        raise source.wrong("a safetensors file", "Save the tensors with `safetensors.numpy.save_file`.")
    if length > LIMITS.header_bytes:
        raise FormatError(
            f"`{source.name}` declares a header of {size_words(length)}; at most {size_words(LIMITS.header_bytes)} "
            "are read. Save only the tensors of one batch."
        )
    if 8 + length > source.size:
        raise FormatError(
            f"`{source.name}` was cut off: its header has {length:,} bytes; got {source.size - 8:,}. Copy it again."
        )
    try:
        header = parse(source.head(8 + length)[8:].decode(), source.name)
    except UnicodeDecodeError:
        raise FormatError(f"`{source.name}` has a header that is not UTF-8 text. Save it again.") from None
    return header, 8 + length


def _span(name: str, entry: Any, file: str) -> Span:
    try:
        begin, end = map(int, entry["data_offsets"])
        return str(entry["dtype"]), tuple(map(int, entry["shape"])), begin, end
    except (KeyError, TypeError, ValueError, OverflowError):
        raise FormatError(f"`{file}` has a header entry `{name}` that can't be read. Save it again.") from None


def _refuse_overlaps(spans: Mapping[str, Span], file: str) -> None:
    """Refuse tensors that share bytes, as the format demands: a small file could unpack to thousands of copies."""
    last = 0
    held = ((begin, end, name) for name, (_, _, begin, end) in spans.items() if 0 <= begin < end)
    for begin, end, name in sorted(held):
        if begin < last:
            raise FormatError(f"`{name}` in `{file}` shares bytes with another tensor. Save each tensor once.")
        last = end


def _tensor(name: str, span: Span, source: Source, start: int) -> Any:
    dtype, shape, begin, end = span
    if dtype not in _DTYPES:
        raise FormatError(
            f"`{name}` in `{source.name}` has the dtype {dtype}; {listing(_DTYPES, 'or', 20)} are read. "
            "Convert it to F32."
        )
    as_numpy = dtype_named(_DTYPES[dtype])
    present = min(end, source.size - start) - begin if begin >= 0 else -1
    if present != byte_count(as_numpy, shape) or end > source.size - start:
        raise FormatError(
            f"`{name}` in `{source.name}` was cut off or damaged: {max(0, present):,} bytes are no {dtype} of shape "
            f"{shape}. Save or copy it again."
        )
    return source.array(as_numpy, shape, start + begin)


def _text(key: str, text: Any, file: str) -> Any:
    """A metadata text as the field's own type."""
    if key in IDS:
        try:
            return np.array(int(text))
        except (ValueError, OverflowError):
            raise FormatError(f"`{key}` in the metadata of `{file}` must be an integer; got `{text!r:.40}`.") from None
    return parse(text, f"{key} of {file}") if key in VOCABULARIES else text


def write(fields: Fields, target: Target) -> None:
    """Write arrays as tensors and the rest as metadata."""
    safetensors = require("safetensors", "Writing a safetensors file")
    arrays = {name: np.ascontiguousarray(fields[name]) for name in ARRAYS if name in fields}
    arrays = {name: array.astype(array.dtype.newbyteorder("<"), copy=False) for name, array in arrays.items()}
    metadata = {name: str(fields[name]) for name in FIELDS if name in fields and name not in ARRAYS}
    metadata |= {name: json.dumps(fields[name]) for name in VOCABULARIES if name in fields}
    specs = {
        name: safetensors.TensorSpec(
            dtype=array.dtype.name, shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes
        )
        for name, array in arrays.items()
    }
    with replacing(target) as stream:
        stream.write(safetensors.serialize(specs, metadata=metadata))


FORMAT = Format("safetensors", (".safetensors",), "safetensors", __doc__, FIELDS, read, write)

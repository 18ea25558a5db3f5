"""One JSON object with nested lists: easy to write by hand or from another language, for small batches.

```json
{"logits": [ [ [2.0, 0.5, NaN], [0.1, 0.2, 0.3] ] ], "targets": [[1, 2]], "lengths": [2],
 "vocabulary": ["<pad>", "a", "b"], "pad_id": 0, "reported": "1.2545", "title": "One sequence, two timesteps"}
```

- `logits` is [B][T][V], `targets` [B][T]; every other field may be left out. `reported` is text, so that no printed
  digit is lost.
- `NaN`, `Infinity` and `-Infinity` are read, as Python writes them; `null` is refused.
- Numbers are float64 where one of them has a point or an exponent, else int64, and whole-number logits become float32;
  `"dtypes": {"logits": "float16"}` says otherwise, and is written so that a batch comes back as it was.
- Duplicate keys, ragged lists, and more than 10,000,000 numbers are refused.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lossviz.arrays import dtype_named
from lossviz.errors import FormatError
from lossviz.formats._common import Fields, Format, Source, Target, check_count, replacing
from lossviz.formats._fields import ARRAYS, FIELDS, VOCABULARIES
from lossviz.formats.text.parse_json import parse_source

_DTYPES = (*dict.fromkeys(np.dtype(kind).name for kind in "?bhilqBHILQefd"), "bfloat16")
_NUMBERS = {int, float, bool}


def read(source: Source, names: Mapping[str, str] | None = None) -> Fields:
    """Read a JSON object's nested lists as arrays.

    Raises:
        FormatError: it is no JSON object, is too large, or a list in it is ragged or holds something else than numbers.
    """
    return fields_in(parse_source(source), source, names)


def fields_in(content: Any, source: Source, names: Mapping[str, str] | None = None) -> Fields:
    """A parsed JSON object's nested lists as arrays.

    Raises:
        FormatError: as `read`.
    """
    if not isinstance(content, dict):
        found = "a list" if isinstance(content, list) else f"`{content!r:.40}`"
        raise FormatError(
            f"`{source.name}` holds {found}; looked for an object with `logits` and `targets`, such as "
            '{"logits": [[[0.5, 0.5]]], "targets": [[1]]}.'
        )
    check_count(len(content), source.name)
    dtypes = content.pop("dtypes", {})
    wanted = {*FIELDS, *(names or {}).values()}
    fields = {key: _value(key, value, key in wanted) for key, value in content.items()}
    return cast({key: value for key, value in fields.items() if value is not None}, dtypes, source.name)


def _value(key: str, value: Any, wanted: bool) -> Any:
    """A JSON value as array, text or list of texts; None for what can't be one and was not asked for."""
    if value is None or isinstance(value, str):
        return value
    try:
        if isinstance(value, np.ndarray) and key not in VOCABULARIES:
            return value
        if isinstance(value, list) and (value or key in VOCABULARIES) and all(isinstance(item, str) for item in value):
            return value
        if key in VOCABULARIES:
            raise FormatError(f"`{key}` must be a list of texts; got `{_beginning(value)!r:.60}`.")
        return nested(value, key)
    except FormatError:
        if wanted:
            raise
        return None


def _beginning(value: Any) -> Any:
    return value[:20].tolist() if isinstance(value, np.ndarray) else value


def nested(value: Any, name: str) -> npt.NDArray[Any]:
    """Turn nested lists of numbers into an array: int64, or float64 where one of them is a float.

    Raises:
        FormatError: ragged lists, null, text or a number too large for 64 bits, and where it stands.

    >>> nested([[1, 2], [3, 4]], "targets")
    array([[1, 2],
           [3, 4]])
    """
    shape, level = [], value
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    flat: list[float] = []
    _fill(value, tuple(shape), name, flat)
    try:
        array = np.array(flat, dtype=np.float64 if any(type(item) is float for item in flat) else np.int64)
    except OverflowError:
        at = next(i for i, item in enumerate(flat) if not -(2**63) <= item < 2**63)
        where = name + "".join(f"[{i}]" for i in np.unravel_index(at, shape))
        raise FormatError(f"`{where}` must fit in 64 bits; got {flat[at]!r:.40}.") from None
    if flat and all(type(item) is bool for item in flat):
        array = array.astype(np.bool_)
    return array.reshape(shape)


def _fill(value: Any, shape: tuple[int, ...], where: str, flat: list[float]) -> None:
    """Collect the numbers in order, and check every list against the shape that the first ones have."""
    if not shape:
        return _leaf(value, where, flat)
    if not isinstance(value, list):
        raise FormatError(
            f"`{where}` must be a list with {shape[0]} entries, as the first one is; got `{value!r:.40}`."
        )
    if len(value) != shape[0]:
        raise FormatError(
            f"`{where}` has {len(value)} entries, but the first list at that level has {shape[0]}. Pad the lists to "
            "one length, and pass the real ones as `lengths`."
        )
    if len(shape) == 1 and {*map(type, value)} <= _NUMBERS:
        flat.extend(value)
        return None
    for index, item in enumerate(value):
        _fill(item, shape[1:], f"{where}[{index}]", flat)
    return None


def _leaf(value: Any, where: str, flat: list[float]) -> None:
    if value is None:
        raise FormatError(f"`{where}` is null. Write a number, or NaN where there is none.")
    if isinstance(value, list):
        raise FormatError(f"`{where}` is a list, where the first entry is a number. Pad ragged lists to one length.")
    if type(value) not in _NUMBERS:
        raise FormatError(f"`{where}` must be a number; got `{value!r:.40}`.")
    flat.append(value)


def cast(fields: Fields, dtypes: Any, file: str) -> Fields:
    """Give each array the dtype the file declares; logits without one are floats.

    Raises:
        FormatError: a dtype that does not exist.
    """
    declared = dtypes if isinstance(dtypes, dict) else {}
    for name, value in fields.items():
        if not isinstance(value, np.ndarray):
            continue
        dtype = declared.get(name, "float32" if name == "logits" and value.dtype.kind in "iub" else value.dtype.name)
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            raise FormatError(
                f"`dtypes` in `{file}` gives `{name}` the dtype `{dtype}`; known are {', '.join(_DTYPES)}."
            )
        with np.errstate(over="ignore", invalid="ignore"):
            fields[name] = value.astype(dtype_named(dtype), copy=False)
    return fields


def digits(array: npt.NDArray[Any]) -> list[Any]:
    """An array as nested lists whose numbers are written with as many digits as their dtype has.

    >>> digits(np.array([0.1], np.float32))
    [0.1]
    """
    if array.dtype.kind == "f" and array.dtype.itemsize < 8:
        return list(array.astype(str).astype(np.float64).tolist())
    return list(array.astype(np.float64 if array.dtype.name == "bfloat16" else array.dtype).tolist())


def write(fields: Fields, target: Target) -> None:
    """Write the fields as one JSON object, with the arrays' dtypes."""
    arrays = {name: np.asarray(fields[name]) for name in ARRAYS if name in fields}
    content: dict[str, Any] = {name: digits(array) for name, array in arrays.items()}
    content |= {name: fields[name] for name in FIELDS if name in fields and name not in arrays}
    content["dtypes"] = {name: array.dtype.name for name, array in arrays.items()}
    with replacing(target) as stream:
        stream.write(json.dumps(content).encode())


FORMAT = Format("json", (".json",), "JSON", __doc__, FIELDS, read, write)

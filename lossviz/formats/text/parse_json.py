"""JSON as Python's values, once its counts are known to fit; long lists of numbers as arrays."""

import contextlib
import json
from typing import Any

import numpy.typing as npt

from lossviz.errors import FormatError
from lossviz.formats._common import LIMITS, Source
from lossviz.formats.text.long_lists import cut_lists

__all__ = ["LONG", "parse", "parse_rest", "parse_source"]

LONG = 1 << 20
"""Texts of so many bytes are looked through for long lists first."""


def parse_source(source: Source, text: bytes | None = None, name: str | None = None) -> Any:
    """Parse a file of JSON, or a part of one: its long lists of numbers as arrays, everything else as Python's.

    Raises:
        FormatError: as `parse`.
    """
    text = source.encoded() if text is None else text
    file = name or source.name
    if len(text) < LONG:
        return parse(source.decoded(text), file)
    _check_counts(text.count(b","), text.count(b"[") + text.count(b"{"), file)
    rest, arrays = cut_lists(text)
    if arrays:
        source.budget.take(sum(array.nbytes for array in arrays.values()), "Save it as .npz, which needs no decoding.")
        left = dict(arrays)
        with contextlib.suppress(ValueError, RecursionError):  # read again below, where the message is made
            document = _loads(rest.decode(), file, left)
            if not left:
                return document
    return parse(source.decoded(text), file)


def parse(text: str, file: str) -> Any:
    """Parse JSON, once its counts of numbers and lists are known to fit, without duplicate keys.

    Raises:
        FormatError: it is not JSON, is too large or nested too deeply, or has a key twice.
    """
    _check_counts(text.count(","), text.count("[") + text.count("{"), file)
    try:
        return _loads(text, file, {})
    except json.JSONDecodeError as error:
        found = f"`{text[error.pos : error.pos + 20].split(chr(10))[0]}`" if text[error.pos :].strip() else "the end"
        raise FormatError(
            f"`{file}` is not JSON: {error.msg} at line {error.lineno}, column {error.colno}, where {found} stands."
        ) from None
    except RecursionError:
        raise FormatError(f"`{file}` is nested too deeply; logits are lists in three levels, [B][T][V].") from None
    except FormatError:
        raise
    except ValueError:
        raise FormatError(f"`{file}` holds a whole number of more than 4,300 digits. Write it as 1e300.") from None


def _check_counts(commas: int, lists: int, file: str) -> None:
    for count, limit, what in (
        (commas + 1, LIMITS.text_cells, "numbers"),
        (lists, LIMITS.text_lists, "lists"),
    ):
        if count > limit:
            raise FormatError(
                f"`{file}` holds about {count:,} {what}; at most {limit:,} are read from text. Save it as .npz."
            )


def parse_rest(text: str, file: str) -> dict[str, Any]:
    """Parse what a table keeps beside its columns.

    Raises:
        FormatError: it is no JSON object.
    """
    rest = parse(text, file)
    if not isinstance(rest, dict):
        raise FormatError(
            f'`{file}` keeps `{rest!r:.40}` beside its columns; looked for an object such as {{"pad_id": 0}}.'
        )
    return rest


def _loads(text: str, file: str, arrays: dict[str, npt.NDArray[Any]]) -> Any:
    """Python's parser; values that are marks are taken out of `arrays`."""

    def content(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise FormatError(f"`{file}` holds the key `{key}` twice. Keep one of them.")
            found[key] = arrays.pop(value) if isinstance(value, str) and value in arrays else value
        return found

    return json.loads(text, object_pairs_hook=content)

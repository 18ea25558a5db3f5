"""An analysis as a file: CSV, JSON, Parquet. For the reasons see docs/decisions/0008-reproduce.md."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from io import SEEK_END, BytesIO
from typing import Any

import numpy as np
import pandas as pd

from lossviz.analysis import Analysis
from lossviz.errors import InputError
from lossviz.tables._dataframes import MEASURES, text, timesteps_table

# Spreadsheets skip leading white space, and some read the full-width signs of a Japanese keyboard as ASCII.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")


def summary(analysis: Analysis) -> dict[str, Any]:
    """The number, its divisor, the settings and the problems, ready for JSON: NaN and ±inf as strings.

    >>> from lossviz import Batch, analyze
    >>> s = summary(analyze(Batch.from_arrays(logits=np.zeros((1, 2, 2)), targets=[[0, 1]], lengths=[1])))
    >>> s["shape"], s["mask"], s["divisor"], s["divisor_counts"], s["counts"]
    ([1, 2, 2], 'lengths', 1.0, 'timesteps that count', 1)
    """
    return {
        "title": None if analysis.batch.title is None else text(analysis.batch.title),
        "reported": analysis.batch.reported,
        "shape": list(analysis.batch.shape),
        "counts": int(analysis.mask.sum()),
        "mask": analysis.mask_name,
        "settings": asdict(analysis.settings),
        "value": plain(analysis.value),
        "numerator": plain(analysis.numerator),
        "divisor": plain(analysis.divisor),
        "divisor_counts": analysis.divisor_counts,
        "problems": [
            {"kind": problem.kind, "message": problem.message, "cells": np.argwhere(problem.cells).tolist()}
            for problem in analysis.problems
        ],
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, ready for JSON: NaN and ±inf as strings.

    >>> records(pd.DataFrame({"sequence": [0, 1], "mean_loss": [0.5, np.nan]}))
    [{'sequence': 0, 'mean_loss': 0.5}, {'sequence': 1, 'mean_loss': 'NaN'}]
    """
    columns = [plain(table[header].to_numpy()) for header in table.columns]
    return [dict(zip(table.columns, row, strict=True)) for row in zip(*columns, strict=True)]


def to_csv(analysis: Analysis) -> bytes:
    """The timesteps as CSV (RFC 4180, UTF-8); a token that a spreadsheet would take for a formula gets a `'` in front.

    The ids stand beside the tokens, so nothing is lost.
    """
    table = timesteps_table(analysis)
    for column in table.columns[[header.endswith("token") for header in table.columns]]:
        formula = table[column].str.match(_FORMULA)
        table[column] = table[column].where(~formula, "'" + table[column])
    stream = BytesIO()
    # Only with this line end does pandas quote a token that holds a lone carriage return.
    table.to_csv(stream, index=False, na_rep="NaN", lineterminator="\r\n")
    return stream.getvalue()


def to_json(analysis: Analysis) -> bytes:
    """The summary and every [B, T] array as nested lists, strict JSON: NaN and ±inf as strings that `float` reads."""
    arrays = {"targets": analysis.batch.targets} | {name: getattr(analysis, name) for _, name in MEASURES}
    stream = BytesIO(_dumped(summary(analysis)))
    stream.seek(-1, SEEK_END)  # what follows stands inside of the object
    for place, (name, array) in enumerate(arrays.items()):  # one at a time: as Python has them, all take 14 times that
        stream.write(b"%s%s: " % (b", " if place else b', "timesteps": {', _dumped(name)))
        stream.write(_dumped(plain(array)))
    stream.write(b"}}")
    return stream.getvalue()


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def to_parquet(analysis: Analysis) -> bytes:
    """The timesteps as Parquet; the file's metadata holds the summary, as JSON, under the key `lossviz`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(timesteps_table(analysis), preserve_index=False)
    scalars = json.dumps(summary(analysis), ensure_ascii=False, allow_nan=False).encode()
    stream = BytesIO()
    pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), b"lossviz": scalars}), stream)
    return stream.getvalue()


DOWNLOADS: dict[str, Callable[[Analysis], bytes]] = {"csv": to_csv, "json": to_json, "parquet": to_parquet}


def download(analysis: Analysis, file_format: str) -> bytes:
    """The bytes of an analysis in one of `DOWNLOADS`.

    Raises:
        InputError: if there is no such format.
    """
    if file_format not in DOWNLOADS:
        raise InputError(f"`file_format` must be one of {', '.join(map(repr, DOWNLOADS))}; got {file_format!r}.")
    return DOWNLOADS[file_format](analysis)


def plain(value: Any) -> Any:
    """Numbers and arrays as what JSON holds: lists, and "NaN", "Infinity" and "-Infinity", which JSON lacks."""
    array = np.asarray(value)
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return array.tolist()
    words = array.astype(object)
    for word, cells in (("NaN", np.isnan(array)), ("Infinity", array == np.inf), ("-Infinity", array == -np.inf)):
        words[cells] = word
    return words.tolist()

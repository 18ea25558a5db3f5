"""Folders as a recorder leaves them, one rank closed and one still open, damaged; and what such a run is asked.

A run is read twice: its index by Arrow, its rows by DuckDB, with paths and ids from its files in the queries.
"""

import contextlib
import io
import json
import random
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from tests.fuzz import odd
from tests.fuzz.files import dumped, memory_folder

SOUND = Path(__file__).parent / "corpus" / "run"
NUMBERS = (0, 1, -1, 2, -100, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 0.5, 1e308, float("nan"), float("inf"))
Files = dict[str, bytes]


@cache
def _sound() -> Files:
    return {path.name: path.read_bytes() for path in sorted(SOUND.iterdir())}


def make(rng: random.Random) -> Files:
    """The files of a run, one or two of them damaged, gone, or in each other's place."""
    run = dict(_sound())
    for name in rng.sample(sorted(run), rng.choice((1, 1, 1, 2))):
        kind = rng.random()
        if kind < 0.03:
            del run[name]
        elif kind < 0.06:
            run[name] = _sound()[rng.choice(sorted(_sound()))]
        elif kind < 0.3:
            run[name] = odd.data(rng, run[name])
        elif name.endswith(".json"):
            run[name] = dumped(odd.tree(rng, json.loads(run[name])))
        else:
            with contextlib.suppress(pa.ArrowException):  # which no file can hold
                run[name] = _with_odd_columns(rng, run[name], is_parquet=name.endswith(".parquet"))
    return run


def _with_odd_columns(rng: random.Random, content: bytes, *, is_parquet: bool) -> bytes:
    """The table with columns that hold something else, are of another type, or are gone."""
    table = pq.read_table(pa.BufferReader(content)) if is_parquet else pa.ipc.open_stream(content).read_all()
    for _ in range(rng.choice((1, 1, 2, 4))):
        with contextlib.suppress(pa.ArrowException, ValueError, TypeError, OverflowError):  # no such column exists
            table = _changed(rng, table)
    stream = io.BytesIO()
    if is_parquet:
        pq.write_table(table, stream, compression=rng.choice(("zstd", "none")), row_group_size=rng.choice((1, 100)))
    else:
        with pa.ipc.new_stream(stream, table.schema) as writer:
            writer.write_table(table)
    return stream.getvalue()


def _changed(rng: random.Random, table: Any) -> Any:
    place = rng.randrange(table.num_columns)
    field, kind = table.schema.field(place), rng.random()
    if kind < 0.1:
        return table.remove_column(place)
    if kind < 0.2:
        names = list(table.column_names)
        names[place] = rng.choice(odd.NAMES)
        return table.rename_columns(names)
    if kind < 0.3:
        said = {rng.choice((b"lossviz.schema", b"lossviz.run")): rng.choice((b"", b"0", b"2", b"-1", b"\xff"))}
        return table.replace_schema_metadata((table.schema.metadata or {}) | said)
    if kind < 0.4:
        rows = table.to_pylist()
        rng.shuffle(rows)
        return pa.Table.from_pylist(rows[: rng.randint(0, len(rows))] + rows[:1], schema=table.schema)
    values = [_value(rng, one) if rng.random() < 0.6 else one for one in table.column(place).to_pylist()]
    kept = field.type if rng.random() < 0.8 else None
    array = pa.array(values, kept)
    return table.set_column(place, pa.field(field.name, array.type), array)


def _value(rng: random.Random, value: Any) -> Any:
    """Another entry of a column, of its kind or of none."""
    number = rng.choice(NUMBERS)
    if isinstance(value, list) and rng.random() < 0.8:
        kind = rng.random()
        if kind < 0.3:
            return value[: rng.randrange(len(value) + 1)]
        if kind < 0.4:
            return value * rng.choice((2, 1_000))
        return [rng.choice((number, None)) if rng.random() < 0.5 else one for one in value]
    return rng.choice((None, number, number, str(number), odd.value(rng)))


def ask(content: Files, check_message: Callable[[str], None]) -> str:
    """Open the run and ask for all that its pages and commands show.

    Args:
        content: its files.
        check_message: raises for a message that is no sentence.
    """
    from lossviz.errors import LossvizError
    from lossviz.recording import open_run as open_recorded
    from lossviz.runs import identify_run, open_run

    with tempfile.TemporaryDirectory(dir=memory_folder()) as path:
        folder = Path(path) / "run"
        folder.mkdir()
        for name, data in content.items():
            (folder / name).write_bytes(data)
        run = open_run(folder)
        questions: list[Callable[[], Any]] = [
            lambda: run.steps(checked=True), run.outline, run.sequences, run.tokens,
            *(lambda name=name: run.by(name) for name in ("token", "position", "length", "rank", "weight")),
            lambda: run.batch(run.step_numbers[-1]), lambda: open_recorded(folder).batch(run.step_numbers[0]),
            lambda: [check_message(one) for one in identify_run(run).problems.values()],
        ]  # fmt: skip
        refused = 0
        for question in questions:
            try:
                question()
            except LossvizError as error:
                check_message(str(error))
                refused += 1
    return f"{'read' if not refused else 'read in part'} ({refused} refused)"

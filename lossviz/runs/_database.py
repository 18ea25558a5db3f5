"""The files of a run as tables of DuckDB, which reads the columns that a query asks for and nothing else.

`sequences` has one row a recorded sequence, its lists cut down to the timesteps that count; `timesteps` the lists as
they were recorded, with what each timestep weighs. Lists are unnested by the query that needs them, and only those:
DuckDB copies every other column once a timestep.
"""

import re
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.errors import FormatError, InputError, first_line, require
from lossviz.recording import COLUMNS, ShardFooter, details_of, read_shard, shard_columns, shard_footer
from lossviz.recording import Run as RecordedRun

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Database"]

_CONFIG = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}  # nothing from the network
_AS_THEY_ARE = "hive_partitioning = false"  # a folder called `rank=7` says nothing of the rows in it
_LISTS = ("targets", "losses", "weights", "inputs")
_PLAIN = ("step", "rank", "micro_batch", "row", "length", "classes", *_LISTS)


class Database:
    """A connection of its own for one run; queries are made one at a time, from any thread.

    Args:
        recorded: the run.

    Raises:
        MissingPackageError: if DuckDB is not installed.
        FormatError: if a shard can't be read.
    """

    def __init__(self, recorded: RecordedRun) -> None:
        duckdb = require("duckdb", "Querying a run", "'lossviz[runs]'")
        self._error, self._statements = duckdb.Error, duckdb.extract_statements
        self._recorded, self._lock = recorded, threading.Lock()
        self._connection: Any = duckdb.connect(config=_CONFIG)
        self._connection.execute("SET enable_progress_bar = false; SET preserve_insertion_order = false")
        self._register_index()
        self._streams: list[str] = []
        self._view("rows", _rows_sql(self._shards()))
        self.mask = self._mask()
        self._view("timesteps", _timesteps_sql(self.mask, self._pad, are_classes=self._are_classes))
        self._view("sequences", _sequences_sql(self.mask, self._pad))

    def query(self, sql: str, *values: Any) -> "pd.DataFrame":
        """The rows of a query; `?` in it stands for the values.

        Raises:
            FormatError: if a shard is damaged.
            InputError: if the query is none.
        """
        with self._lock:
            try:
                if len(self._statements(sql)) > 1:
                    raise InputError("`where` must be one condition on the columns; got several statements.")
                table: pd.DataFrame = self._connection.execute(sql, values).df()
                return table
            except self._error as error:
                raise self._refused(error) from None

    def execute(self, sql: str) -> None:
        """Run a statement that gives no rows.

        Raises:
            FormatError: if a shard is damaged.
        """
        self.query(sql)

    @cached_property
    def timesteps(self) -> int:
        """How many timesteps are recorded, padding included: what the files say of themselves."""
        counted = [self.query(f"SELECT coalesce(sum(len(targets)), 0) FROM {name}") for name in self._streams]
        return sum(one.timesteps for one in self._footers) + sum(int(table.to_numpy()[0, 0]) for table in counted)

    @cached_property
    def _footers(self) -> tuple[ShardFooter, ...]:
        return tuple(shard_footer(path) for path, _ in self._recorded.shards if path.suffix == ".parquet")

    @property
    def _are_classes(self) -> bool:
        """Whether the files say that every target is a class, so that no query has to look."""
        return not self._streams and all(
            one.targets is not None and one.targets[0] >= 0 and (one.classes is None or one.targets[1] < one.classes)
            for one in self._footers
        )

    @property
    def is_weighted(self) -> bool:
        """Whether a weight may be another number than 0 and 1."""
        return self.mask in ("weights", "mixed")

    def _refused(self, error: Exception) -> Exception:
        line = first_line(error)
        if type(error).__name__ in ("BinderException", "ParserException", "ConversionException", "CatalogException"):
            return InputError(f"`where` must be a condition on the columns: {line}")
        return self._unreadable(line)

    def _unreadable(self, line: str) -> FormatError:
        return FormatError(f"`{self._recorded.path}` can't be read: {line}. Restore it from a copy.")

    @property
    def _pad(self) -> int | None:
        pad: int | None = self._recorded.manifest.settings.get("pad_id")
        return pad

    def _view(self, name: str, sql: str) -> None:
        try:
            self._connection.execute(f"CREATE VIEW {name} AS {sql}")
        except self._error as error:
            raise self._unreadable(first_line(error)) from None

    def _register_index(self) -> None:
        """Which shard holds a micro-batch in the end, and which label its loss ignores."""
        import pandas

        number = {path: at for at, (path, _) in enumerate(self._recorded.shards)}
        default = self._recorded.manifest.settings.get("ignore_id")
        ignored = [details_of(one).get("ignore_index", default) for one in self._recorded.index]
        columns = {name: [one[name] for one in self._recorded.index] for name in ("step", "rank", "micro_batch")}
        shard = [number[one["shard"]] for one in self._recorded.index]
        frame = pandas.DataFrame(columns | {"shard": shard, "ignore_id": pandas.array(ignored, dtype="Int64")})
        self._connection.register("index_frame", frame)
        self._connection.execute("CREATE TABLE micro_batches AS SELECT * FROM index_frame")
        self._connection.unregister("index_frame")

    def _shards(self) -> list[tuple[str, frozenset[str]]]:
        """How shards are read in SQL, and which columns they have; alike files together, streams from memory."""
        alike: dict[frozenset[str], list[int]] = {}
        found: list[tuple[str, frozenset[str]]] = []
        shards = self._recorded.shards
        for at, (path, run) in enumerate(shards):
            if path.suffix == ".parquet":
                alike.setdefault(shard_columns(path, run), []).append(at)
            else:  # a stream that is still written, or was cut off
                self._connection.register(f"shard_{at}", read_shard(path, run, list(_PLAIN)))
                self._streams.append(f"shard_{at}")
                found.append((f"SELECT {at} AS shard, * FROM shard_{at}", frozenset(_PLAIN)))
        for columns, places in alike.items():
            files = ", ".join(_pattern(str(shards[at][0])) for at in places)
            numbers = ", ".join(f"({at}, {_quoted(str(shards[at][0]))})" for at in places)
            names = ", ".join(name for name in _PLAIN if name in columns)
            rows = f"SELECT {places[0]} AS shard, {names} FROM read_parquet([{files}], {_AS_THEY_ARE})"
            if len(places) > 1:
                rows = (
                    f"SELECT numbers.shard AS shard, {names} "
                    f"FROM read_parquet([{files}], {_AS_THEY_ARE}, filename = 'shard_file') "
                    f"JOIN (VALUES {numbers}) AS numbers(shard, shard_file) USING (shard_file)"
                )
            found.append((rows, columns))
        return found

    def _mask(self) -> str:
        """What says which timesteps count, as `Batch.declared_mask`: "mixed" where rows differ."""
        counts = self.query("SELECT count(*), count(weights), count(length), count(ignore_id) FROM rows").iloc[0]
        rows, *known = np.asarray(counts, int).tolist()
        for name, count in zip(("weights", "lengths", "ignore_id"), known, strict=True):
            if count:
                return name if count == rows else "mixed"
        return "none" if self._pad is None else "nonpad"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _pattern(path: str) -> str:
    """A path as the pattern that only this path matches."""
    return _quoted(re.sub(r"([*?[])", r"[\1]", path))


def _rows_sql(sources: list[tuple[str, frozenset[str]]]) -> str:
    """The rows of all shards; of a micro-batch that stands in two, those of the later one."""
    kinds = {column.name: _sql_type(column.kind) for column in COLUMNS}
    parts = []
    for rows, present in sources:
        columns = [name if name in present else f"NULL::{kinds[name]} AS {name}" for name in _PLAIN]
        parts.append(f"SELECT shard, {', '.join(columns)} FROM ({rows})")
    joined = f"({' UNION ALL '.join(parts)}) JOIN micro_batches USING (shard, step, rank, micro_batch)"
    return f"SELECT {', '.join(_PLAIN)}, ignore_id FROM {joined}"


def _sql_type(kind: str) -> str:
    names = {"int64": "BIGINT", "int32": "INTEGER", "float32": "FLOAT", "float64": "DOUBLE", "string": "VARCHAR"}
    return names[kind.strip("[]")] + ("[]" if "[" in kind else "")


def _timesteps_sql(mask: str, pad: int | None, *, are_classes: bool) -> str:
    """The lists as they were recorded, and what each timestep weighs; a missing target is no padding."""
    rules = {
        "weights": "weights",
        "lengths": "list_transform(targets, lambda x, i: (i <= length)::FLOAT)",
        "ignore_id": "list_transform(targets, lambda x: (x IS DISTINCT FROM ignore_id)::FLOAT)",
        "nonpad": f"list_transform(targets, lambda x: (x IS DISTINCT FROM {pad})::FLOAT)",
        "none": "list_transform(targets, lambda x: 1::FLOAT)",
    }
    last = "none" if pad is None else "nonpad"
    cases = " ".join(
        f"WHEN {column} IS NOT NULL THEN {rules[name]}"
        for name, column in (("weights", "weights"), ("lengths", "length"), ("ignore_id", "ignore_id"))
    )
    weights = rules.get(mask, f"CASE {cases} ELSE {rules[last]} END")
    named = "step, rank, micro_batch, row, length, classes, ignore_id, targets, inputs"
    return f"SELECT {named}, {_known('losses', are_classes=are_classes)} AS losses, {weights} AS weights FROM rows"


def _known(losses: str, *, are_classes: bool) -> str:
    """The losses; null where the target is no class, or the length of the sequence can't be."""
    sound = "(length IS NULL OR length BETWEEN 0 AND len(targets))"
    if not are_classes:
        sound += " AND list_min(targets) >= 0 AND (classes IS NULL OR list_max(targets) < greatest(classes, 2))"
    one = (
        "targets[i] >= 0 AND (classes IS NULL OR targets[i] < greatest(classes, 2)) "
        "AND (length IS NULL OR weights IS NOT NULL OR length BETWEEN 0 AND len(targets))"
    )
    return f"CASE WHEN {sound} THEN {losses} ELSE list_transform({losses}, lambda x, i: CASE WHEN {one} THEN x END) END"


def _sequences_sql(mask: str, pad: int | None) -> str:
    """The lists of the timesteps that count, how many were there, and a key that is the same for the same sequence."""
    if mask == "lengths":
        kept = {name: f"{name}[:greatest(length, 0)]" for name in ("targets", "losses", "inputs")}
        places = "range(len(targets))[:greatest(length, 0)]"
    elif mask == "none":
        kept = {name: name for name in ("targets", "losses", "inputs")}
        places = "range(len(targets))"
    else:
        kept = {name: f"list_filter({name}, lambda x, i: weights[i] <> 0)" for name in ("targets", "losses", "inputs")}
        places = "list_filter(range(len(targets)), lambda x, i: weights[i] <> 0)"
    weights = "list_filter(weights, lambda x: x <> 0)" if mask in ("weights", "mixed") else "NULL::FLOAT[]"
    lists = ", ".join(f"{sql} AS {name}" for name, sql in kept.items())
    words = "x >= 0" if pad is None else f"x >= 0 AND x <> {pad}"
    real = [
        f"list_filter(CASE WHEN length IS NULL THEN {name} ELSE {name}[:greatest(length, 0)] END, lambda x: {words})"
        for name in ("targets", "inputs")
    ]
    return (
        f"SELECT step, rank, micro_batch, row, {lists}, {places} AS timesteps, {weights} AS weights, "
        f"len(targets) AS width, hash({', '.join(real)}) AS key FROM timesteps"
    )

"""Files as people write them, small, one maker a format: what the fuzzer then damages.

`MAKERS` names each by its suffix; a maker takes a generator and gives the bytes of one file, damaged at the level of
its structure about half of the time.
"""

import csv
import io
import json
import random
import struct
import warnings
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from tests.fuzz import odd

Fields = dict[str, Any]
KINDS = ("f2", "f4", "f8", ">f4", "i1", "i4", "i8", "u1", "u8", "?", "c8", "V2", "S3", "U2", "M8[s]", "O")


def memory_folder() -> str | None:
    """A folder in memory, for speed, where the system has one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def fields(rng: random.Random) -> Fields:
    """The fields of a batch, plain or as other people name them, sound."""
    numpy = np.random.default_rng(rng.randrange(2**32))
    rows, timesteps, classes = rng.randint(1, 4), rng.randint(1, 5), rng.randint(1, 6)
    targets = numpy.integers(0, classes, (rows, timesteps))
    logits = numpy.normal(size=(rows, timesteps, classes)).astype(rng.choice(("f4", "f8", "f2")))
    found: Fields = {"logits": logits, rng.choice(("targets", "targets", "labels")): targets}
    if rng.random() < 0.15:
        found["losses"] = np.abs(found.pop("logits")[..., 0])
    choices = {
        "lengths": numpy.integers(0, timesteps + 1, rows),
        "weights": numpy.random((rows, timesteps)).round(1),
        "attention_mask": numpy.integers(0, 2, (rows, timesteps)),
        "input_ids": targets,
        "inputs": targets,
        "pad_id": 0,
        "ignore_id": -100,
        "title": rng.choice(("a batch", "::error::", "\x1b[31m")),
        "reported": rng.choice(("1.2545", "nan", "0e999")),
        "vocabulary": [f"t{index}" for index in range(classes)],
    }
    for name in rng.sample(list(choices), rng.randint(0, 4)):
        found[name] = choices[name]
    return found


def _array(rng: random.Random) -> Any:
    """An array of any dtype and rank, now and then a strange one."""
    shape = tuple(rng.choice((0, 1, 1, 2, 3, 5)) for _ in range(rng.randint(0, 5)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = np.zeros(shape, np.int64).astype(rng.choice(KINDS))
    return np.asfortranarray(array) if rng.random() < 0.2 else array


def _odd_fields(rng: random.Random) -> Fields:
    found = fields(rng)
    for _ in range(rng.choice((0, 0, 1, 2))):
        found[rng.choice((*found, *odd.NAMES))] = _array(rng)
    for name in rng.sample(list(found), rng.choice((0, 0, 1))):
        del found[name]
    return found


def npy_bytes(array: Any, rng: random.Random | None = None) -> bytes:
    """An .npy array; with a generator, one whose header may say anything."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    whole = stream.getvalue()
    if rng is None:
        return whole
    size = struct.unpack("<H", whole[8:10])[0]
    about = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    shape = [rng.choice((*array.shape, -1, 0, 1, 2**31, 2**62, 400_000_000, True, 1.0, "1", None)) for _ in array.shape]
    odd_dtypes = ("<f99", "O", "|V0", "|V9999999999", "<f4,<f4", "(2,3)<f4", "<M8[ns]", "??", "", "|S0", [("a", "<f4")])
    changed = [
        about | {"shape": tuple(shape)},
        about | {"descr": rng.choice((*odd_dtypes, *odd.VALUES[:20]))},
        about | {"fortran_order": rng.choice(odd.VALUES)},
        {name: value for name, value in about.items() if name != rng.choice(list(about))},
        about | {rng.choice(odd.NAMES): odd.value(rng)},
        rng.choice(odd.VALUES),
    ]
    header = repr(rng.choice(changed)).encode("utf-8", "replace") + b"\n"
    version = rng.choice(((1, 0), (1, 0), (2, 0), (3, 0), (9, 9)))
    length = len(header) if rng.random() < 0.8 else rng.choice(odd.INTEGERS)
    prefix = struct.pack("<H", length % 2**16) if version == (1, 0) else struct.pack("<I", length % 2**32)
    return b"\x93NUMPY" + bytes(version) + prefix + header + whole[10 + size :]


def npy(rng: random.Random) -> bytes:
    """One array, or the logits alone."""
    found = fields(rng)
    array = rng.choice([value for value in found.values() if isinstance(value, np.ndarray)])
    return npy_bytes(array, rng if rng.random() < 0.7 else None)


def npz(rng: random.Random) -> bytes:
    """An archive, its members doubled, renamed, encrypted, compressed beyond reason, or no arrays at all."""
    stream = io.BytesIO()
    kinds = (zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", rng.choice(kinds)) as archive:
        warnings.simplefilter("ignore")
        for name, value in (_odd_fields(rng) if rng.random() < 0.7 else fields(rng)).items():
            array = np.asarray(value)
            written = npy_bytes(array, rng if rng.random() < 0.1 else None)
            for _ in range(2 if rng.random() < 0.02 else 1):
                suffix = rng.choice((".npy",) * 12 + ("", ".npz", ".npy.npy"))
                archive.writestr(f"{name}{suffix}" or "x", written)
        if rng.random() < 0.05:
            header = io.BytesIO()
            about = {"descr": "<f4", "fortran_order": False, "shape": (1, 1, 2 ** rng.choice((22, 26)))}
            np.lib.format.write_array_header_1_0(header, about)
            archive.writestr("zeros.npy", header.getvalue() + bytes(4 * about["shape"][2]), zipfile.ZIP_DEFLATED)
        archive.comment = b"x" * rng.choice((0, 0, 0, 22, 65_535))
    return _directory(rng, bytearray(stream.getvalue())) if rng.random() < 0.4 else stream.getvalue()


def _directory(rng: random.Random, archive: bytearray) -> bytes:
    """Another number in the directory of an archive, or in one of its local headers."""
    marks = [mark for mark in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06") if mark in archive]
    for _ in range(rng.choice((1, 1, 3))):
        mark = rng.choice(marks)
        places = [at for at in range(len(archive)) if archive.startswith(mark, at)][:50]
        at = rng.choice(places) + rng.randrange(4, 46)
        size = rng.choice((2, 4))
        archive[at : at + size] = (rng.choice(odd.INTEGERS) % 2 ** (8 * size)).to_bytes(size, "little")
    return bytes(archive)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def dumped(value: Any) -> bytes:
    """JSON, of surrogates and of nests that are too deep for Python's own writer too."""
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except RecursionError:
        return b"[" * 3_000 + b"]" * 3_000


def json_(rng: random.Random) -> bytes:
    """One object, with a key twice now and then."""
    document: Any = {name: _plain(value) for name, value in fields(rng).items()}
    if rng.random() < 0.3:
        document["dtypes"] = {name: rng.choice(("float16", "bfloat16", "int8", "O", "bool")) for name in document}
    document = odd.tree(rng, document) if rng.random() < 0.8 else document
    written = dumped(document)
    if rng.random() < 0.05 and written.startswith(b'{"'):
        return b'{"logits": 1, ' + written[1:]
    return b"\xef\xbb\xbf" + written if rng.random() < 0.05 else written


def jsonl(rng: random.Random) -> bytes:
    """One object a sequence, ragged now and then."""
    found = {name: _plain(value) for name, value in fields(rng).items()}
    lists = {name: value for name, value in found.items() if isinstance(value, list) and name != "vocabulary"}
    rows = min(map(len, lists.values()))
    records: list[Any] = [{name: value[row] for name, value in lists.items()} for row in range(rows)]
    if rng.random() < 0.3:
        records = [
            {name: item[: row + 1] if isinstance(item, list) else item for name, item in record.items()}
            for row, record in enumerate(records)
        ]
    if rng.random() < 0.7:
        records[rng.randrange(rows)] = odd.tree(rng, records[rng.randrange(rows)])
    return rng.choice((b"\n", b"\n", b"\r\n", b"\n\n", b"\r")).join(map(dumped, records))


def _long(found: Fields, rng: random.Random) -> tuple[list[str], list[list[Any]]]:
    """The rows of a long-form table, one per timestep or one per class."""
    logits = found.get("logits", np.zeros((1, 1, 2)))
    targets = found.get("targets", found.get("labels"))
    rows, timesteps, classes = logits.shape
    steps = [(b, t) for b in range(rows) for t in range(timesteps)]
    if rng.random() < 0.6:
        header = ["sequence", "timestep", "target", *(f"logit_{index}" for index in range(classes))]
        return header, [[b, t, targets[b % len(targets), t], *logits[b, t]] for b, t in steps]
    header = ["sequence", "timestep", "class", "logit", "target", "token"]
    cells = [(b, t, v) for b, t in steps for v in range(classes)]
    return header, [[b, t, v, logits[b, t, v], targets[b % len(targets), t], f"t{v}"] for b, t, v in cells]


def csv_(rng: random.Random) -> bytes:
    """A table, its cells, header, delimiter and line ends changed."""
    header, rows = _long(fields(rng), rng)
    for _ in range(rng.choice((0, 0, 1, 3))):
        row = rng.choice(rows)
        row[rng.randrange(len(row))] = rng.choice((*odd.WORDS, *odd.VALUES[:25]))
    if rng.random() < 0.2:
        column = rng.randrange(len(header))
        header[column] = rng.choice((*odd.NAMES, "logit_9999999", "logit_1", "target", "length", "weight"))
    if rng.random() < 0.1:
        rows = rng.choice((rows[1:], rows + rows[:1], rows[::-1], [], [row[:-1] for row in rows]))
    stream = io.StringIO(newline="")
    writer = csv.writer(
        stream,
        delimiter=rng.choice(",,,;\t"),
        lineterminator=rng.choice(("\n", "\n", "\r\n", "\r")),
        quoting=rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
    )
    writer.writerows([header, *rows])
    rest = odd.tree(rng, {"pad_id": 0, "vocabulary": ["a", "b"], "dtypes": {"logits": "float16"}, "title": "t"})
    mark = b"# lossviz " + dumped(rest) + b"\n" if rng.random() < 0.2 else b""
    return mark + stream.getvalue().encode("utf-8", "surrogatepass")


def safetensors(rng: random.Random) -> bytes:
    """Tensors whose header says anything."""
    names = {"f4": "F32", "f8": "F64", "f2": "F16", "i8": "I64", "i4": "I32", "u1": "U8", "b1": "BOOL"}
    header: Any = {"__metadata__": {"pad_id": "0", "title": "t", "vocabulary": '["a", "b"]'}}
    body = b""
    for name, value in fields(rng).items():
        if isinstance(value, np.ndarray) and value.dtype.str[1:] in names:
            span = [len(body), len(body) + value.nbytes]
            header[name] = {"dtype": names[value.dtype.str[1:]], "shape": list(value.shape), "data_offsets": span}
            body += value.tobytes()
    header = odd.tree(rng, header) if rng.random() < 0.8 else header
    written = dumped(header)
    length = len(written) if rng.random() < 0.9 else rng.choice(odd.INTEGERS)
    return length.to_bytes(8, "little") + written + body + bytes(rng.choice((0, 0, 0, 5)))


def _columns(rng: random.Random) -> list[tuple[str, Any]]:
    """The columns of a table: long-form, or one row per sequence; some replaced by columns of other types."""
    found = fields(rng)
    if rng.random() < 0.5:
        header, rows = _long(found, rng)
        columns = [(name, pa.array([_scalar(row[at]) for row in rows])) for at, name in enumerate(header)]
    else:
        arrays = {name: _plain(value) for name, value in found.items() if isinstance(value, np.ndarray)}
        rows_count = len(next(iter(arrays.values())))
        columns = [(name, pa.array((value * rows_count)[:rows_count])) for name, value in arrays.items()]
    for _ in range(rng.choice((0, 1, 1, 2))):
        at, count = rng.randrange(len(columns)), len(columns[0][1])
        columns[at] = rng.choice((columns[at][0], rng.choice(odd.NAMES))), _column(rng, count)
    if rng.random() < 0.1:
        columns.append(rng.choice(columns))
    return columns


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _column(rng: random.Random, count: int) -> Any:
    """A column of any Arrow type."""
    makers: tuple[Callable[[], Any], ...] = (
        lambda: pa.nulls(count),
        lambda: pa.array([None, *range(count - 1)], pa.int32()),
        lambda: pa.array(["\x1b[31m"] * count),
        lambda: pa.array([b"\xff\0"] * count),
        lambda: pa.array(range(count), pa.duration("s")),
        lambda: pa.array(range(count), pa.timestamp("us")),
        lambda: pa.array([1] * count, pa.decimal128(38, 5)),
        lambda: pa.array([{"a": 1, "b": [1.0]}] * count),
        lambda: pa.array([[(1, 2.0)]] * count, pa.map_(pa.int8(), pa.float64())),
        lambda: pa.array([[[1.0], [2.0, 3.0]]] * count),
        lambda: pa.array([[]] * count, pa.list_(pa.float32())),
        lambda: pa.array([[None]] * count, pa.list_(pa.float32())),
        lambda: pa.array([list(range(at % 3)) for at in range(count)], pa.large_list(pa.int64())),
        lambda: pa.array([[1.0, 2.0]] * count, pa.list_(pa.float16(), 2)),
        lambda: pa.array(["a", *["b"] * (count - 1)]).dictionary_encode(),
        lambda: pa.array([2**64 - 1] * count, pa.uint64()),
        lambda: pa.array([float("nan")] * count, pa.float32()),
        lambda: pa.array([True] * count),
        lambda: pa.array([[["a"]]] * count),
        lambda: pa.array([2**31] * count),
        lambda: pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(count * 50_000, np.float32)), 50_000),
    )
    return rng.choice(makers)()


def _table(rng: random.Random) -> Any:
    columns = _columns(rng)
    table = pa.Table.from_arrays([column for _, column in columns], [name for name, _ in columns])
    if rng.random() < 0.4:
        rest = odd.tree(rng, {"pad_id": 0, "vocabulary": ["a"], "dtypes": {"logits": "float16"}, "title": "t"})
        table = table.replace_schema_metadata({b"lossviz": dumped(rest)})
    return table.slice(0, 0) if rng.random() < 0.05 else table


def parquet(rng: random.Random) -> bytes:
    """A table in Parquet, in groups and encodings of any size."""
    stream = io.BytesIO()
    pq.write_table(
        _table(rng),
        stream,
        compression=rng.choice(("snappy", "zstd", "gzip", "none")),
        row_group_size=rng.choice((1, 3, 1000)),
        use_dictionary=rng.random() < 0.5,
    )
    return stream.getvalue()


def arrow(rng: random.Random) -> bytes:
    """A table as an Arrow file or stream."""
    table, stream = _table(rng), io.BytesIO()
    if rng.random() < 0.1:
        zeros = [np.zeros(rng.choice((100, 2**24)), np.int8)] * len(table)
        table = table.append_column("zeros", pa.array(zeros))
    options = pa.ipc.IpcWriteOptions(compression=rng.choice((None, None, "zstd", "lz4")))
    with rng.choice((pa.ipc.new_file, pa.ipc.new_stream))(stream, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rng.choice((1, 1000)))
    return stream.getvalue()


def pt(rng: random.Random) -> bytes:
    """What torch saves: tensors, odd containers, code."""
    held: Any = {}
    for name, value in fields(rng).items():
        held[name] = torch.from_numpy(value) if isinstance(value, np.ndarray) else value
    things: tuple[Any, ...] = (
        torch.zeros(1).expand(2**28), torch.zeros(2, 2).to_sparse(), torch.zeros(0, 3),
        torch.zeros(2, dtype=torch.cfloat), torch.zeros(2, dtype=torch.float8_e5m2), torch.empty(3, device="meta"),
        random.Random, {1: 2}, [1, [2]], {"a": torch.zeros(2)}, object, 3, 1.5, b"x", {3}, torch.zeros(2, 2).t(),
    )  # fmt: skip
    if rng.random() < 0.6:
        held[rng.choice((*held, *odd.NAMES[:30], 5))] = rng.choice(things)
    if rng.random() < 0.1:
        held = rng.choice((list(held.values()), torch.zeros(2, 2, 2), None, things[6]))
    stream = io.BytesIO()
    torch.save(held, stream, _use_new_zipfile_serialization=rng.random() < 0.8)
    return _directory(rng, bytearray(stream.getvalue())) if rng.random() < 0.2 else stream.getvalue()


MAKERS: dict[str, Callable[[random.Random], bytes]] = {
    "npz": npz,
    "npy": npy,
    "json": json_,
    "jsonl": jsonl,
    "csv": csv_,
    "safetensors": safetensors,
    "parquet": parquet,
    "arrow": arrow,
}
if find_spec("torch"):
    import torch

    MAKERS["pt"] = pt

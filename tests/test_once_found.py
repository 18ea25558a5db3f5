"""What was found by trying hostile input, and has no better place: each of these failed once."""

import json
import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossviz import Batch, analyze, diagnose, formats
from lossviz.cli import main
from lossviz.errors import FormatError, InputError
from lossviz.reductions import Options


@contextmanager
def only_a_sentence(file: str) -> Iterator[None]:
    """Expect one printable sentence that names the file."""
    with pytest.raises(FormatError) as error:
        yield
    said = str(error.value)
    assert file in said
    assert said.endswith((".", "?"))
    assert said.isprintable()
    assert len(said) < 400


def seconds_of_diagnose(sequences: int) -> float:
    """Processor seconds of every rule on sequences of one timestep whose logits know nothing."""
    rng = np.random.default_rng(0)
    batch = Batch.from_arrays(logits=rng.normal(size=(sequences, 1, 2)), targets=rng.integers(0, 2, (sequences, 1)))
    analysis = analyze(batch)
    start = time.process_time()
    diagnose(analysis)
    return time.process_time() - start


def test_diagnose_is_not_cubic_in_the_sequences() -> None:
    """2,048 × 1 × 2 took 101 s. Eight times as many sequences, beside the fewer: cubic would be 512 times as long."""
    seconds_of_diagnose(64)
    assert seconds_of_diagnose(1_024) < 64 * max(seconds_of_diagnose(128), 0.02)


@pytest.mark.filterwarnings("error")
def test_weights_of_1e308_beside_1e_320_are_nan_as_in_every_framework_without_a_warning() -> None:
    batch = Batch.from_arrays(losses=[[1.0, 2.0, 3.0]], targets=[[0, 1, 1]], weights=[[1e308, 1e-320, 1e308]])
    analysis = analyze(batch)
    assert analysis.weights.tolist() == [[1e308, 1e-320, 1e308]]
    assert np.isnan(analysis.value)  # inf ÷ inf
    assert [one.code for one in diagnose(analysis).outcomes if one.state == "crashed"] == []


@pytest.mark.parametrize("kind", [pa.int64(), pa.duration("s"), pa.binary()])
def test_parquet_tokens_of_another_kind_are_refused_in_a_sentence(tmp_path: Path, kind: Any) -> None:
    values = [b"a", b"b"] if kind == pa.binary() else [3, 4]
    columns = {"sequence": [0, 0], "timestep": [0, 0], "class": [0, 1], "logit": [0.5, 1.0], "target": [1, 1]}
    pq.write_table(pa.table({**columns, "token": pa.array(values, kind)}), tmp_path / "a.parquet")
    with pytest.raises(FormatError, match=rf"^Column `token` must hold text; got {re.escape(str(kind))}\.$"):
        formats.read(tmp_path / "a.parquet")


@pytest.mark.parametrize("shape", ["Infinity", "-1", "NaN", "1.5", "true", '"3"', "[3]", str(10**30)])
@pytest.mark.parametrize("place", ["shape", "offset"])
def test_safetensors_header_of_odd_numbers_is_a_sentence(shape: str, place: str) -> None:
    header = '{"logits": {"dtype": "F32", "shape": [%s, 1, 3], "data_offsets": [0, 12]}}'
    if place == "offset":
        header = '{"logits": {"dtype": "F32", "shape": [1, 1, 3], "data_offsets": [%s, 12]}}'
    text = (header % shape).encode()
    with only_a_sentence("a.safetensors"):
        formats.read(struct.pack("<Q", len(text)) + text + bytes(12), name="a.safetensors")


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': ('<f4', (3,)), 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (True, 1, 3)}",
        "{'descr': '<f4', 'fortran_order': 3, 'shape': (1, 1, 3)}",
        "{'descr': [('a', '<f4', (3,))], 'fortran_order': False, 'shape': (1, 1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 1, 3)}",
    ],
)
def test_npy_header_of_odd_kinds_is_a_sentence(header: str) -> None:
    text = header.encode().ljust(117) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(12)
    with only_a_sentence("logits.npy"):
        formats.read_many({"logits.npy": content, "targets.npy": content})


@pytest.mark.parametrize("metadata", ['{"a": [[1], [2, 3]]}', '{"a": ' + "[" * 65 + "]" * 65 + "}", '{"a": [1e999]}'])
def test_metadata_of_ragged_or_deep_lists_leaves_the_batch(metadata: str) -> None:
    text = f'{{"logits": [[[0.5, 1.5]]], "targets": [[1]], "more": {metadata}}}'
    assert formats.read(text.encode(), name="a.json")["targets"].tolist() == [[1]]


def test_check_goes_on_after_a_file_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And ends with 2, which no pipeline takes for findings."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    logits = [[[np.nan, 0.0]]]
    (tmp_path / "b.json").write_text(json.dumps({"logits": logits, "targets": [[1]]}))
    assert main(["check", str(tmp_path / "a.parquet"), str(tmp_path / "b.json")]) == 2
    said = capsys.readouterr()
    assert "2 files: 1 error, 0 warnings; 1 could not be checked" in said.out
    assert "a.parquet" in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "options",
    [
        {"z_loss": "x"},
        {"z_loss": [1]},
        {"z_loss": float("nan")},
        {"class_weights": 3},
        {"class_weights": ["a"]},
        {"class_weights": [[1.0], [2.0, 3.0]]},
        {"smoothing": object()},
        {"accumulation_steps": 10**400},
        {"groups": 3},
        {"groups": ((0, "a"),)},
    ],
)
def test_options_of_another_kind_are_refused_in_a_sentence(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=rf"`{next(iter(options))}`"):
        Options(**options)

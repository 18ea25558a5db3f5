"""safetensors: the library is the oracle; headers that lie."""

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save, save_file

from lossviz import formats
from lossviz.file_arrays import FileArray
from lossviz.formats import _common
from tests.formats.fields import encoded, refusal, tiny


def built(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(**changes: Any) -> dict[str, Any]:
    return {"logits": {"dtype": "F32", "shape": [1, 1, 2], "data_offsets": [0, 8]} | changes}


def test_safetensors_reads_what_the_library_wrote(tmp_path: Path) -> None:
    fields = tiny()
    arrays = {name: fields[name] for name in ("logits", "targets", "lengths")}
    save_file(arrays, tmp_path / "a.safetensors", metadata={"format": "np", "pad_id": "0", "title": "T"})
    found = formats.read(tmp_path / "a.safetensors")
    assert list(found) == ["logits", "targets", "lengths", "pad_id", "title"]
    assert found["logits"].tolist() == fields["logits"].tolist()
    assert (found["pad_id"], found["title"]) == (0, "T")


def test_safetensors_writes_what_the_library_reads(tmp_path: Path) -> None:
    formats.write(tiny(), tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.safetensors", "np") as file:
        assert file.get_tensor("logits").tolist() == tiny()["logits"].tolist()
        assert json.loads(file.metadata()["vocabulary"]) == ["<pad>", "a", "b"]


def test_safetensors_keeps_bfloat16() -> None:
    fields = tiny() | {"logits": tiny()["logits"].astype(ml_dtypes.bfloat16)}
    data = encoded(fields, "safetensors")
    assert b'"dtype":"BF16"' in data
    assert formats.read(data, name="a.safetensors")["logits"].dtype == ml_dtypes.bfloat16


def test_safetensors_leaves_large_logits_in_the_file(tmp_path: Path) -> None:
    logits = np.ones((1, 512, 1024), np.float32)
    save_file({"logits": logits, "targets": np.zeros((1, 512), np.int64)}, tmp_path / "a.safetensors")
    found = formats.read(tmp_path / "a.safetensors")
    assert isinstance(found["logits"], FileArray)
    np.testing.assert_array_equal(found["logits"], logits)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00",
            (
                "`a.safetensors` is not a safetensors file: it starts like a pickle. lossviz never loads a pickle, "
                "since loading "
                "one runs the code in it. Save the tensors with `safetensors.numpy.save_file`."
            ),
        ),
        (
            b"short",
            (
                "`a.safetensors` is not a safetensors file: it starts like nothing lossviz knows. Save the tensors "
                "with `safetensors.numpy.save_file`."
            ),
        ),
        (
            (2**40).to_bytes(8, "little") + b"{}",
            (
                "`a.safetensors` declares a header of 1,024 GiB; at most 95.37 MiB are read. Save only the tensors "
                "of one batch."
            ),
        ),
        (
            (100).to_bytes(8, "little") + b"{}",
            "`a.safetensors` was cut off: its header has 100 bytes; got 2. Copy it again.",
        ),
        (
            built(entry(), bytes(7)),
            (
                "`logits` in `a.safetensors` was cut off or damaged: 7 bytes are no F32 of shape (1, 1, 2). Save or "
                "copy it again."
            ),
        ),
        (
            built(entry(shape=[2**40, 2**40]), bytes(8)),
            (
                f"`logits` in `a.safetensors` was cut off or damaged: 8 bytes are no F32 of shape ({2**40}, "
                f"{2**40}). Save or copy "
                "it again."
            ),
        ),
        (
            built(entry(data_offsets=[-8, 0]), bytes(8)),
            (
                "`logits` in `a.safetensors` was cut off or damaged: 0 bytes are no F32 of shape (1, 1, 2). Save or "
                "copy it again."
            ),
        ),
        (
            built(entry(dtype="F8_E4M3"), bytes(8)),
            (
                "`logits` in `a.safetensors` has the dtype F8_E4M3; F64, F32, F16, I64, I32, I16, I8, U64, U32, "
                "U16, U8, BF16 or "
                "BOOL are read. Convert it to F32."
            ),
        ),
        (
            built({"logits": {"dtype": "F32"}}),
            "`a.safetensors` has a header entry `logits` that can't be read. Save it again.",
        ),
        (
            built({"__metadata__": {"title": 3}} | entry(), bytes(8)),
            "`a.safetensors` has metadata that is not a map of texts. Save it again.",
        ),
        (
            built({"__metadata__": {"pad_id": "none"}} | entry(), bytes(8)),
            "`pad_id` in the metadata of `a.safetensors` must be an integer; got `'none'`.",
        ),
        (built(b'{"a": 1, "a": 2}'), "`a.safetensors` holds the key `a` twice. Keep one of them."),
        (built(b'{"\xff": 1}'), "`a.safetensors` has a header that is not UTF-8 text. Save it again."),
    ],
)
def test_safetensors_that_cannot_be_read_says_why(data: bytes, message: str) -> None:
    assert refusal(data, name="a.safetensors") == message


def test_safetensors_other_names_are_proposed() -> None:
    data = save({"model/logits": np.zeros((1, 2, 3), np.float32), "labels": np.zeros((1, 2), np.int64)})
    assert refusal(data, name="a.safetensors") == (
        "`a.safetensors` holds `labels` (1, 2) int64 and `model/logits` (1, 2, 3) float32; looked for `logits` and "
        "`targets`. Did you mean `model/logits` for `logits` and `labels` for `targets`? Pass "
        '`names={"logits": "model/logits", "targets": "labels"}`.'
    )


def test_safetensors_header_limit_is_the_formats_own() -> None:
    assert _common.LIMITS.header_bytes == 100_000_000

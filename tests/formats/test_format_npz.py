"""NumPy archives: bombs, pickles, damage, memory-mapping."""

import io
import os
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from lossviz import formats
from tests.formats.fields import encoded, refusal, tiny


class Payload:
    """An object whose unpickling makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return stream.getvalue()


def saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_npz_can_be_read_by_numpy() -> None:
    with np.load(io.BytesIO(encoded(tiny(), "npz"))) as file:
        assert file["logits"].tolist() == tiny()["logits"].tolist()
        assert file["vocabulary"].tolist() == ["<pad>", "a", "b"]
        assert file["title"].item() == "Two sequences"


def test_npz_reads_what_savez_compressed_wrote() -> None:
    stream = io.BytesIO()
    np.savez_compressed(
        stream, logits=np.ones((1, 2, 3), "f8", order="F"), targets=[[1, 2]], vocabulary=[b"a", b"\xc3\xa4", b""]
    )
    fields = formats.read(stream, name="batch.npz")
    assert fields["logits"].tolist() == [[[1, 1, 1], [1, 1, 1]]]
    assert fields["vocabulary"] == ["a", "ä", ""]


def test_npz_keeps_fortran_order_and_bfloat16_of_savez(tmp_path: Path) -> None:
    logits = np.arange(6, dtype=np.float32).reshape(1, 2, 3).astype(ml_dtypes.bfloat16)
    np.savez(tmp_path / "a.npz", logits=np.asfortranarray(logits), targets=[[1, 2]])
    found = formats.read(tmp_path / "a.npz")["logits"]
    assert (found.dtype, found.tolist()) == (ml_dtypes.bfloat16, logits.tolist())


def test_npz_keeps_tokens_that_fixed_width_text_would_change() -> None:
    for vocabulary in ([], ["\0", "a\0"], ["x" * 5_000, *"ab" * 200]):
        fields = tiny() | {"vocabulary": vocabulary, "input_vocabulary": vocabulary}
        data = encoded(fields, "npz")
        assert formats.read(data, name="a.npz")["vocabulary"] == vocabulary
        assert len(data) < 100_000


def test_npz_leaves_large_stored_logits_in_the_file_and_reads_small_ones(tmp_path: Path) -> None:
    logits = np.random.default_rng(0).normal(size=(4, 64, 1024))
    np.savez(tmp_path / "a.npz", logits=logits, targets=np.zeros((4, 64), int))
    fields = formats.read(tmp_path / "a.npz")
    assert repr(fields["logits"]) == "FileArray(`a.npz`, shape=(4, 64, 1024), dtype=float64)"
    assert isinstance(fields["targets"], np.ndarray)
    np.testing.assert_array_equal(fields["logits"], logits)


def test_npz_bomb_is_refused_before_it_is_unpacked() -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1, 2, 2**30)})
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file, file.open("logits.npy", "w") as member:
        member.write(header.getvalue())
        for _ in range(16):
            member.write(bytes(2**20))
    bomb = stream.getvalue()
    declared = header.tell() + 2**33
    at = bomb.rfind(b"PK\x01\x02")
    bomb = bomb[: at + 24] + struct.pack("<I", 2**32 - 2) + bomb[at + 28 :]
    assert (len(bomb) < 20_000, declared) == (True, header.tell() + 2**33)
    tracemalloc.start()
    assert refusal(bomb, name="bomb.npz") == (
        f"`bomb.npz` is {len(bomb) / 1024:.4g} KiB and would unpack to 4 GiB; at most 1 GiB are unpacked. Save it "
        "uncompressed, with `np.savez`, and open it from disk."
    )
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_npz_member_that_unpacks_to_more_than_declared_is_refused() -> None:
    data = bytearray(archive({"logits.npy": saved(np.zeros((1, 2, 50_000)))}, zipfile.ZIP_DEFLATED))
    at = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 500)
    assert refusal(data, name="a.npz") == (
        "`a.npz` is a damaged .npz archive (Bad CRC-32 for file 'logits.npy'). Save or copy it again."
    )


def test_npz_with_a_huge_directory_is_refused() -> None:
    data = bytearray(encoded(tiny(), "npz"))
    struct.pack_into("<I", data, data.rfind(b"PK\x05\x06") + 12, 2**30)
    assert refusal(data, name="a.npz") == (
        "`a.npz` declares a directory of 1 GiB; at most 1 MiB are read. Save only the arrays of one batch."
    )


def test_npz_never_runs_a_pickle(tmp_path: Path) -> None:
    trap = Payload(tmp_path / "ran")
    stream = io.BytesIO()
    np.savez(stream, logits=np.array([trap], dtype=object), targets=[[1]])
    assert refusal(stream, name="a.npz") == (
        "`logits.npy` holds Python objects, which NumPy stores as a pickle; lossviz never loads a pickle, since "
        "loading "
        "one runs the code in it. Save a plain array: pad ragged lists to one length first."
    )
    assert refusal(pickle.dumps(trap), name="a.npz") == (
        "`a.npz` is not an .npz archive: it starts like a pickle. lossviz never loads a pickle, since loading "
        "one runs the "
        "code in it. Save the arrays with `np.savez`."
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"logits": []}', "JSON text"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"\x93NUMPY\x01\x00", "an .npy array"),
        (b"\x1f\x8b\x08", "a gzip file"),
        (b"hello", "nothing lossviz knows"),
    ],
)
def test_npz_that_is_something_else_says_what(data: bytes, found: str) -> None:
    assert refusal(data, name="a.npz") == (
        f"`a.npz` is not an .npz archive: it starts like {found}. Save the arrays with `np.savez`."
    )


def test_npz_that_was_cut_off_says_so() -> None:
    assert refusal(encoded(tiny(), "npz")[:-40], name="a.npz") == (
        "`a.npz` was cut off: the directory that ends an .npz archive is missing. Save or copy it again."
    )


def test_npz_whose_array_was_cut_off_says_so() -> None:
    assert refusal(archive({"logits.npy": saved(np.zeros((1, 2, 3)))[:-8]}), name="a.npz") == (
        "`logits.npy` was cut off or damaged: 40 bytes are no float64 of shape (1, 2, 3). Save or copy it again."
    )


def test_npz_without_arrays_says_what_it_holds() -> None:
    assert refusal(archive({"archive/data.pkl": b"", "version": b"3"}), name="a.npz") == (
        "`a.npz` holds `archive/data.pkl` and `version`, and no .npy array. Save the arrays with `np.savez`."
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_npz_with_a_name_twice_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("logits.npy", saved(np.zeros((1, 2, 3))))
        file.writestr("logits.npy", saved(np.zeros((1, 2, 4))))
    assert refusal(stream, name="a.npz") == "`a.npz` holds `logits.npy` twice. Save each array once."


def test_npz_whose_checksum_fails_says_it_is_damaged() -> None:
    data = bytearray(archive({"logits.npy": saved(np.ones((1, 2, 300)))}, zipfile.ZIP_DEFLATED))
    struct.pack_into("<I", data, data.rfind(b"PK\x01\x02") + 16, 1)
    assert refusal(data, name="a.npz") == (
        "`a.npz` is a damaged .npz archive (Bad CRC-32 for file 'logits.npy'). Save or copy it again."
    )


def test_npz_that_is_encrypted_or_oddly_compressed_says_so() -> None:
    data = bytearray(archive({"logits.npy": saved(np.ones((1, 2, 3)))}))
    struct.pack_into("<H", data, data.rfind(b"PK\x01\x02") + 8, 1)
    assert refusal(data, name="a.npz") == (
        "`a.npz` is a damaged .npz archive (`logits.npy` is encrypted). Save or copy it again."
    )
    assert refusal(archive({"logits.npy": saved(np.ones((1, 2, 3)))}, zipfile.ZIP_LZMA), name="a.npz") == (
        "`a.npz` is a damaged .npz archive (`logits.npy` is compressed in a way that NumPy doesn't use). Save "
        "or copy it "
        "again."
    )


def test_npz_fields_of_another_type_say_what_is_needed() -> None:
    def message(**changes: Any) -> str:
        stream = io.BytesIO()
        np.savez(stream, logits=np.zeros((1, 2, 3)), targets=[[1, 2]], **changes)
        return refusal(stream, name="a.npz")

    assert message(reported=1.25) == '`reported` in `a.npz` must be text, such as "1.2545"; got `reported` () float64.'
    assert message(pad_id=0.5) == "`pad_id` in `a.npz` must be one integer; got `pad_id` () float64."
    assert message(input_vocabulary=[1, 2]) == (
        "`input_vocabulary` in `a.npz` must be a list of texts; got `input_vocabulary` (2,) int64."
    )
    assert message(vocabulary=[1, 2]) == "`vocabulary` in `a.npz` must be a list of texts; got `vocabulary` (2,) int64."
    assert message(title=b"\xff") == "`title` in `a.npz` must be UTF-8 text; got b'\\xff'."


def test_npz_structured_array_is_refused() -> None:
    assert refusal(archive({"logits.npy": saved(np.zeros(2, "f4,i4"))}), name="a.npz") == (
        "`logits.npy` is a structured array with fields ('f0', 'f1'); save each field as its own array."
    )


def test_npz_header_that_declares_an_impossible_shape_is_refused() -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (0, 2**62, 2**62)})
    assert refusal(archive({"logits.npy": header.getvalue()}), name="a.npz") == (
        f"`logits.npy` was cut off or damaged: 0 bytes are no float32 of shape (0, {2**62}, {2**62}). Save or "
        f"copy it again."
    )
    assert refusal(archive({"logits.npy": header.getvalue()[:30]}), name="a.npz") == (
        "`logits.npy` is not a whole .npy array: its header can't be read. Save it again with `np.save`."
    )

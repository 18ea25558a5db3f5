"""Small files that would unpack to far more than they may: each is refused before anything is allocated."""

import io
import json
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from lossviz import formats
from lossviz.errors import FormatError
from lossviz.formats import _common

MIB = 2**20
ROWS = 2_000
KEYS = {"sequence": np.zeros(ROWS, int), "timestep": np.arange(ROWS), "target": np.zeros(ROWS, int)}


def refused(data, name, read=formats.read):
    """The refusal of a file, which must not take more than 8 MiB beside the file itself."""
    tracemalloc.start()
    arrow = pa.total_allocated_bytes()
    with pytest.raises(FormatError) as error:
        read(data, name=name)
    assert tracemalloc.get_traced_memory()[1] < 8 * MIB + 4 * len(data)
    assert pa.total_allocated_bytes() - arrow < 8 * MIB
    tracemalloc.stop()
    return str(error.value)


def parquet(columns):
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def archive(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return bytearray(stream.getvalue())


@pytest.mark.parametrize("read", [formats.read, formats.contents])
def test_parquet_lists_of_zeros_are_counted_before_they_are_read(monkeypatch, read):
    monkeypatch.setattr("lossviz.formats._common.LIMITS", _common.Limits(upload_decoded_bytes=16 * MIB))
    zeros = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(ROWS * 1_500, np.float32)), 1_500)
    message = refused(parquet(KEYS | {"logits": zeros}), "a.parquet", read)
    assert message.endswith(" MiB; at most 16 MiB are unpacked. Save it as .npz.")


@pytest.mark.parametrize("column", ["target", "token", "logit"])
def test_parquet_binary_column_is_refused_before_it_is_read(column):
    values = pa.DictionaryArray.from_arrays(np.zeros(ROWS, np.int32), [b"x" * MIB])
    columns = KEYS | {"class": KEYS["target"], "logit": np.zeros(ROWS), column: values}
    message = refused(parquet(columns), "a.parquet")
    assert message.startswith(f"Column `{column}` must hold {'text' if column == 'token' else 'numbers'}; got ")


def test_safetensors_that_share_bytes_are_refused():
    entry = {"dtype": "U8", "shape": [MIB], "data_offsets": [0, MIB]}
    header = json.dumps({f"t{index}": entry for index in range(3_000)}).encode()
    data = len(header).to_bytes(8, "little") + header + bytes(MIB)
    assert refused(data, "a.safetensors") == (
        "`t1` in `a.safetensors` shares bytes with another tensor. Save each tensor once."
    )


def test_npz_members_that_share_bytes_are_refused():
    data = archive({f"t{index}.npy": saved(np.zeros(MIB // 8)) if index == 0 else b"" for index in range(3)})
    first = data.find(b"PK\x01\x02")
    for _ in range(2):
        other = data.find(b"PK\x01\x02", first + 4)
        data[other + 10 : other + 28] = data[first + 10 : first + 28]
        data[other + 42 : other + 46] = data[first + 42 : first + 46]
        first = other
    assert refused(bytes(data), "a.npz") == (
        "`a.npz` is a damaged .npz archive (`t1.npy` shares bytes with another array). Save or copy it again."
    )


def test_npz_zip64_directory_is_measured_too():
    data = archive({"logits.npy": saved(np.zeros((1, 1, 2)))})
    end = data.rfind(b"PK\x05\x06")
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 2**30, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    hidden = bytes(data[:end]) + record + locator + bytes(data[end:])
    assert refused(hidden, "a.npz") == (
        "`a.npz` declares a directory of 1 GiB; at most 1 MiB are read. Save only the arrays of one batch."
    )


def test_npz_empty_array_of_a_huge_shape_is_refused():
    header = io.BytesIO()
    shape = (400_000_000, 0, 1)
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    assert refused(bytes(archive({"logits.npy": header.getvalue()})), "a.npz") == (
        f"`logits.npy` was cut off or damaged: 0 bytes are no float32 of shape {shape}. Save or copy it again."
    )


def test_json_of_too_many_keys_is_refused():
    data = json.dumps({f"key{index}": 0 for index in range(10_001)}).encode()
    assert refused(data, "a.json") == (
        "`a.json` holds 10,001 arrays; at most 10,000 are read. Save only those of one batch."
    )


def test_text_with_one_wide_letter_counts_four_bytes_a_letter(monkeypatch):
    monkeypatch.setattr("lossviz.formats._common.LIMITS", _common.Limits(upload_decoded_bytes=4_000))
    data = json.dumps({"title": "x" * 1_500}).encode()
    assert "looked for `logits`" in refused(data, "a.json")
    wide = json.dumps({"title": "😀" + "x" * 1_500}, ensure_ascii=False).encode()
    message = refused(wide, "a.json")
    assert message.endswith("; at most 3.906 KiB are unpacked. Save it as .npz, which needs no decoding.")


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_read_of_a_wide_text_is_linear(kind):
    """A quadratic reader needed 74 s for 50,257 columns."""

    def seconds(classes):
        stream = io.BytesIO()
        fields = {"logits": np.linspace(0, 1, classes)[None, None], "targets": np.zeros((1, 1), int)}
        formats.write(fields, stream, kind)
        start = time.process_time()
        found = formats.read(stream.getvalue(), name=f"a.{kind}")["logits"]
        np.testing.assert_array_equal(found, fields["logits"])
        return time.process_time() - start

    seconds(100)
    assert seconds(50_257) < 3


def varint(number):
    """An integer as Thrift writes it."""
    number, out = number << 1, b""
    while number >= 128:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


@pytest.mark.parametrize("read", [formats.read, formats.contents])
def test_parquet_is_counted_by_its_pages_whatever_its_footer_says(monkeypatch, read):
    monkeypatch.setattr("lossviz.formats._common.LIMITS", _common.Limits(upload_decoded_bytes=8 * MIB))
    zeros = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(ROWS * 1_500, np.float32)), 1_500)
    stream = io.BytesIO()
    pq.write_table(pa.table(KEYS | {"logits": zeros}), stream, use_dictionary=False, compression="zstd")
    whole = stream.getvalue()
    footer = whole[-8 - int.from_bytes(whole[-8:-4], "little") :]
    lying = footer
    about = pq.read_metadata(stream).row_group(0).column(3)
    for number in (about.total_uncompressed_size, about.num_values):  # 5, in as many bytes
        true = varint(number)
        false = b"\x8a" + b"\x80" * (len(true) - 2) + b"\0"
        lying = lying.replace(true, false)
    lying = whole.removesuffix(footer) + lying
    claimed = pq.read_metadata(io.BytesIO(lying)).row_group(0).column(3)
    assert (claimed.total_uncompressed_size, claimed.num_values) == (5, 5)
    message = refused(lying, "a.parquet", read)
    assert message.endswith(" KiB and would unpack to 22.93 MiB; at most 8 MiB are unpacked. Save it as .npz.")


def arrow(table, times=1, **options):
    stream = io.BytesIO()
    with pa.ipc.new_file(stream, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        for _ in range(times):
            writer.write_table(table)
    return stream.getvalue()


def test_arrow_buffers_are_counted_before_they_are_unpacked(monkeypatch):
    monkeypatch.setattr("lossviz.formats._common.LIMITS", _common.Limits(upload_decoded_bytes=8 * MIB))
    table = pa.table({"labels": pa.array([np.zeros(4 * MIB, np.int8)])})
    message = refused(arrow(table, times=3, compression="zstd"), "a.arrow", formats.contents)
    assert message.endswith(" KiB and would unpack to 8 MiB; at most 8 MiB are unpacked. Save one batch.")


@pytest.mark.parametrize("write", [arrow, parquet])
def test_long_text_that_repeats_is_held_once(write):
    texts = pa.DictionaryArray.from_arrays(np.zeros(ROWS, np.int32), ["x" * MIB])
    data = write(pa.table({"note": texts, "labels": pa.array([[1, 2]] * ROWS)}))
    tracemalloc.start()
    found = formats.contents(data, name="a.arrow" if write is arrow else "a.parquet")
    assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    tracemalloc.stop()
    assert (found["labels"].shape, found["note"].size) == ((ROWS, 2), 1)


def test_text_of_a_dictionary_is_counted_for_each_batch_of_rows(monkeypatch):
    """A text of 1 MiB that 40 record batches, or 40 × 1,024 rows of Parquet, name by its number."""
    monkeypatch.setattr("lossviz.formats._common.LIMITS", _common.Limits(upload_decoded_bytes=16 * MIB))
    text = pa.array(["x" * MIB])
    one = pa.table(
        {"labels": pa.array([[1]]), "title": pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), text)}
    )
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, one.schema) as writer:
        for _ in range(40):
            writer.write_table(one)
    rows = 40 * 1024
    titles = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), text)
    many = parquet({"labels": pa.FixedSizeListArray.from_arrays(pa.array(np.ones(rows, np.int8)), 1), "title": titles})
    for data, name in ((stream.getvalue(), "a.arrow"), (many, "a.parquet")):
        with pytest.raises(FormatError, match=r"at most 16 MiB are unpacked\. Save one batch"):
            formats.contents(data, name=name)

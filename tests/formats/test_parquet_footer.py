"""The footer of a Parquet file, beside what pyarrow says of it; and where it is damaged, a sentence."""

from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossviz.errors import FormatError
from lossviz.unpacking import footer_of


def parquet(**options: Any) -> bytes:
    columns = {
        "step": np.arange(7) - 3,
        "losses": [[0.5] * count for count in range(7)],
        "title": pa.array(["a", None, "c", "d", "e", "f", "g"]),
        "nothing": pa.nulls(7, pa.int32()),
        "wide": np.array([-(2**63), 2**63 - 1] * 3 + [0]),
    }
    stream = BytesIO()
    pq.write_table(pa.table(columns), stream, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"row_group_size": 2},
        {"use_dictionary": False, "compression": "zstd"},
        {"write_statistics": False, "data_page_version": "2.0"},
        {"write_page_index": True, "store_schema": False},
    ],
    ids=str,
)
def test_footer_says_what_pyarrow_says(options: dict[str, Any]) -> None:
    data = parquet(**options)
    about = pq.read_metadata(BytesIO(data))
    groups = footer_of(BytesIO(data), "a.parquet")
    assert [group.rows for group in groups] == [about.row_group(at).num_rows for at in range(about.num_row_groups)]
    for number, group in enumerate(groups):
        for place, chunk in enumerate(group.chunks):
            theirs = about.row_group(number).column(place)
            start = min(theirs.data_page_offset, theirs.dictionary_page_offset or theirs.data_page_offset)
            assert (chunk.path, chunk.values, chunk.unpacked, chunk.packed, chunk.start) == (
                theirs.path_in_schema,
                theirs.num_values,
                theirs.total_uncompressed_size,
                theirs.total_compressed_size,
                start,
            )
            assert chunk.name == theirs.path_in_schema.partition(".")[0]
            known = theirs.statistics
            if theirs.physical_type.startswith("INT"):
                said = None if known is None or not known.has_min_max else (known.min, known.max)
                assert chunk.integers() == said


def test_footer_that_is_damaged_is_a_sentence() -> None:
    """Cut off anywhere, a number without an end, a list longer than the file, structs in structs."""
    whole = parquet()
    length = int.from_bytes(whole[-8:-4], "little")
    footer = whole[-8 - length : -8]
    odd = [footer[:at] for at in range(0, length, 7)]
    odd += [
        b"\x16" + b"\xff" * 10_000,
        b"\x49\xfc\xff\xff\xff\xff\x7f",
        b"\x1c" * 5_000,
        b"\x1b\x01",
        b"\x49\x1c" + bytes(99),
    ]
    for content in odd:
        file = b"PAR1" + content + len(content).to_bytes(4, "little") + b"PAR1"
        with pytest.raises(FormatError) as error:
            footer_of(BytesIO(file), "a.parquet")
        assert str(error.value) == (
            "`a.parquet` was cut off or damaged: its footer can't be read. Save or copy it again."
        )
    for file in (b"", b"PAR1", whole[:-1], b"\xff\xff\xff\x7fPAR1"):
        with pytest.raises(FormatError, match="its footer can't be read"):
            footer_of(BytesIO(file), "a.parquet")

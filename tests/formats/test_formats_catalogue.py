"""What holds for every format in the catalogue."""

import re
import sys
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from lossviz import formats
from lossviz.errors import FormatError
from lossviz.formats import FORMATS
from tests.formats.fields import batches, encoded, same, tiny

ROOT = Path(__file__).parents[2]
STREAMED = [known.name for known in FORMATS if known.name != "npy"]


def test_formats_are_sorted_and_unique() -> None:
    names = [known.name for known in FORMATS]
    suffixes = [suffix for known in FORMATS for suffix in known.suffixes]
    assert names == sorted(set(names))
    assert suffixes == [".csv", ".json", ".npy", ".npz", ".parquet", ".safetensors"]


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_format_has_module_test_and_heading_of_its_name(known: formats.Format) -> None:
    folder = ROOT / "lossviz/formats"
    assert [name for name in (f"{known.name}.py", f"{known.name}_.py") if (folder / name).exists()] != []
    assert (ROOT / f"tests/formats/test_format_{known.name}.py").exists()
    assert f"\n## {known.title} ({', '.join(known.suffixes)})\n" in (ROOT / "docs/formats.md").read_text("utf-8")
    assert known.doc.splitlines()[0].endswith(".")


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
@settings(max_examples=40, deadline=None)
@given(fields=batches())
def test_format_gives_back_what_was_written(known: formats.Format, fields: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"run{known.suffixes[0]}"
        formats.write(fields, path)
        assert same(fields, formats.read(path))


@pytest.mark.parametrize("name", STREAMED)
def test_format_reads_an_upload_as_it_reads_a_path(name: str, tmp_path: Path) -> None:
    data = encoded(tiny(), name)
    path = tmp_path / f"run.{name}"
    path.write_bytes(data)
    assert same(tiny(), formats.read(data, name=path.name))
    assert same(tiny(), formats.read(bytearray(data), name=path.name))
    with path.open("rb") as stream:
        assert same(tiny(), formats.read(stream))
    assert same(tiny(), formats.read_many({path.name: data}))


@pytest.mark.parametrize("name", STREAMED)
def test_format_refuses_an_empty_file(name: str) -> None:
    with pytest.raises(FormatError) as error:
        formats.read(b"", name=f"run.{name}")
    assert str(error.value) == f"`run.{name}` is empty. Save or copy it again."


def answer(data: bytes | bytearray, name: str) -> str:
    """The sentence with which data is refused, or the names of the fields that it gives."""
    try:
        return ", ".join(formats.read(data, name=f"run.{name}"))
    except FormatError as error:
        return str(error)


@pytest.mark.parametrize("name", [name for name in STREAMED if name != "csv"])  # half a number may be a number
def test_format_answers_every_truncation_with_a_sentence(name: str) -> None:
    data = encoded(tiny(), name)
    for length in range(1, len(data), max(1, len(data) // 60)):
        assert answer(data[:length], name)[-1] in ".…"


@pytest.mark.parametrize("name", STREAMED)
def test_format_answers_every_damaged_byte_with_fields_or_a_sentence(name: str) -> None:
    data = encoded(tiny(), name)
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[random.integers(len(data))] = random.integers(256)
        found = answer(damaged, name)
        assert found.startswith("logits, targets") or found[-1] in ".?…`"


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_write_over_the_file_that_is_mapped_keeps_its_fields(known: formats.Format, tmp_path: Path) -> None:
    path = tmp_path / f"run{known.suffixes[0]}"
    fields = {"logits": np.ones((1, 600, 512), np.float32), "targets": np.zeros((1, 600), np.int64)}
    formats.write(fields, path)
    formats.write(formats.read(path), path)
    assert same(fields, formats.read(path))
    assert [file.name for file in tmp_path.iterdir() if file.name.endswith(".tmp")] == []


def test_examples_in_the_page_can_be_read() -> None:
    page = (ROOT / "docs/formats.md").read_text("utf-8")
    csv_wide, csv_long = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    (json,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert formats.read(csv_wide.encode(), name="a.csv")["logits"].tolist() == [[[0.5, 2.0, -1.0], [0.1, 0.2, 3.0]]]
    assert formats.read(csv_long.encode(), name="a.csv")["vocabulary"] == ["<pad>", "the", "cat"]
    assert formats.read(json.encode(), name="a.json")["title"] == "One sequence, two timesteps"


def test_import_formats_imports_neither_pandas_nor_pyarrow() -> None:
    code = "import lossviz.formats, sys; print({'pandas', 'pyarrow', 'safetensors', 'tensorflow'} & {*sys.modules})"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "set()\n"

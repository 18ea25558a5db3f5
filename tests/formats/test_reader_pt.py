"""torch files: tensors only, by `weights_only`; without torch the sentence that lossviz loads no pickle."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lossviz.errors import FormatError
from lossviz.formats import contents, find_reader

SENTENCE = "It holds a pickle, and loading one runs the code in it. Save the arrays with `np.savez`."


def saved(value: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["a.pt", "a.pth"])
def test_pt_gives_its_tensors_by_name(name: str, tmp_path: Path) -> None:
    logits = torch.arange(6, dtype=torch.bfloat16).reshape(1, 2, 3).requires_grad_()
    data = saved({"logits": logits, "labels": torch.tensor([[1, 2]]), "pad_id": 0, "title": "a", "none": None})
    (tmp_path / name).write_bytes(data)
    for fields in (contents(data, name=name), contents(tmp_path / name)):
        assert fields["logits"].astype(np.float32).tolist() == [[[0, 1, 2], [3, 4, 5]]]
        assert (fields["labels"].tolist(), int(fields["pad_id"]), fields["title"]) == ([[1, 2]], 0, "a")
        assert "none" not in fields


class Code:
    """What a hostile pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("/tmp/lossviz-pickle-ran"),)  # noqa: S108


@pytest.mark.parametrize("data", [saved({"a": Code()}), pickle.dumps(Code())], ids=["torch", "pickle"])
def test_pt_runs_no_code(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^`a\.pt` can't be read as plain tensors"):
        contents(data, name="a.pt")
    assert not Path("/tmp/lossviz-pickle-ran").exists()  # noqa: S108


def test_pt_of_no_dict_and_a_cut_one_are_one_sentence() -> None:
    with pytest.raises(FormatError) as error:
        contents(saved(torch.zeros(2)), name="a.pt")
    assert str(error.value) == "`a.pt` holds a Tensor; save a dict such as {'logits': …, 'labels': …}."
    whole = saved({"labels": torch.zeros(2)})
    with pytest.raises(FormatError, match=r"^`a\.pt` can't be read as plain tensors"):
        contents(whole[: len(whole) // 2], name="a.pt")


def test_pt_of_an_expanded_tensor_is_counted_before_it_is_allocated() -> None:
    """One number that says it is two billion."""
    data = saved({"logits": torch.zeros(1).expand(1, 20_000, 20_000)})
    with pytest.raises(FormatError, match="Save contiguous tensors of one batch"):
        contents(data, name="a.pt")


def test_pt_without_torch_is_refused_as_a_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.formats.pt.find_spec", lambda _: None)
    monkeypatch.setattr("lossviz.formats.find_spec", lambda _: None)
    for refused in (lambda: contents(saved({}), name="a.pt"), lambda: find_reader("a.pt")):
        with pytest.raises(FormatError) as error:
            refused()
        assert str(error.value).endswith(SENTENCE)


def with_pickle(code: bytes) -> bytes:
    """An archive of torch's with other code in it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved({}))) as old, zipfile.ZipFile(stream, "w") as new:
        for record in old.infolist():
            new.writestr(record.filename, code if record.filename.endswith("data.pkl") else old.read(record))
    return stream.getvalue()


def test_pt_that_makes_a_bytearray_is_refused_before_it_is_made() -> None:
    """`weights_only` lets a pickle of a few bytes make one of any length, and fills it."""
    for code in (b"\x80\x02}U\x01ac__builtin__\nbytearray\nJ\x00\x00\x00\x40\x85Rs.", b"}cbuiltins\nbytearray\n."):
        for data in (with_pickle(code), code):
            with pytest.raises(FormatError) as error:
                contents(data, name="a.pt")
            assert str(error.value) == (
                "`a.pt` makes a bytearray, which no tensor needs. Save a dict of tensors with `torch.save`, or the "
                "arrays with `np.savez`."
            )


def test_pt_of_lists_that_hold_each_other_is_refused_before_anybody_looks_at_all_of_it() -> None:
    """A kilobyte that holds 10¹⁴ numbers."""
    rows: list[Any] = [1.0] * 100
    for _ in range(6):
        rows = [rows] * 100
    with pytest.raises(FormatError, match=r"^`a\.pt` holds more than 5,000,000 entries in lists\."):
        contents(saved({"logits": rows}), name="a.pt")


def test_pt_of_packed_or_shared_records_is_refused() -> None:
    """torch reads both, and writes neither."""
    whole, packed = saved({"a": torch.zeros(9_999), "b": torch.ones(9_999)}), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for record in old.infolist():
            new.writestr(record.filename, old.read(record))
    with pytest.raises(FormatError, match="holds packed records"):
        contents(packed.getvalue(), name="a.pt")
    shared = bytearray(whole)
    entries = [
        at for at in range(len(shared)) if shared.startswith(b"PK\x01\x02", at) and b"data/" in shared[at : at + 70]
    ]
    shared[entries[1] + 42 : entries[1] + 46] = shared[entries[0] + 42 : entries[0] + 46]
    with pytest.raises(FormatError, match="shares bytes with another array"):
        contents(bytes(shared), name="a.pt")

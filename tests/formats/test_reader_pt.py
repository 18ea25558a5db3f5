"""torch files: tensors only, by `weights_only`; without torch the sentence that lossviz loads no pickle."""

import io
import pickle
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

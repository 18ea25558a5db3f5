"""Names: exact ones are taken, others proposed and never applied."""

import os
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pytest

from lossviz import formats
from lossviz.errors import FormatError, NamesError
from lossviz.formats import propose

LOGITS = np.zeros((2, 3, 5), np.float32)
TARGETS = np.zeros((2, 3), np.int64)


def read(arrays: dict[str, Any], **options: Any) -> dict[str, Any]:
    stream = BytesIO()
    np.savez(stream, **arrays)
    return formats.read(stream, name="run.npz", **options)


def refused(arrays: dict[str, Any], **options: Any) -> str:
    with pytest.raises(NamesError) as error:
        read(arrays, **options)
    assert error.value.arrays.keys() == arrays.keys()
    return str(error.value)


def test_read_other_names_are_proposed_with_shapes_and_dtypes() -> None:
    assert refused({"output": LOGITS, "labels": TARGETS}) == (
        "`run.npz` holds `output` (2, 3, 5) float32 and `labels` (2, 3) int64; looked for `logits` and "
        "`targets`. Did you "
        'mean `output` for `logits` and `labels` for `targets`? Pass `names={"logits": "output", "targets": '
        '"labels"}`.'
    )


def test_read_applies_the_names_it_is_given() -> None:
    fields = read({"output": LOGITS, "labels": TARGETS}, names={"logits": "output", "targets": "labels"})
    assert list(fields) == ["logits", "targets"]


def test_read_names_without_likeness_asks_which_is_which() -> None:
    assert refused({"a": TARGETS, "b": TARGETS}) == (
        "`run.npz` holds `a` (2, 3) int64 and `b` (2, 3) int64; looked for `logits` and `targets`. Pass "
        "`names=` to say "
        "which is which."
    )


def test_read_lists_at_most_twelve_arrays() -> None:
    message = refused({f"weight_{index}": np.zeros(1) for index in range(20)})
    assert message.count("float64") == 12
    assert " and 8 more; looked for" in message


def test_read_asks_about_an_array_that_would_change_the_number() -> None:
    arrays = {"logits": LOGITS, "targets": TARGETS, "mask": TARGETS, "seq_lens": np.array([3, 2])}
    assert refused(arrays) == (
        "`run.npz` also holds `seq_lens` (2,) int64 and `mask` (2, 3) int64. Did you mean `seq_lens` for "
        "`lengths` and "
        '`mask` for `weights`? Pass `names={"lengths": "seq_lens", "weights": "mask"}`, or `names={}` to leave '
        "them out."
    )
    assert list(read(arrays, names={})) == ["logits", "targets"]
    assert read(arrays, names={"lengths": "seq_lens"})["lengths"].tolist() == [3, 2]


def test_read_leaves_out_arrays_that_change_nothing() -> None:
    arrays = {
        "logits": LOGITS,
        "targets": TARGETS,
        "hidden": LOGITS,
        "mask": np.ones((9, 9), int),
        "loss": np.float32(1),
    }
    assert list(read(arrays | {"logits": LOGITS, "targets": TARGETS})) == ["logits", "targets"]


def test_read_refuses_names_that_exist_on_neither_side() -> None:
    with pytest.raises(FormatError) as error:
        read({"logits": LOGITS, "targets": TARGETS}, names={"target": "targets"})
    assert str(error.value) == (
        "`names` maps `target`, which is none of logits, targets, lengths, weights, inputs, segment_ids, "
        "losses, log_probs, entropy, rank, top_classes, top_probabilities, vocabulary, "
        "input_vocabulary, pad_id, eos_id, ignore_id, classes, num_items_in_batch, "
        "labels_per_timestep, reported or title. "
        "Did you mean `targets`?"
    )
    assert refused({"logits": LOGITS, "labels": TARGETS}, names={"targets": "lables"}) == (
        "`names` maps `targets` to `lables`, but `run.npz` holds `logits` (2, 3, 5) float32 and `labels` (2, 3) "
        "int64. Did "
        "you mean `labels`?"
    )


@pytest.mark.parametrize(
    ("arrays", "proposed"),
    [
        ({"logits": LOGITS, "targets": TARGETS}, {"logits": "logits", "targets": "targets"}),
        ({"x1": LOGITS, "x2": TARGETS, "x3": np.array([3, 1])}, {"logits": "x1", "targets": "x2", "lengths": "x3"}),
        ({"x1": LOGITS, "x2": TARGETS, "x3": TARGETS}, {"logits": "x1"}),
        ({"lm_logits": LOGITS, "other": LOGITS}, {"logits": "lm_logits"}),
        ({"labels": TARGETS.astype(float)}, {}),
        ({"mask": TARGETS.astype(bool), "vocab": ["a", "b"]}, {"weights": "mask", "vocabulary": "vocab"}),
        ({"decoder/Label-s": LOGITS, "a/labels": TARGETS}, {"logits": "decoder/Label-s", "targets": "a/labels"}),
        ({"y": LOGITS, "words": list("abcde")}, {"logits": "y", "vocabulary": "words"}),
        ({"ignore_index": np.array(-100), "loss": "1.25"}, {"ignore_id": "ignore_index", "reported": "loss"}),
    ],
)
def test_propose_goes_by_name_rank_and_dtype(arrays: dict[str, Any], proposed: dict[str, str]) -> None:
    assert propose(arrays) == proposed


@pytest.mark.parametrize("suffix", ["npz", "json", "csv", "safetensors", "parquet", "arrow"])
def test_file_whose_name_is_not_utf8_is_read(tmp_path, suffix):
    """pyarrow can't be given such a name, which was said to be a damaged file."""
    path = tmp_path / os.fsdecode(b"a\xff." + suffix.encode())
    if suffix == "arrow":
        with path.open("wb") as stream, pa.ipc.new_file(stream, pa.schema([("labels", pa.list_(pa.int64()))])) as file:
            file.write_table(pa.table({"labels": [[1, 2]]}))
        assert formats.contents(path)["labels"].tolist() == [[1, 2]]
    else:
        formats.write({"logits": np.zeros((1, 2, 3)), "targets": np.ones((1, 2), int)}, path)
        assert formats.contents(path)["targets"].tolist() == [[1, 1]]

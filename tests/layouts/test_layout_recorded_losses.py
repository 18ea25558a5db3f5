"""Losses beside labels: of the next label or of their own, what was not recorded, input_ids as targets."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from lossviz import analyze, diagnose, load
from lossviz.layouts import interpret

NAN = np.nan
LENGTHS = np.array([5, 3])
INPUTS = np.array([[7, 3, 4, 5, 6], [7, 8, 2, 0, 0]])
MASK = (np.arange(5) < LENGTHS[:, None]).astype(int)
LABELS = np.where(MASK == 1, INPUTS, -100)
OF_LABEL = np.array([[9.0, 1.0, 0.5, 2.0, 0.25], [9.0, 1.5, 3.0, 9.0, 9.0]])
"""What a label costs; nothing predicts the first one, and nobody needs those of padding."""
MEAN = (1.0 + 0.5 + 2.0 + 0.25 + 1.5 + 3.0) / 6


def fused(next_label: bool, empty: float) -> np.ndarray:
    """[B, T] as a fused head leaves it: of the next label or its own, `empty` under the mask."""
    known = np.where((LABELS >= 0) & (np.arange(5) > 0), OF_LABEL, empty)
    return np.concatenate([known[:, 1:], np.full((2, 1), empty)], axis=1) if next_label else known


def test_one_timestep_fewer_than_labels_is_of_the_next_label() -> None:
    """TRL's head: log_probs [B, T − 1], 0 under −100."""
    fields = {"log_probs": -fused(True, 0.0)[:, :-1], "labels": LABELS, "input_ids": INPUTS, "attention_mask": MASK}
    reading = interpret(fields)
    assert reading.sentence == (
        "read as Recorded losses: log_probs[t] is of labels[t + 1], since there is one fewer; −100 is ignored; "
        "attention_mask is of the inputs and weighs nothing"
    )
    batch = load(fields)
    assert (analyze(batch).value, batch.declared_mask) == (pytest.approx(MEAN), "ignore_id")
    np.testing.assert_array_equal(batch.targets, LABELS[:, 1:])
    np.testing.assert_array_equal(batch.inputs, INPUTS[:, :-1])
    assert [finding.code for finding in diagnose(batch).findings if finding.severity != "info"] == []


@pytest.mark.parametrize("empty", [0.0, NAN])
def test_where_nothing_was_recorded_tells_the_shift(empty: float) -> None:
    fields = {"labels": LABELS, "input_ids": INPUTS, "attention_mask": MASK}
    following = load(fields | {"per_token_loss": fused(True, empty)})
    assert following.assumptions[:2] == ("per_token_loss[t] is of labels[t + 1]", "−100 is ignored")
    assert analyze(following).value == pytest.approx(MEAN)
    own = load(fields | {"losses": np.where(LABELS >= 0, fused(False, NAN), empty)})
    assert own.assumptions[0] == "losses[t] is of labels[t]"
    assert analyze(own).value == pytest.approx(MEAN)
    assert [finding.code for finding in diagnose(own).findings if finding.severity != "info"] == []


def test_the_shift_can_be_said() -> None:
    fields = {"losses": np.ones((2, 5)), "labels": abs(LABELS), "input_ids": INPUTS}
    assert load(fields).assumptions[0] == "losses[t] is of labels[t] (nothing tells)"
    assert load(fields).shape[:2] == (2, 5)
    assert load(fields, shift=True).shape[:2] == (2, 4)
    assert load(fields, shift=True).assumptions[0] == "losses[t] is of labels[t + 1]"


def test_input_ids_are_the_targets_where_there_are_no_labels() -> None:
    """Prompt log-probabilities as a server's client keeps them: null first, the mask says where the padding is."""
    batch = load(
        {"input_ids": INPUTS, "attention_mask": MASK, "logprobs": -np.where(MASK == 1, fused(False, NAN), NAN)}
    )
    assert batch.assumptions == (
        "without labels, input_ids are the targets",
        "logprobs[t] is of input_ids[t]",
        "attention_mask says which timesteps count",
        "first timesteps without logprobs weigh nothing",
    )
    assert (analyze(batch).value, batch.inputs) == (pytest.approx(MEAN), None)


@pytest.mark.parametrize("kind", ["npz", "jsonl", "parquet", "arrow", "json"])
def test_list_columns_of_every_format_open_alike(kind: str, tmp_path: Path) -> None:
    """Rows of unequal lengths, null where nothing was recorded."""
    rows: list[dict[str, Any]] = [
        {
            "input_ids": INPUTS[b, :n].tolist(),
            "labels": LABELS[b, :n].tolist(),
            "attention_mask": [1] * int(n),
            "token_loss": [None, *OF_LABEL[b, 1:n].tolist()],
        }
        for b, n in enumerate(LENGTHS)
    ]
    path = tmp_path / f"run.{kind}"
    table = pyarrow.Table.from_pylist(rows)
    if kind == "npz":
        np.savez(path, input_ids=INPUTS, labels=LABELS, attention_mask=MASK, token_loss=fused(False, NAN))
    elif kind == "parquet":
        pyarrow.parquet.write_table(table, path)
    elif kind == "arrow":
        with pyarrow.ipc.new_stream(str(path), table.schema) as stream:
            stream.write_table(table)
    else:
        path.write_text("\n".join(map(json.dumps, rows)) if kind == "jsonl" else json.dumps(rows))
    batch = load(path)
    assert analyze(batch).value == pytest.approx(MEAN)
    np.testing.assert_array_equal(np.isnan(batch.losses[:, 0]), [True, True])


def test_a_printed_loss_and_logits_are_no_recorded_losses() -> None:
    logits = np.zeros((2, 5, 9))
    batch = load({"logits": logits, "labels": LABELS, "input_ids": INPUTS, "loss": np.array(2.1972)})
    assert (batch.logits is None, batch.reported) == (False, "2.1972")


def test_own_names_are_read_as_they_are() -> None:
    reading = interpret(
        {"losses": OF_LABEL, "targets": INPUTS, "lengths": LENGTHS, "top_classes": np.zeros((2, 5, 2), int)}
    )
    assert (reading.layout, reading.assumptions) == ("plain", ())

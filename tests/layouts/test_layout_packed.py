"""Documents of one row: each is a sequence."""

import itertools

import numpy as np
import pytest

from lossviz import analyze, identify, load
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import cross_entropy, mean, next_token_logits, tokens

LENGTHS = (18, 5, 9)
EDGES = np.concatenate([[0], np.cumsum(LENGTHS)])
POSITIONS = np.concatenate([np.arange(n) for n in LENGTHS])


def row() -> dict[str, np.ndarray]:
    """A padding-free batch: the first label of each document is −100, so that none is predicted across documents."""
    rng = np.random.default_rng(0)
    ids = tokens(rng, 1, 32)
    return {"logits": next_token_logits(rng, ids), "labels": np.where(POSITIONS == 0, -100, ids), "input_ids": ids}


def document_means(fields: dict[str, np.ndarray]) -> np.ndarray:
    """Each document's mean, cut and shifted by hand."""
    parts = [slice(start, stop) for start, stop in itertools.pairwise(EDGES)]
    z, y = fields["logits"][0], fields["labels"][0]
    return np.array([cross_entropy(z[part][:-1], y[part][1:]).mean() for part in parts])


@pytest.mark.parametrize("key", ["cu_seqlens", "position_ids", "seq_idx"])
def test_packed_mean_of_means_is_by_document(key: str) -> None:
    fields = row()
    said = {"cu_seqlens": EDGES, "position_ids": POSITIONS[None], "seq_idx": np.repeat([0, 1, 2], LENGTHS)[None]}[key]
    batch = load(fields | {key: said})
    assert batch.shape == (3, 18, 40)
    number = document_means(fields).mean()
    assert identify(batch, f"{number:.6f}")[0].code == "C07"


def test_packed_keeps_every_loss() -> None:
    fields = row()
    labels = fields["labels"][:, 1:]
    expected = mean(cross_entropy(fields["logits"][:, :-1], labels), labels != -100)
    assert float(analyze(load(fields | {"cu_seqlens": EDGES})).value) == pytest.approx(expected, abs=1e-6)


def test_packed_of_flat_rows_is_cut_by_cu_seqlens() -> None:
    fields = row()
    flat = {"logits": fields["logits"][0], "targets": np.roll(fields["input_ids"][0], -1)}
    batch = load(flat | {"cu_seqlens": EDGES})
    assert batch.lengths is not None
    assert batch.lengths.tolist() == [18, 5, 9]
    expected = cross_entropy(flat["logits"], flat["targets"]).mean()
    assert float(analyze(batch).value) == pytest.approx(expected, abs=1e-6)


def test_packed_row_that_predicts_across_documents_stays_whole() -> None:
    fields = row() | {"position_ids": POSITIONS[None]}
    fields["labels"] = fields["input_ids"]
    arguments = interpret(fields).arguments
    assert arguments["targets"].shape == (1, 31)
    assert np.unique(arguments["segment_ids"]).tolist() == [0, 1, 2]


def test_packed_segment_zero_at_the_end_is_padding() -> None:
    logits = np.random.default_rng(0).normal(size=(1, 6, 4))
    reading = interpret(
        {"logits": logits, "targets": np.ones((1, 6), int), "segment_ids": np.array([[1, 1, 2, 2, 2, 0]])}
    )
    assert reading.arguments["lengths"].tolist() == [2, 3]


def test_packed_positions_of_one_document_say_nothing() -> None:
    fields = row() | {"position_ids": np.arange(32)[None]}
    assert interpret(fields).layout == "hugging-face"

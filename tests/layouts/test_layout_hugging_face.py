"""Hugging Face causal language models: the model shifts inside, ignores −100, and weighs by nothing."""

import numpy as np
import pytest

from lossviz import analyze, diagnose, identify, load
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import causal, cross_entropy, mean


def shifted(fields: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    labels = fields["labels"][:, 1:]
    return cross_entropy(fields["logits"][:, :-1], labels), labels != -100


def test_hugging_face_gives_the_batch_after_the_shift() -> None:
    fields = causal()
    arguments = interpret(fields).arguments
    assert np.array_equal(arguments["targets"], fields["labels"][:, 1:])
    assert np.array_equal(arguments["logits"], fields["logits"][:, :-1])
    assert np.array_equal(arguments["inputs"], fields["input_ids"][:, :-1])
    assert arguments["ignore_id"] == -100
    assert "weights" not in arguments


def test_hugging_face_says_each_assumption_with_the_flag_that_changes_it() -> None:
    reading = interpret(causal())
    assert reading.sentence == (
        "read as Hugging Face: labels are unshifted, so logits are compared with the next label; −100 is ignored; "
        "attention_mask is of the inputs and weighs nothing (it shows that the pad id is 0)"
    )
    assert [one.flag for one in reading.assumptions] == ["--no-shift", "--ignore-id ID", "--weights attention_mask"]
    assert [one.argument for one in reading.assumptions][::2] == ["shift=False", "weights='attention_mask'"]


def test_hugging_face_mean_is_that_of_the_model() -> None:
    fields = causal()
    losses, counts = shifted(fields)
    analysis = analyze(load(fields))
    assert float(analysis.value) == pytest.approx(mean(losses, counts), abs=1e-6)
    assert [f.code for f in diagnose(load(fields)).findings if f.severity != "info"] == []


def test_hugging_face_mean_of_means_is_c07_after_the_shift() -> None:
    fields = causal()
    losses, counts = shifted(fields)
    number = np.mean([mean(row[None], kept[None]) for row, kept in zip(losses, counts, strict=True)])
    match = identify(load(fields), f"{number:.6f}")[0]
    assert (match.code, match.kind) == ("C07", "convention")


def test_hugging_face_without_a_minus_100_counts_the_padding_that_attention_mask_shows() -> None:
    """pad = eos and labels = input_ids: PAD01, with the number after the fix."""
    fields = causal()
    fields["labels"] = fields["input_ids"] = np.where(fields["attention_mask"] == 1, fields["input_ids"], 39)
    losses, _ = shifted(fields)
    finding = next(f for f in diagnose(load(fields)).findings if f.code == "PAD01")
    assert float(analyze(load(fields)).value) == pytest.approx(losses.mean(), abs=1e-6)
    assert finding.loss_if_fixed == pytest.approx(mean(losses, fields["attention_mask"][:, 1:] == 1), abs=1e-6)
    assert int(finding.cells.sum()) == int((fields["attention_mask"][:, 1:] == 0).sum())


def test_hugging_face_of_plain_names_is_recognised_by_the_fit() -> None:
    fields = causal()
    plain = {"logits": fields["logits"], "targets": fields["labels"], "inputs": fields["input_ids"]}
    assert interpret(plain).layout == "hugging-face"


def test_hugging_face_of_plain_names_is_not_assumed_where_the_printed_number_is_that_without_a_shift() -> None:
    fields = causal()
    losses, counts = cross_entropy(fields["logits"], fields["labels"]), fields["labels"] != -100
    plain = {"logits": fields["logits"], "targets": fields["labels"], "inputs": fields["input_ids"]}
    reading = interpret(plain, reported=f"{mean(losses, counts):.4f}")
    assert (reading.layout, reading.arguments["targets"].shape) == ("ignored-labels", fields["labels"].shape)


def test_hugging_face_is_changed_by_what_the_caller_says() -> None:
    fields = causal()
    assert interpret(fields, shift=False).arguments["targets"].shape == (4, 24)
    assert interpret(fields, ignore_id=7).arguments["ignore_id"] == 7
    weights = interpret(fields, weights="attention_mask").arguments["weights"]
    assert weights.tolist() == fields["attention_mask"][:, 1:].tolist()


def test_hugging_face_weights_never_count_an_ignored_label() -> None:
    fields = causal() | {"loss_mask": np.ones((4, 24))}
    arguments = interpret(fields).arguments
    assert np.array_equal(arguments["weights"] != 0, fields["labels"][:, 1:] != -100)


def test_hugging_face_reads_the_printed_loss_and_num_items() -> None:
    fields = causal()
    losses, counts = shifted(fields)
    reading = interpret(fields | {"loss": np.float32(1.25), "num_items_in_batch": np.array(512)})
    assert reading.arguments["reported"] == "1.25"
    assert reading.assumptions[-1].text == (
        f"num_items_in_batch is 512, while {counts.sum()} labels of this batch count: the trainer divides their sum by "
        "the labels of all its micro-batches"
    )
    assert losses.shape == counts.shape


def test_hugging_face_of_shift_labels_is_not_shifted_again() -> None:
    fields = causal()
    moved = np.pad(fields["labels"][:, 1:], ((0, 0), (0, 1)), constant_values=-100)
    reading = interpret(fields | {"shift_labels": moved})
    assert reading.layout == "encoder-decoder"
    assert np.array_equal(reading.arguments["targets"], moved)
    assert float(analyze(load(fields | {"shift_labels": moved})).value) == pytest.approx(
        mean(*shifted(fields)), abs=1e-6
    )


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (1, 1)])
def test_hugging_face_reads_edges(shape: tuple[int, int]) -> None:
    fields = {"logits": np.zeros((*shape, 4)), "labels": np.zeros(shape, int), "input_ids": np.zeros(shape, int)}
    assert interpret(fields).arguments["targets"].shape[0] == shape[0]


def test_hugging_face_with_nan_logits_and_all_labels_ignored_is_read() -> None:
    fields = causal()
    fields["logits"] = np.full_like(fields["logits"], np.nan)
    assert interpret(fields).layout == "hugging-face"
    assert interpret(causal() | {"labels": np.full((4, 24), -100)}).layout == "hugging-face"


def test_hugging_face_pad_id_is_the_one_that_only_padding_has() -> None:
    fields = causal()
    assert interpret(fields).arguments["pad_id"] == 0
    assert interpret(fields, pad_id=7).arguments["pad_id"] == 7
    also_read = fields | {
        "input_ids": np.where(fields["input_ids"] == fields["input_ids"][0, 3], 0, fields["input_ids"])
    }
    assert "pad_id" not in interpret(also_read).arguments
    assert "pad_id" not in interpret(fields | {"attention_mask": np.ones((4, 24), int)}).arguments


def collated(side: str, ends: bool) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A batch whose pad id 2 also ends (or begins) the sequences, all of them −100 in the labels; the rows' reals."""
    rng = np.random.default_rng(4)
    lengths, width = np.array([20, 13, 8, 16]), 20
    real = np.arange(width) < lengths[:, None]
    real = real if side == "right" else real[:, ::-1]
    ids = np.where(real, rng.integers(5, 40, real.shape), 2)
    edge = real.argmax(axis=1) if not ends else width - 1 - real[:, ::-1].argmax(axis=1)
    ids[np.arange(4), edge] = 2
    logits = rng.normal(0, 1, (4, width, 40))
    for row, column in zip(*np.nonzero(real[:, 1:]), strict=True):
        logits[row, column, ids[row, column + 1]] += 3
    labels = np.where(ids == 2, -100, ids)
    return {"logits": logits, "labels": labels, "input_ids": ids, "attention_mask": real.astype(int)}, real


@pytest.mark.parametrize("side", ["right", "left"])
def test_hugging_face_ends_that_a_collator_took_for_padding_are_found(side: str) -> None:
    """PAD05 of pad = eos (transformers#23530), with the number after the fix, of a row without padding, too."""
    fields, real = collated(side, ends=True)
    losses = cross_entropy(fields["logits"][:, :-1], fields["input_ids"][:, 1:])
    batch = load(fields)
    assert float(analyze(batch).value) == pytest.approx(mean(losses, fields["labels"][:, 1:] != -100), abs=1e-6)
    finding = next(f for f in diagnose(batch).findings if f.code == "PAD05")
    assert finding.severity == "error"
    assert finding.loss_if_fixed == pytest.approx(mean(losses, real[:, 1:]), abs=1e-6)
    assert int(finding.cells.sum()) == 4
    assert batch.assumptions[-1] == (
        "the pad id 2 is also the end of sequences, as attention_mask shows, and no end counts"
    )


@pytest.mark.parametrize("side", ["right", "left"])
def test_hugging_face_pad_id_that_begins_sequences_is_no_end(side: str) -> None:
    fields, _ = collated(side, ends=False)
    assert "eos_id" not in interpret(fields).arguments
    assert [f.code for f in diagnose(load(fields)).findings if f.severity != "info"] == []


def test_hugging_face_of_a_model_that_still_copies_its_inputs_is_not_shifted_twice() -> None:
    """Tied embeddings make an untrained model say its input again; the labels are still the model's to shift."""
    rng = np.random.default_rng(0)
    ids, table = rng.integers(5, 64, (3, 18)), rng.normal(0, 1, (64, 32))
    labels = np.where(np.arange(18) < 5, -100, ids)
    fields = {"logits": table[ids] @ table.T / 6, "labels": labels, "input_ids": ids}
    losses, counts = shifted(fields)
    match = identify(load(fields), f"{mean(losses, counts):.6f}")[0]
    assert (match.code, match.kind) == ("C03", "convention")
    assert load(fields).assumptions[0] == (
        "labels are unshifted, so logits are compared with the next label (they fit the labels themselves better, as "
        "an untrained model with tied weights does)"
    )
    assert [f.code for f in diagnose(load(fields)).findings if f.severity != "info"] == []


def test_hugging_face_of_labels_that_copy_an_encoders_input_is_aligned_where_the_printed_number_says_so() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(5, 64, (3, 18))
    fields = {"logits": rng.normal(0, 1, (3, 18, 64)), "labels": ids, "input_ids": ids}
    assert interpret(fields).layout == "hugging-face"
    loss = np.float32(cross_entropy(fields["logits"], ids).mean())
    assert interpret(fields | {"loss": loss}).layout == "renamed,encoder-decoder"


def with_ends(side: str, taken: int = 0) -> dict[str, np.ndarray]:
    """Four sequences that end in token 1, three of them padded; `taken` of the ends have no label."""
    rng = np.random.default_rng(5)
    real = np.arange(14) < np.array([14, 9, 6, 11])[:, None]
    real = real if side == "right" else real[:, ::-1]
    ids = np.where(real, rng.integers(5, 40, real.shape), 0)
    last = 13 - real[:, ::-1].argmax(axis=1)
    ids[np.arange(4), last] = 1
    labels = np.where(real, ids, -100)
    labels[np.arange(taken), last[:taken]] = -100
    logits = rng.normal(0, 1, (4, 14, 40))
    np.put_along_axis(logits[:, :-1], ids[:, 1:, None], 3, axis=2)
    return {"logits": logits, "labels": labels, "input_ids": ids, "attention_mask": real.astype(int)}


@pytest.mark.parametrize("side", ["right", "left"])
def test_hugging_face_end_of_sequences_is_the_token_in_which_all_padded_ones_end(side: str) -> None:
    reading = interpret(with_ends(side))
    assert reading.arguments["eos_id"] == 1
    assert reading.assumptions[-1].text == "all padded sequences end in 1, the end of sequences"
    fields = with_ends(side)
    fields["input_ids"][2, np.flatnonzero(fields["attention_mask"][2])[2]] = 1  # stands inside, too
    assert "eos_id" not in interpret(fields).arguments
    assert [f.code for f in diagnose(load(with_ends(side))).findings if f.severity != "info"] == []


@pytest.mark.parametrize("side", ["right", "left"])
def test_hugging_face_ends_without_labels_are_found(side: str) -> None:
    fields = with_ends(side, taken=4)
    [finding] = [f for f in diagnose(load(fields)).findings if f.severity != "info"]
    assert (finding.code, int(finding.cells.sum())) == ("PAD05", 3)


def test_hugging_face_labels_that_copy_inputs_which_repeat_are_shifted_unless_a_decoder_read_them_later() -> None:
    ids = np.full((1, 30), 4)
    fields = {"logits": np.zeros((1, 30, 5)), "labels": ids, "input_ids": ids}
    assert interpret(fields).layout == "hugging-face"
    later = {**fields, "input_ids": np.where(np.arange(30) == 0, 0, ids)}
    assert interpret(later).layout == "encoder-decoder"


def test_hugging_face_of_two_timesteps_is_not_decided_by_the_logits() -> None:
    """Both rows fit the labels as they are, by the same luck: two alike say nothing, copied inputs do."""
    ids = np.array([[3, 4], [5, 6]])
    logits = np.zeros((2, 2, 9))
    logits[[0, 1], 1, [4, 6]] = 3
    assert interpret({"logits": logits, "labels": ids, "input_ids": ids}).layout == "hugging-face"


@pytest.mark.parametrize("scale", [1e200, 1.7e308])
def test_hugging_face_of_logits_whose_losses_overflow_is_read_without_a_warning(scale: float) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, (4, 40))
    reading = interpret({"logits": rng.uniform(-1, 1, (4, 40, 5)) * scale, "labels": labels, "input_ids": labels})
    assert np.array_equal(reading.arguments["targets"], labels[:, 1:])

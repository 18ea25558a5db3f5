"""Small batches after public bug reports whose layout stopped or misled people: read without a flag, answered right.

The cases of docs/decisions/0025-layouts.md; each right value is re-derived here in float64 NumPy.
"""

import numpy as np
import pytest

from lossviz import analyze, diagnose, identify, load
from lossviz.errors import InputError

LENGTHS = np.array([24, 15, 20, 9])
WIDTH = 24
CLASSES = 40


def logsumexp(scores):
    most = scores.max(-1, keepdims=True)
    return (most + np.log(np.exp(scores - most).sum(-1, keepdims=True)))[..., 0]


def cross_entropy(scores, targets):
    scores = np.asarray(scores, np.float64)
    return logsumexp(scores) - np.take_along_axis(scores, np.maximum(targets, 0)[..., None], -1)[..., 0]


def hugging_face():
    """A bigram grammar, its noisy logits, the unshifted labels, and the losses after the shift with their mask."""
    random = np.random.default_rng(0)
    grammar = random.normal(0, 2, (CLASSES, CLASSES))
    grammar[:, :5] = -5
    ids = np.zeros((4, WIDTH), int)
    ids[:, 0] = random.integers(5, CLASSES, 4)
    for row, timestep in np.ndindex(4, WIDTH - 1):
        chances = np.exp(grammar[ids[row, timestep]])
        chances[:5] = 0
        ids[row, timestep + 1] = random.choice(CLASSES, p=chances / chances.sum())
    real = np.arange(WIDTH) < LENGTHS[:, None]
    logits = (grammar[ids] + random.normal(0, 0.5, (4, WIDTH, CLASSES))).astype(np.float32)
    fields = {"logits": logits, "labels": np.where(real, ids, -100), "input_ids": np.where(real, ids, 0)}
    fields["attention_mask"] = real.astype(int)
    mask = real[:, 1:]
    losses = np.where(mask, cross_entropy(logits[:, :-1], ids[:, 1:]), 0)
    return fields, losses, mask


def tagger():
    """Probabilities, class 0 for padding, the lengths, the losses and their mask."""
    random = np.random.default_rng(1)
    lengths = np.array([12, 9, 6, 4])
    mask = np.arange(12) < lengths[:, None]
    scores = random.normal(0, 1.5, (4, 12, 5))
    probabilities = np.exp(scores - logsumexp(scores)[..., None])
    targets = np.where(mask, random.choice(5, (4, 12), p=[0.6, 0.1, 0.1, 0.1, 0.1]), 0)
    return probabilities, targets, lengths, np.where(mask, -np.log(np.take_along_axis(
        probabilities, targets[..., None], -1)[..., 0]), 0), mask  # fmt: skip


def of_every_timestep():
    """One logit a timestep, labels that vary within rows, the lengths, all losses and their mask."""
    random = np.random.default_rng(2)
    lengths = np.array([16, 13, 9, 5])
    mask = np.arange(16) < lengths[:, None]
    labels = ((random.random((4, 16)) < 0.4) & mask).astype(int)
    scores = np.where(labels == 1, 1.2, -1.0) + random.normal(0, 1, (4, 16))
    return scores[..., None], labels, lengths, np.logaddexp(0, scores) - scores * labels, mask


def codes(batch):
    return [(finding.severity, finding.code) for finding in diagnose(batch).findings]


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("C03", lambda losses, mask: losses.sum() / mask.sum()),
        ("C07", lambda losses, mask: (losses.sum(1) / mask.sum(1)).mean()),
        ("C12", lambda losses, mask: np.exp(losses.sum() / mask.sum())),
        ("C05", lambda losses, mask: losses.sum() / mask.size),
    ],
)
def test_field_hugging_face_numbers_are_explained_after_one_shift(code, number):
    fields, losses, mask = hugging_face()
    batch = load({**fields, "reported": f"{number(losses, mask):.6f}"})
    assert identify(batch, batch.reported)[0].code == code
    assert not {"SHF01", "SHF02", "SHF05", "PAD12", "PAD13"} & {found for _, found in codes(batch)}


def test_field_hugging_face_gives_the_mean_and_no_finding():
    fields, losses, mask = hugging_face()
    batch = load(fields)
    assert float(analyze(batch).value) == pytest.approx(losses.sum() / mask.sum(), rel=1e-6)
    assert codes(batch) == []
    assert batch.assumptions == (
        "labels are unshifted, so logits are compared with the next label",
        "−100 is ignored",
        "attention_mask is of the inputs and weighs nothing (it shows that the pad id is 0)",
    )


def test_field_hugging_face_labels_that_copy_the_padding_are_pad01():
    fields, losses, mask = hugging_face()
    fields["labels"] = fields["input_ids"]
    [finding] = [one for one in diagnose(load(fields)).findings if one.code == "PAD01"]
    assert finding.loss_if_fixed == pytest.approx(losses.sum() / mask.sum(), rel=1e-6)


def test_field_fields_that_are_none_are_left_out():
    fields, losses, mask = hugging_face()
    batch = load({**fields, "ignore_id": None, "pad_id": None})
    assert float(analyze(batch).value) == pytest.approx(losses.sum() / mask.sum(), rel=1e-6)


def test_field_every_label_ignored_is_pad11():
    fields, _, _ = hugging_face()
    batch = load({**fields, "labels": np.full_like(fields["labels"], -100), "reported": "0.0"})
    assert "PAD11" in {code for _, code in codes(batch)}


def test_field_documents_of_a_packed_row_are_its_sequences():
    fields, _, _ = hugging_face()
    targets, segments = fields["input_ids"][:1, 1:], np.repeat([0, 1, 2], [10, 5, 8])[None]
    logits = fields["logits"][:1, :-1]
    losses = cross_entropy(logits, targets)
    printed = np.mean([losses[segments == one].mean() for one in range(3)])
    batch = load({"logits": logits, "targets": targets, "segment_ids": segments, "reported": f"{printed:.6f}"})
    assert identify(batch, batch.reported)[0].code == "C07"


@pytest.mark.parametrize(("code", "divisor"), [("C03", lambda mask: mask.sum()), ("C05", lambda mask: mask.size)])
def test_field_probabilities_are_judged_by_mask_and_divisor_alone(code, divisor):
    probabilities, targets, lengths, losses, mask = tagger()
    printed = f"{losses.sum() / divisor(mask):.6f}"
    batch = load({"logits": probabilities, "targets": targets, "lengths": lengths, "reported": printed})
    assert float(analyze(batch).value) == pytest.approx(losses.sum() / mask.sum(), rel=1e-6)
    assert identify(batch, printed)[0].code == code
    assert not {"MOD01", "MOD02"} & {found for _, found in codes(batch)}


def test_field_one_hot_targets_with_rows_of_zeros_are_padded():
    probabilities, targets, _, losses, mask = tagger()
    batch = load({"logits": np.log(probabilities), "targets": np.eye(5)[targets] * mask[..., None]})
    assert float(analyze(batch).value) == pytest.approx(losses.sum() / mask.sum(), rel=1e-6)


def test_field_one_logit_a_timestep_is_each_timesteps_own_label():
    scores, labels, lengths, losses, mask = of_every_timestep()
    right = losses[mask].mean()
    batch = load({"logits": scores, "targets": labels, "lengths": lengths, "reported": f"{right:.6f}"})
    assert identify(batch, batch.reported)[0].code == "C03"
    assert codes(batch) == []
    unmasked = load({"logits": scores, "targets": labels, "lengths": lengths, "reported": f"{losses.mean():.6f}"})
    [finding] = diagnose(unmasked).findings
    assert (finding.severity, finding.code) == ("error", "PAD01")
    assert finding.loss_if_fixed == pytest.approx(right, rel=1e-6)


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({"logits": np.zeros((2, 50, 12)), "targets": np.zeros((2, 12), int)}, (2, 12, 50)),
        (
            {"logits": np.zeros((30, 20)), "targets": np.zeros(30, int), "cu_seqlens": np.array([0, 18, 30])},
            (2, 18, 20),
        ),
        ({"logits": np.zeros((2, 6, 4)), "targets": np.zeros((2, 6, 1), int)}, (2, 6, 4)),
        (
            {"logits": np.zeros((9, 4, 7)), "targets": np.zeros((9, 4), int), "lengths": np.array([9, 5, 3, 2])},
            (4, 9, 7),
        ),
    ],
    ids=["classes first", "packed", "trailing axis", "time first"],
)
def test_field_shapes_are_turned_and_said(fields, shape):
    batch = load(fields)
    assert batch.shape == shape
    assert batch.assumptions != ()


def test_field_regression_is_refused_without_harmful_advice():
    with pytest.raises(InputError) as caught:
        load({"logits": np.zeros((4, 10, 1)), "targets": np.random.default_rng(0).normal(0, 1, (4, 10, 1))})
    assert str(caught.value) == (
        "The targets are fractional numbers, as in a regression: lossviz covers cross entropy, "
        "whose targets are class ids."
    )

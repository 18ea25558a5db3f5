"""The kinds of docs/field-reports.md once more, as other people have them: other names, sides, sizes and formulas.

Each right value is derived here in float64 NumPy; every file is read without a flag.
"""

import numpy as np
import pytest

from lossviz import analyze, diagnose, identify, load
from tests.field.check_batches import PAD, Grammar, cross_entropy, logsumexp, mean, prompted


def serious(batch):
    return [finding.code for finding in diagnose(batch).findings if finding.severity != "info"]


def told(fields, number, digits=6):
    """The first match for a printed number, and the batch."""
    printed = f"{number:.{digits}f}"
    batch = load(fields, reported=printed)
    first = identify(batch, printed)[0]
    assert not first.accidental
    return " + ".join(first.codes) if len(first.codes) > 1 else first.code, first.explanation, batch


def prompts(sequences=9, width=20, seed=1):
    """Targets with −100 before the answers and behind them, their losses and what counts."""
    grammar = Grammar(seed)
    tokens = np.array([grammar.walk(width + 1) for _ in range(sequences)])
    starts, ends = grammar.random.integers(2, 8, sequences), grammar.random.integers(12, width + 1, sequences)
    counts = (np.arange(width) >= starts[:, None]) & (np.arange(width) < ends[:, None])
    logits = grammar.scores(tokens[:, :-1], tokens[:, 1:])
    return {"logits": logits, "targets": np.where(counts, tokens[:, 1:], -100)}, tokens, counts


@pytest.mark.parametrize("size", [2, 4, 5, 8])
@pytest.mark.parametrize(("code", "reduce"), [("RED01", np.mean), ("RED02", np.sum)])
def test_field_micro_batches_with_a_remainder_are_found_unaided(size, code, reduce):
    fields, tokens, counts = prompts()
    losses = cross_entropy(fields["logits"], tokens[:, 1:])
    means = [mean(losses[at : at + size], counts[at : at + size]) for at in range(0, 9, size)]
    found, says, _ = told(fields, reduce(means))
    assert (found, f"of {size} sequences each, the remainder last" in says) == (code, True)


def test_field_documents_of_several_packed_rows_have_a_mean_of_their_means():
    fields, tokens, counts = prompts(sequences=3)
    segments = 1 + np.searchsorted([6, 11], np.arange(20), side="right")[None].repeat(3, axis=0)
    losses = cross_entropy(fields["logits"], tokens[:, 1:])
    parts = [(segments == one) & (np.arange(3) == row)[:, None] & counts for row in range(3) for one in (1, 2, 3)]
    number = np.mean([mean(losses, part) for part in parts if part.any()])
    filled = sum(part.any() for part in parts)
    found, says, _ = told({**fields, "segment_ids": segments}, number)
    assert (found, f"each document, then averages the {filled} means" in says) == ("C07", True)


def named(seed=2):
    grammar = Grammar(seed)
    tokens = np.array([grammar.walk(20) for _ in range(5)])
    real = np.arange(19) < np.array([19, 12, 8, 15, 10])[:, None]
    logits = grammar.scores(tokens[:, :-1], tokens[:, 1:])
    right = mean(cross_entropy(logits, tokens[:, 1:]), real)
    return logits, np.where(real, tokens[:, 1:], 0), np.where(real, tokens[:, :-1], 0), real, right


def files():
    """One batch in the names of each library, and its right number."""
    z, y, x, k, right = named()
    return {
        "T5X": {
            "logits": z, "decoder_target_tokens": y, "decoder_input_tokens": x, "decoder_loss_weights": k * 1.0
        },
        "Megatron": {
            "output_tensor": z, "tokens": x, "labels": y, "loss_mask": k * 1.0,
            "attention_mask": np.ones((5, 1, 19, 19), bool), "position_ids": np.tile(np.arange(19), (5, 1)),
        },
        "fairseq": {"net_output": z, "target": y, "prev_output_tokens": x, "padding_idx": np.array(0)},
        "MaxText": {
            "logits": z, "inputs": x, "targets": y, "targets_segmentation": k * 1,
            "targets_position": np.tile(np.arange(19), (5, 1)),
        },
        "Levanter": {"logits": z, "targets": y, "tokens": x, "loss_weight": k * 1.0},
        "AllenNLP": {"logits": z, "targets": y, "mask": k},
        "d2l": {"pred": z, "label": y, "valid_len": k.sum(1)},
        "Keras": {"y_pred": z, "y_true": y.astype(np.float32), "sample_weight": k * 1.0},
        "OpenNMT": {"scores": z, "tgt": y, "tgt_len": k.sum(1)},
        "ESPnet": {"decoder_out": z, "ys_out_pad": np.where(k, y, -1), "ys_in_pad": x},
        "nanoGPT": {"logits": z, "idx": x, "targets": np.where(k, y, -1)},
        "TRL": {"logits": z, "completion_ids": y, "completion_mask": k * 1},
        "no mask": {"logits": z, "targets": y, "inputs": x},
    }, right  # fmt: skip


FILES, RIGHT = files()


@pytest.mark.parametrize("library", FILES)
def test_field_names_of_libraries_are_read(library):
    code, _, batch = told(FILES[library], RIGHT, digits=4)
    assert (code, float(analyze(batch).value), serious(batch)) == ("C03", pytest.approx(RIGHT, rel=1e-5), [])


def tags(filler, pad, seed=3):
    random = np.random.default_rng(seed)
    real = np.arange(15) < np.array([15, 9, 6, 4, 12, 7])[:, None]
    targets = np.where(real, random.choice(5, (6, 15), p=[0.6, 0.1, 0.1, 0.1, 0.1]), filler)
    logits, inputs = random.normal(0, 1.5, (6, 15, 5)), np.where(real, random.integers(1, 90, (6, 15)), pad)
    return {"logits": logits, "labels": targets, "input_ids": inputs}, cross_entropy(logits, targets), real


@pytest.mark.parametrize("pad", [0, 99])
@pytest.mark.parametrize("attention", [False, True])
def test_field_tags_without_a_pad_id_are_told_by_inputs_and_number(pad, attention):
    fields, losses, real = tags(0, pad)
    fields |= {"attention_mask": real * 1} if attention else {}
    code, _, batch = told(fields, mean(losses, real))
    assert (code, float(analyze(batch).value)) == ("C03", pytest.approx(mean(losses, real)))
    assert serious(load(fields | {"loss": np.float64(mean(losses, real))})) == []
    [finding] = [f for f in diagnose(load(fields | {"loss": losses.mean()})).findings if f.severity != "info"]
    assert (finding.code, finding.loss_if_fixed) == ("PAD01", pytest.approx(mean(losses, real)))


def test_field_labels_along_the_first_axis_are_told_by_the_logits():
    grammar = Grammar(4)
    tokens = np.array([grammar.walk(21) for _ in range(6)])
    real = np.arange(21) < np.array([21, 12, 8, 15, 10, 17])[:, None]
    logits = grammar.scores(tokens, np.zeros_like(tokens))
    right = mean(cross_entropy(logits[:, :-1], tokens[:, 1:]), real[:, 1:])
    fields = {"logits": logits.swapaxes(0, 1), "labels": np.where(real, tokens, -100).T}
    fields |= {"input_ids": np.where(real, tokens, 0).T, "attention_mask": real.T * 1}
    code, _, batch = told(fields, right)
    assert (code, batch.shape[:2], serious(batch)) == ("C03", (6, 20), [])


@pytest.mark.parametrize("start", ["labels", "weights"])
def test_field_late_mask_of_left_padded_rows_is_told_by_where_the_prompts_end(start):
    grammar, tokens, mask, _ = prompted(5, left=True, width=24)
    late, following = np.pad(mask[:, :-1], ((0, 0), (1, 0))), np.pad(tokens[:, 1:], ((0, 0), (0, 1)))
    logits = grammar.scores(tokens, following)
    right = mean(cross_entropy(logits[:, :-1], tokens[:, 1:]), mask[:, 1:])
    fields = {"logits": logits, "labels": np.where(late, tokens, -100), "input_ids": tokens}
    fields |= {"attention_mask": (tokens != PAD) * 1}
    if start == "weights":
        fields = {"logits": logits[:, :-1], "targets": tokens[:, 1:], "inputs": tokens[:, :-1]}
        fields |= {"weights": late[:, 1:] * 1, "pad_id": 0, "eos_id": 1}
    [finding] = [f for f in diagnose(load(fields)).findings if f.severity != "info"]
    assert (finding.code, finding.loss_if_fixed) == ("SHF05", pytest.approx(right, rel=1e-6))
    assert "it leaves out the first token of each answer, in 4 sequences" in finding.message


@pytest.mark.parametrize("epsilon", [0.1, 0.2])
@pytest.mark.parametrize(
    ("over", "code", "other"), [("V", "LS3", 0), ("V − 1", "LS2", 1), ("V − 2, no entropy", "LS5", 2)]
)
def test_field_smoothed_sums_are_named_without_their_epsilon(over, code, other, epsilon):
    random = np.random.default_rng(6)
    real = np.arange(13) < np.array([13, 9, 4, 7, 11])[:, None]
    logits = random.normal(0, 1.5, (5, 13, 11))
    targets = np.where(real, random.integers(2, 11, (5, 13)), 0)
    q = np.full(logits.shape, epsilon / (11 - other))
    q[..., 0] *= other < 2
    np.put_along_axis(q, targets[..., None], 1 - epsilon + (epsilon / 11 if other == 0 else 0), -1)
    losses = -(q * (logits - logsumexp(logits)[..., None])).sum(-1)
    losses += 0 if other == 1 else (q * np.log(np.where(q > 0, q, 1))).sum(-1)
    fields = {"logits": logits, "targets": targets, "lengths": real.sum(1), "pad_id": 0}
    total = float((losses * real).sum())
    assert told(fields, total / 5)[0] == f"{code} + C06"
    assert told(fields, total, digits=4)[0] == (f"{code} + C01" if code != "LS5" else "LS5"), over


def test_field_sum_over_the_labels_of_a_timestep_is_no_mistake():
    random = np.random.default_rng(7)
    lengths = np.array([12, 9, 6, 4, 11, 3, 8, 12])
    real = np.arange(12) < lengths[:, None]
    logits, labels = random.normal(0, 1, (8, 12, 4)), (random.random((8, 12, 4)) < 0.3).astype(int)
    losses = np.logaddexp(0, logits) - logits * labels
    fields = {"logits": logits, "labels": labels, "lengths": lengths}
    code, says, batch = told(fields, losses[real].sum(-1).mean())
    assert (code, "adds up the 4 labels of each timestep" in says, batch.labels_per_timestep) == ("C03", True, 4)
    assert serious(load(fields | {"loss": losses[real].sum(-1).mean()})) == []


def test_field_pad_token_that_no_logits_allow_is_no_leak_where_labels_are_ignored():
    """A logit of −∞ for the pad id everywhere: the loss of an ignored label is never taken."""
    fields, _, counts = prompts()
    logits = fields["logits"].astype(np.float64)
    logits[..., 0] = -np.inf
    batch = load({**fields, "logits": logits})
    assert (serious(batch), int(counts.sum())) == ([], int(analyze(batch).mask.sum()))


def test_field_untrained_decoder_with_tied_weights_has_no_shifted_targets():
    """T5: the labels are aligned, the decoder reads them one timestep later, and says them again."""
    random = np.random.default_rng(8)
    ids, table = random.integers(2, 64, (4, 16)), random.normal(0, 1, (64, 32))
    read = np.pad(ids[:, :-1], ((0, 0), (1, 0)))
    labels = np.where(np.arange(16) < np.array([16, 11, 9, 13])[:, None], ids, -100)
    logits = table[read] @ table.T / 5
    fields = {"logits": logits, "labels": labels, "input_ids": random.integers(2, 64, (4, 16))}
    fields |= {"attention_mask": np.ones((4, 16), int)}
    code, _, batch = told(fields, mean(cross_entropy(logits, ids), labels != -100))
    assert (code, serious(batch)) == ("C03", [])
    assert "as an untrained model does" in batch.assumptions[1]

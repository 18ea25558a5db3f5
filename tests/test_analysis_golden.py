"""The golden batch of spec/conventions.md, whose numbers are known by heart, and the laws that every batch obeys."""

import numpy as np
import pytest

from lossviz import Settings, analyze
from tests.golden import LOSS
from tests.strategies import RULES

close = np.testing.assert_allclose


@pytest.mark.parametrize(
    ("mask", "rule", "value", "divisor"),
    [
        ("lengths", "mean", 13.8 / 11, 11),
        ("lengths", "language_model", 13.8, 1),
        ("lengths", "encoder_decoder", 4.6, 3),
        ("lengths", "at+ab", 13.8 / 11, 11),
        ("lengths", "st+sb", 13.8 / 11, 11),
        ("none", "mean", 14.5 / 15, 15),
        ("none", "language_model", 14.5, 1),
        ("nonpad", "mean", 12.9 / 10, 10),
        ("lengths", "counted", 13.8 / 11, 11),
        ("lengths", "positions", 0.92, 15),
        ("lengths", "max_length", 0.92, 15),
        ("lengths", "max_length_7", 13.8 / 21, 21),
        ("lengths", "timesteps", 2.76, 5),
        ("lengths", "timesteps_less_one", 3.45, 4),
        ("lengths", "with_first_labels", 13.8 / 14, 14),
        ("lengths", "without_stops", 1.725, 8),
        ("lengths", "timesteps_twice", 13.8 / 55, 55),
        ("lengths", "decoder_length", 13.8 / 11 * (11 / 3 - 1), 33 / 8),
        ("lengths", "sequence_means", 1.42, 3),
        ("lengths", "filled_sequence_means", 1.42, 3),
        ("lengths", "timestep_means", 1.13, 5),
        ("lengths", "timestep_means_sum", 5.65, 1),
        ("lengths", "micro_batch_means", (9.2 / 9 + 4.6 / 2) / 2, 2),
    ],
)
def test_golden_batch_gives_the_numbers_known_by_heart(golden, mask, rule, value, divisor):
    a = analyze(golden, RULES[rule].replace(mask=mask))
    close([a.value, a.divisor], [value, divisor], rtol=1e-12)


def test_golden_batch_at_every_timestep(golden):
    a = analyze(golden)
    assert f"{a.value:.4f}" == "1.2545"
    close(a.batch_loss, LOSS, rtol=1e-12)
    close(a.perplexity, np.exp(LOSS), rtol=1e-12)
    close(a.unpadded_loss, LOSS * a.mask, rtol=1e-12)
    close(a.share, LOSS * a.mask / 13.8, rtol=1e-12)
    assert a.mask.sum(axis=1).tolist() == [5, 4, 2]
    assert repr(a) == "Analysis(1.2545 nats = 13.8000 ÷ 11 timesteps that count)"


def test_golden_batch_by_sequence_and_by_timestep(golden):
    close(analyze(golden, RULES["at"]).value, [6.8 / 5, 2.4 / 4, 4.6 / 2], rtol=1e-12)
    by_timestep = analyze(golden, RULES["ab"]).value
    close(by_timestep, [4.8 / 3, 3.0 / 3, 4.4 / 2, 1.5 / 2, 0.1], rtol=1e-12)
    close(by_timestep.mean(), 1.13, rtol=1e-12)
    assert repr(analyze(golden, RULES["at"])) == (
        "Analysis(sequence_loss: (3,) numbers, divided by timesteps that count of each sequence)"
    )


@pytest.mark.parametrize(
    ("rule", "value", "printed"),
    [("at+ab", 11.35 / 10.5, "1.0810"), ("st+sb", 11.35 / 11, "1.0318"), ("mean", 11.35 / 10.5, "1.0810")],
)
def test_golden_batch_with_fractional_weights(golden_weighted, rule, value, printed):
    a = analyze(golden_weighted, RULES[rule])
    close(a.value, value, rtol=1e-12)
    assert f"{a.value:.4f}" == printed


def test_weights_win_over_lengths_and_the_disagreement_is_kept(golden):
    weights = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    a = analyze(golden.replace(weights=weights))
    assert (a.mask_name, a.divisor) == ("weights", 11.0)
    close(a.value, 13.8 / 11, rtol=1e-12)
    assert np.argwhere(a.disagreement).tolist() == [[0, 4], [1, 4]]
    lengths = analyze(golden.replace(weights=weights), Settings(mask="lengths"))
    assert (lengths.mask_name, lengths.disagreement.tolist()) == ("lengths", a.disagreement.tolist())


def grown(batch, *, columns=0, rows=0, value=0.0):
    """The batch with padded columns and rows of arbitrary logits appended, at weight 0."""
    pad = ((0, rows), (0, columns))
    return batch.replace(
        logits=np.pad(batch.logits, (*pad, (0, 0)), constant_values=value),
        targets=np.pad(batch.targets, pad, constant_values=-100),
        weights=np.pad(batch.weights, pad),
    )


FLAGGED = {"at+ab", "st+sb", "at", "st"}
UNCHANGED_BY_PADDED_COLUMNS = FLAGGED | {
    *("mean", "language_model", "encoder_decoder", "counted", "max_length_7", "with_first_labels", "without_stops"),
    *("decoder_length", "sequence_means", "filled_sequence_means", "timestep_means_sum", "micro_batch_means"),
}
UNCHANGED_BY_PADDED_ROWS = {
    *("at+ab", "st+sb", "ab", "sb", "mean", "language_model", "counted", "timesteps", "timesteps_less_one"),
    *("with_first_labels", "timesteps_twice", "filled_sequence_means", "timestep_means", "timestep_means_sum"),
}
UNCHANGED_BY_SCALED_WEIGHTS = {
    *("mean", "at+ab", "at", "ab", "timesteps_twice", "sequence_means", "filled_sequence_means"),
    *("timestep_means", "timestep_means_sum", "micro_batch_means"),
}
CHANGED_BY_ANOTHER_ORDER = {"micro_batch_means"}


def same(before, after):
    return np.shape(before) == np.shape(after) and np.allclose(before, after, rtol=1e-12, atol=0)


@pytest.mark.parametrize("value", [0.0, 1e4, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rule", RULES)
def test_padded_columns_change_the_rules_that_keep_the_timesteps_alone(golden_weighted, rule, value):
    before = analyze(golden_weighted, RULES[rule])
    after = analyze(grown(golden_weighted, columns=2, value=value), RULES[rule])
    assert same(before.value, after.value) == (rule in UNCHANGED_BY_PADDED_COLUMNS)
    assert same(before.unpadded_loss, after.unpadded_loss[:, :5])
    assert same(before.share, after.share[:, :5])
    own_number = {"ab", "sb", "none"}  # of each timestep, which the others do not touch
    kept = rule in UNCHANGED_BY_PADDED_COLUMNS | own_number
    assert same(before.gradient_norm, after.gradient_norm[:, :5]) == kept
    assert not (after.unpadded_loss[:, 5:].any())
    assert not (after.gradient_norm[:, 5:].any())
    assert not (after.share[:, 5:].any())


@pytest.mark.parametrize("rule", RULES)
def test_padded_rows_change_the_batch_size_and_what_keeps_the_rows(golden_weighted, rule):
    before = analyze(golden_weighted, RULES[rule])
    after = analyze(grown(golden_weighted, rows=2, value=np.nan), RULES[rule])
    assert same(before.value, after.value) == (rule in UNCHANGED_BY_PADDED_ROWS)


@pytest.mark.parametrize("rule", RULES)
def test_scaled_weights_change_what_is_not_divided_by_their_sum(golden_weighted, rule):
    before = analyze(golden_weighted, RULES[rule])
    after = analyze(golden_weighted.replace(weights=golden_weighted.weights * 3), RULES[rule])
    assert same(before.value, after.value) == (rule in UNCHANGED_BY_SCALED_WEIGHTS)
    assert same(before.share, after.share)


@pytest.mark.parametrize("rule", RULES)
def test_permuted_rows_change_the_order_of_the_numbers_alone(golden_weighted, rule):
    order = [2, 0, 1]
    b = golden_weighted
    shuffled = b.replace(logits=b.logits[order], targets=b.targets[order], weights=b.weights[order])
    before, after = analyze(b, RULES[rule]), analyze(shuffled, RULES[rule])
    assert same(np.sort(after.share.ravel()), np.sort(before.share.ravel())) == (rule not in CHANGED_BY_ANOTHER_ORDER)
    if rule in CHANGED_BY_ANOTHER_ORDER:
        assert not same(after.value, before.value)
        return
    expected = before.value[order] if rule in ("at", "st", "none") else before.value
    close(after.value, expected, rtol=1e-12)
    close(after.share, before.share[order], rtol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_shifted_logits_change_nothing(golden_weighted, rule):
    before = analyze(golden_weighted, RULES[rule])
    after = analyze(golden_weighted.replace(logits=golden_weighted.logits + 512.0), RULES[rule])
    close(after.value, before.value, rtol=1e-11)


@pytest.mark.parametrize("mask", ["lengths", "weights", "none"])
def test_a_mask_of_ones_is_no_mask(golden, mask):
    full = golden.replace(lengths=[5, 5, 5], weights=np.ones((3, 5)))
    close(analyze(full, Settings(mask)).value, 14.5 / 15, rtol=1e-12)


def test_the_mean_under_a_mask_is_the_mean_of_the_selected_losses(golden):
    a = analyze(golden)
    close(a.value, a.batch_loss[a.mask].mean(), rtol=1e-12)


def test_an_analysis_shows_its_number_and_its_problems_in_a_notebook(golden):
    html = analyze(golden.replace(targets=np.full((3, 5), 9)))._repr_html_()
    assert "<p><b>Analysis(NaN nats = NaN ÷ 11 timesteps that count)</b></p>" in html
    assert "<p>15 targets are not a class from 0 to 5: 9 (15 times), first at sequence 0, timestep 0." in html
    plain = analyze(golden)._repr_html_()
    assert "<tr><th>sequence</th><th>unmasked</th><th>weight</th><th>unpadded_loss</th><th>mean_loss</th></tr>" in plain
    assert plain.count("<tr>") == 4

"""The misconceptions that the lessons are made of: the right number and the believed one, on their batches."""

import inspect

import numpy as np
import pytest

from lossviz import Settings, analyze, apply_edits, diagnose, sequence_loss
from lossviz.edits import Edit
from lossviz.errors import SettingsError
from lossviz.lessons import STEPS, analysis_of, batch_named
from lossviz.theatre import act_numbered, read
from tests.lessons.lesson_oracle import CAST, SHIFTED
from tests.lessons.lesson_oracle import G as GOLDEN_LOSS
from tests.lessons.lesson_oracle import M as GOLDEN_MASK
from tests.loops import held, run

G, P = batch_named("golden"), batch_named("padding-mask")


def value(batch, reduction="mean", mask=None, **flags):
    return analyze(batch, Settings(mask, reduction, **flags)).value


def flagged(batch, *names):
    flags = ("average_across_timesteps", "average_across_batch", "sum_over_timesteps", "sum_over_batch")
    return value(batch, "sequence_loss", **{flag: flag in names for flag in flags})


def with_lengths(*lengths):
    return apply_edits(G, [Edit("lengths", (row,), length) for row, length in enumerate(lengths)])


def gradient(reduction):
    return analyze(G, Settings(reduction=reduction)).gradient_norm[0, 0]


golden, wide, trained = analyze(G), batch_named("golden, 10 columns"), batch_named("language-model-trained")
untrained, reviews = batch_named("dates-untrained"), analyze(batch_named("reviews-trained"))
right, means = golden.rank == 1, golden.unpadded_loss.sum(axis=1) / golden.mask.sum(axis=1)
NUMBERS = {
    "M1 a masked timestep is 0": (analyze(P).batch_loss[0, 4], 6),
    "M2 a mean divides by what counts": ([value(G, "positions"), value(G)], [0.92, 1.2545]),
    "M3 S/BT and S/N are alike": ([value(b, "positions") / value(b) for b in (wide, G)], [0.3667, 0.7333]),
    "M4 no mask lowers the number": ([value(trained), value(trained, mask="none")], [1.9858, 2.8889]),
    "M5 over the batch is a token mean": (value(G, "encoder_decoder"), 4.6),
    "M6 above ln V is broken": ([value(untrained, "encoder_decoder"), np.log(115)], [45.0752, 4.7449]),
    "M7 sequence means are the token mean": (value(G, "sequence_means"), 1.42),
    "M9 a padded row's length is its length": (value(with_lengths(5, 5, 5)), 0.9667),
    "M11 sign(ids) is the mask": ([value(G, mask="nonpad"), value(with_lengths(5, 3, 2))], [1.29, 1.33]),
    "M12 labels have the logits' shape": ([G.targets.size, G.logits.size], [15, 90]),
    "M13 logits are probabilities": (analyze(batch_named("four-classes, softmax first")).batch_loss[0, 0], 1.1485),
    "M14 doubling is harmless": (analyze(batch_named("four-classes, doubled")).batch_loss[0, 0], 0.3185),
    "M15 sum or mean is display": (gradient("language_model") / gradient("mean"), 11),
    "M16 across timesteps divides by T": (flagged(G, "average_across_timesteps"), [1.36, 0.6, 2.3]),
    "M16 as believed": (golden.unpadded_loss.mean(axis=1), [1.36, 0.48, 0.92]),
    "M17 across the batch divides by B": (flagged(G, "average_across_batch")[2], 2.2),
    "M17 as believed": (golden.unpadded_loss[:, 2].mean(), 1.4667),
    "M21 the stop is padding": (value(batch_named("golden, lengths less one")), 1.575),
    "M25 micro-batch means": (value(G, "micro_batch_means", accumulation_steps=2), 1.6611),
    "M26 perplexities are averaged": (
        [np.exp(value(G)), np.exp(means).mean(), np.exp(golden.batch_loss[golden.mask]).mean()],
        [3.5062, 5.2308, 9.7752],
    ),
    "M27 accuracy needs no mask": ([right[golden.mask].mean(), right.mean()], [0.8182, 0.8667]),
    "M30 padding cannot change a mean": ([value(wide, "positions"), value(G, "positions")], [0.46, 0.92]),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_misconception_has_the_numbers_of_the_specification(name):
    found, said = NUMBERS[name]
    np.testing.assert_allclose(found, said, atol=5.1e-5)


def test_sums_and_averages_of_different_axes_are_refused():
    """M18: TensorFlow Addons ignores one of them without a word."""
    with pytest.raises(SettingsError, match="ambiguous order"):
        flagged(G, "average_across_timesteps", "sum_over_batch")


def test_fourth_argument_of_sequence_loss_is_a_flag():
    """M19: a vocabulary size that is passed by position would be taken for it."""
    assert list(inspect.signature(sequence_loss).parameters)[3] == "average_across_timesteps"


def test_last_output_of_a_bidirectional_reader_has_seen_one_word_backwards():
    """M22: at the last of four words, the forward half has read all four and the backward half one."""
    real = reviews.real_timesteps[0]
    assert (int(real[:4].sum()), int(real[3:].sum())) == (4, 1)


def result(step, batch, library="TensorFlow"):
    """What the code of a step leaves in a library."""
    return run(STEPS[step].program.code(library), library, held(batch))[STEPS[step].program.result]


def test_sequence_mask_of_a_mask_reads_each_entry_as_a_length():
    """M8: the mask of 2 sequences becomes a mask of 2 × 5 of them, one wide; lengths give [2, 5]."""
    mask = np.array([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]])
    assert (mask[..., None] > np.arange(mask.max())).shape == (2, 5, 1)
    assert tuple(STEPS["2.5"].asks[0].answer(analysis_of(STEPS["2.5"].screen))) == (2, 5, 1)
    assert (mask.sum(axis=1)[:, None] > np.arange(5)).tolist() == mask.astype(bool).tolist()


def test_sequence_mask_is_as_wide_as_the_longest_length_not_as_the_logits():
    """M10: lengths 3, 4 and 2 give 4 columns, and the logits have 6."""
    batch = batch_named("lengths-3-4-2, 6 columns")
    assert (batch.lengths.tolist(), batch.logits.shape[1]) == ([3, 4, 2], 6)
    assert (np.arange(batch.lengths.max()) < batch.lengths[:, None]).shape == (3, 4)
    assert tuple(STEPS["2.4"].asks[0].answer(analysis_of(STEPS["2.4"].screen))) == (3, 4)


def test_targets_that_are_the_inputs_are_named_by_the_doctor():
    """M20: a loss near zero after a few steps is a model that copies what it reads."""
    np.testing.assert_array_equal(SHIFTED["targets"], SHIFTED["inputs"])
    assert [found.code for found in diagnose(batch_named("not shifted")).findings] == ["SHF01"]
    assert STEPS["5.8"].asks[0].answer(analysis_of(STEPS["5.8"].screen)) == "The targets are not shifted"


def test_nan_times_zero_is_nan_and_where_on_the_loss_keeps_it_in_the_gradient():
    """M23, M24: a weight of 0 does not remove NaN; `where` after the loss mends the sum, and not the gradient."""
    losses, mask = np.array([1, 2, np.nan]), np.array([1, 1, 0])
    assert np.isnan((losses * mask).sum())
    assert np.where(mask == 1, losses, 0).sum() == 3
    batch = batch_named("nan in padding")
    for library in ("TensorFlow", "PyTorch"):
        assert np.isnan(np.asarray(result("5.1", batch, library)))
        assert np.isnan(np.asarray(result("5.2", batch, library)))


def test_boolean_mask_cuts_losses_to_whole_numbers_in_this_tensorflow():
    """M28: `loss * mask` of a boolean mask is boolean in TensorFlow 2.21: cast, it counts the losses of 1 and more."""
    import tensorflow as tf

    losses, mask = tf.constant(GOLDEN_LOSS, tf.float32), tf.constant(GOLDEN_MASK, tf.bool)
    found = float(tf.reduce_sum(tf.cast(losses * mask, tf.float32)))
    assert (found, CAST, round(float((GOLDEN_LOSS * GOLDEN_MASK).sum()), 4)) == (4.0, 4.0, 13.8)


def test_unmasked_padding_harms_the_number_and_not_the_model():
    """M29: a network learns to ignore padding: nearly true of the model, false of the number; as it was recorded."""
    verdict = read(act_numbered(2).settings[0]).verdict()
    assert (verdict.lies, verdict.harmed) == (True, False)
    assert verdict.printed < 0.95 * verdict.true
    assert abs(verdict.harm) < 0.1

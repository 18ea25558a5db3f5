"""The blanks of `calculate_loss`: 81 + 18 + 36 combinations, each a number or a sentence; single ones in float64."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from lossviz.lessons import FUNCTIONS, STEPS, analysis_of, batch_named, check, options, run
from tests.lessons.lesson_oracle import ALL, D1, D1F, D1M, GOLDEN, REVIEWS, G, M, R, S, losses, sigmoid_losses

STEP = {"language_model": "3.9", "encoder_decoder": "3.10", "classification": "3.11"}
z, y = np.array([2, -1, 0.5]), np.array([1, 1, 0])
p = np.exp(GOLDEN["logits"]) / np.exp(GOLDEN["logits"]).sum(-1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-z))
NUMBERS: dict[str, dict[tuple[int, ...], Any]] = {  # by function and combination; a text is a part of the refusal
    "language_model": {
        (0, 0, 0, 0): S,
        (1, 0, 0, 0): (losses(p, GOLDEN["targets"]) * M).sum(),
        (2, 0, 0, 0): "label value of 5 which is outside the valid range of [0, 5)",
        (0, 1, 0, 0): "logits_size=[15,6] labels_size=[3,5]",
        (0, 2, 0, 0): (losses(GOLDEN["logits"], M.astype(int)) * M).sum(),
        (0, 0, 1, 0): "of bool is not in the list of allowed values",
        (0, 0, 2, 0): ALL - S,
        (0, 0, 0, 1): S / 15,
        (0, 0, 0, 2): S / 3,
    },
    "encoder_decoder": {
        (0, 0, 0): S / 3,
        (1, 0, 0): (G * (GOLDEN["targets"] != 0)).sum() / 3,
        (2, 0, 0): "[3,5] vs. [3,5,5]",
        (0, 0, 1): S / 15,
        (0, 0, 2): S / M.sum(),
    },
    "classification": {
        (0, 0, 0, 0): sigmoid_losses(z, y).sum(),
        (1, 0, 0, 0): sigmoid_losses([2, 0.1, 0.1], y).sum(),
        (2, 0, 0, 0): "[0, 4] does not index into param shape [3,4]",
        (0, 1, 0, 0): "expected to be a float tensor but is a int32 tensor",
        (0, 0, 1, 0): sigmoid_losses(SIGMOID, y).sum(),
        (0, 0, 2, 0): 0.0,
        (0, 0, 0, 1): sigmoid_losses(z, y).mean(),
    },
}


def batch_of(name):
    return batch_named(STEPS[STEP[name]].screen.batch)


@pytest.mark.parametrize(("name", "count"), [("language_model", 81), ("encoder_decoder", 18), ("classification", 36)])
def test_every_combination_gives_a_number_or_a_sentence(name, count):
    function = FUNCTIONS[name]
    choices = list(product(*(range(len(blank.lines)) for blank in function.blanks)))
    outcomes = [run(function, choice, batch_of(name)) for choice in choices]
    assert len(outcomes) == count
    for outcome in outcomes:
        assert (outcome.value is None) == bool(outcome.refusal)
        assert outcome.value is not None or (
            5 < len(outcome.refusal) <= 200 and "\n" not in outcome.refusal and "Traceback" not in outcome.refusal
        )


@pytest.mark.parametrize("name", NUMBERS)
def test_single_wrong_lines_give_what_they_should(name):
    for choice, wanted in NUMBERS[name].items():
        outcome = run(FUNCTIONS[name], choice, batch_of(name))
        if isinstance(wanted, str):
            assert wanted in outcome.refusal, choice
        else:
            np.testing.assert_allclose(outcome.value, wanted, rtol=2e-6, atol=1e-6, err_msg=str(choice))
    step = STEPS[STEP[name]]
    np.testing.assert_allclose(analysis_of(step.screen).value, NUMBERS[name][FUNCTIONS[name].right], rtol=1e-6)


def test_lines_on_the_recorded_samples_give_what_the_hints_say():
    dates, reviews = batch_named("dates-half-trained"), batch_named("reviews-trained")
    for function, choice, batch, wanted in (
        ("encoder_decoder", (0, 0, 0), dates, (D1 * D1M).sum() / 8),
        ("encoder_decoder", (0, 1, 0), dates, (losses(D1F["logits"], D1F["inputs"]) * D1M).sum() / 8),
        ("classification", (0, 0, 0, 0), reviews, sum(R[b, end - 1] for b, end in enumerate(REVIEWS["lengths"]))),
        ("classification", (1, 0, 0, 0), reviews, R[:, -1].sum()),
    ):  # fmt: skip
        np.testing.assert_allclose(run(FUNCTIONS[function], choice, batch).value, wanted, rtol=1e-5)
    assert "[6, 15] does not index" in run(FUNCTIONS["classification"], (2, 0, 0, 0), reviews).refusal


@pytest.mark.parametrize("name", STEP)
def test_each_wrong_line_has_its_own_hint_behind_its_outcome(name):
    step = STEPS[STEP[name]]
    [ask], analysis = step.asks, analysis_of(step.screen)
    assert check(ask, analysis, ask.answer(analysis)).right
    hints = [wrong.hint for wrong in ask.wrong]
    assert len(set(hints)) == len(hints) > 0
    for wrong in ask.wrong:
        verdict = check(ask, analysis, wrong.value(analysis))
        assert verdict.hint.endswith(wrong.hint)
        assert verdict.hint.startswith(("It prints ", "TensorFlow refuses it: "))
    for text in ("", "0", "0 0", "9 9 9 9", "0 0 0 0 0", "a b c d", "__import__('os')", "٠ 0 0 0"):
        assert (check(ask, analysis, text).right, check(ask, analysis, text).counts) == (False, False)
    assert f"{analysis.value:.4g}"[:3] in " ".join(options(ask, analysis))


def test_function_is_written_with_the_lines_that_are_picked():
    code = FUNCTIONS["encoder_decoder"].code((0, None, 1))
    assert code.splitlines() == [
        "def calculate_loss(logits, dec_seq_lens, final_tokens, ground_truth, batch_size):",
        "    binary_sequences = tf.sequence_mask(dec_seq_lens, max_length, tf.float32)",
        "    decoder_outputs = ……",
        "    return tf.reduce_mean(losses * binary_sequences)",
    ]

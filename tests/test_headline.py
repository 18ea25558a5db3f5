"""The number in words: its unit, its perplexity where it has one, its equation."""

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze
from lossviz.headline import headline, reading_words
from tests.golden import FRACTIONAL, golden_batch, golden_logits
from tests.strategies import BY_NAME

PER_TIMESTEP = {"mean", "counted"}
UNITS = {
    "encoder_decoder": "nats per sequence",
    "positions": "nats per position",
    "positions_with_start": "nats per position",
} | dict.fromkeys(
    ("sequence_means", "filled_sequence_means", "timestep_means", "micro_batch_means"), "nats (mean of means)"
)


@pytest.mark.parametrize("name", BY_NAME)
def test_headline_calls_a_number_what_it_is(name):
    """Only a mean over timesteps is in nats per timestep, and only its exp is a perplexity."""
    analysis = analyze(golden_batch(), BY_NAME[name])
    top = headline(analysis)
    assert top.unit == ("nats per timestep" if name in PER_TIMESTEP else UNITS.get(name, "nats"))
    assert top.perplexity == (f"{np.exp(analysis.value):.4f}" if name in PER_TIMESTEP else "")
    assert (top.value, top.divisor_counts) == (f"{analysis.value:.4f}", analysis.divisor_counts)


def test_headline_equation_of_a_mean_of_means_says_what_is_added_up():
    weights = np.array([[1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    loss = np.full((3, 5), np.log(2))
    analysis = analyze(golden_batch(logits=golden_logits(loss=loss), weights=weights), Settings(reduction="timesteps"))
    assert headline(analysis).divisor == "5"
    means = analysis.with_settings(Settings(reduction="sequence_means"))
    assert headline(means).equation == f"{means.numerator!r} (the sequences' means) ÷ 3 = {means.value!r}"
    np.testing.assert_allclose(means.value, 2 / 3 * np.log(2), rtol=1e-12)


def test_headline_of_several_numbers_has_no_perplexity():
    settings = Settings(reduction="sequence_loss", average_across_batch=False)
    top = headline(analyze(golden_batch(weights=FRACTIONAL), settings))
    assert (top.value, top.unit, top.divisor, top.perplexity) == ("3 numbers", "nats", "one each", "")
    assert top.equation == "Each is divided by the sum of the weights of each sequence."


CLASSIFIER = {"logits": np.zeros((2, 4, 1)), "targets": np.ones((2, 4), int), "lengths": [3, 0]}


def test_headline_of_a_classifier_calls_only_padding_padding():
    """Of 8 timesteps 3 are real and one of them is read."""
    top = headline(analyze(Batch.from_arrays(**CLASSIFIER), Settings(reduction="classification")))
    assert (top.counting, top.cells, top.padding) == ("1", "8", "62 %")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (
            (0, 2),
            (
                "The sequence is read here. Of a bidirectional LSTM, the forward half has seen all 3 timesteps, "
                "the backward half only one, the last."
            ),
        ),
        (
            (0, 0),
            (
                "Not read: the sequence is read at timestep 2. Of a bidirectional LSTM, the forward half has seen 1 "
                "timestep, the backward half the last 3."
            ),
        ),
        ((0, 3), "Padding: neither half of a bidirectional LSTM reads it. The sequence is read at timestep 2."),
        ((1, 0), "No timestep of this sequence is read."),
    ],
)
def test_reading_words_say_what_each_half_has_seen(cell, words):
    analysis = analyze(Batch.from_arrays(**CLASSIFIER), Settings(reduction="classification"))
    assert reading_words(analysis, *cell) == words


def test_reading_words_are_of_classifiers_only():
    assert reading_words(analyze(golden_batch()), 0, 0) == ""

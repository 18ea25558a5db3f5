"""Labels that are aligned with the logits: encoder-decoders, taggers."""

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import causal, cross_entropy, mean


def aligned() -> dict[str, np.ndarray]:
    fields = causal()
    return {
        "logits": fields["logits"][:, :-1],
        "labels": fields["labels"][:, 1:],
        "input_ids": np.ones((4, 7), int),
        "attention_mask": np.ones((4, 7), int),
        "decoder_input_ids": fields["input_ids"][:, :-1],
    }


def test_encoder_decoder_leaves_the_labels_and_takes_the_inputs_of_the_decoder() -> None:
    fields = aligned()
    reading = interpret(fields)
    assert reading.sentence == (
        "read as Hugging Face with aligned labels: labels are aligned with the logits; −100 is ignored; attention_mask "
        "is of the inputs and weighs nothing"
    )
    assert np.array_equal(reading.arguments["inputs"], fields["decoder_input_ids"])
    expected = mean(cross_entropy(fields["logits"], fields["labels"]), fields["labels"] != -100)
    assert float(analyze(load(fields)).value) == pytest.approx(expected, abs=1e-6)


def test_encoder_decoder_is_told_from_a_causal_model_by_the_logits_alone() -> None:
    fields = aligned()
    del fields["decoder_input_ids"], fields["input_ids"], fields["attention_mask"]
    assert interpret(fields).layout == "encoder-decoder"


def test_encoder_decoder_inputs_of_another_width_are_left_out() -> None:
    fields = aligned()
    del fields["decoder_input_ids"]
    assert "inputs" not in interpret(fields).arguments

"""llama.cpp's completion_probabilities: log-probabilities, and probabilities after the sampler, which is said."""

import numpy as np
import pytest

from lossviz import load
from lossviz.errors import InputError
from lossviz.layouts import interpret

PLAIN = {
    "content": " a b",
    "generation_settings": {"temperature": 0.8},
    "completion_probabilities": [
        {
            "id": 264,
            "token": " a",
            "bytes": [32, 97],
            "logprob": -0.5,
            "top_logprobs": [
                {"id": 264, "token": " a", "bytes": [32, 97], "logprob": -0.5},
                {"id": 271, "token": " the", "bytes": [], "logprob": -1.5},
            ],
        },
        {"id": 293, "token": " b", "bytes": [32, 98], "logprob": -0.25, "top_logprobs": []},
    ],
}


def test_generated_tokens_are_a_sequence() -> None:
    batch = load(PLAIN)
    assert (batch.losses.tolist(), batch.vocabulary) == ([[0.5, 0.25]], (" a", " the", " b"))
    np.testing.assert_allclose(batch.top_probabilities, [[np.exp([-0.5, -1.5]), [np.nan, np.nan]]])
    assert not any("renormalised" in text for text in batch.assumptions)


def test_probabilities_after_the_sampler_are_their_logarithms_and_it_is_said() -> None:
    """A probability of 0 costs infinitely much."""
    entries = [
        {"id": 1, "token": "a", "prob": 0.5, "top_probs": [{"id": 2, "token": "b", "prob": 0.5}]},
        {"id": 2, "token": "b", "prob": 0.0, "top_probs": []},
    ]
    batch = load({"completion_probabilities": entries})
    np.testing.assert_array_equal(batch.losses, [[-np.log(0.5), np.inf]])
    assert "post_sampling_probs: they are renormalised over what the sampler kept" in batch.assumptions


def test_a_probability_above_1_is_refused() -> None:
    with pytest.raises(InputError) as error:
        interpret({"completion_probabilities": [{"id": 1, "token": "a", "prob": 1.5, "top_probs": []}]})
    assert str(error.value) == "`completion_probabilities[].prob` must be from 0 to 1; got 1.5."

"""Chat log-probabilities: what the server generated, tokens apart by their bytes, malformed entries."""

from typing import Any

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.errors import InputError
from lossviz.layouts import interpret


def entry(token: str, value: float | None, *top: tuple[str, float], spelled: list[int] | None = None) -> dict[str, Any]:
    listed = [{"token": word, "logprob": each, "bytes": None} for word, each in top]
    return {"token": token, "logprob": value, "bytes": spelled, "top_logprobs": listed}


def chat(*contents: list[Any]) -> dict[str, Any]:
    return {"choices": [{"message": {"content": ""}, "logprobs": {"content": content}} for content in contents]}


def test_each_choice_is_a_sequence_of_what_was_generated() -> None:
    """0.5 + 2 and 0.25, over three tokens; ranks are known where the token is among the likeliest."""
    fields = chat([entry("Hi", -0.5, ("Hi", -0.5), ("Yo", -1.0)), entry("!", -2.0, (".", -0.25))], [entry("No", -0.25)])
    batch = load(fields)
    np.testing.assert_array_equal(batch.losses, [[0.5, 2.0], [0.25, np.nan]])
    np.testing.assert_array_equal(batch.rank, [[1, np.nan], [np.nan, np.nan]])
    assert (batch.vocabulary, batch.lengths.tolist()) == (("<pad>", "Hi", "Yo", "!", ".", "No"), [2, 1])
    assert analyze(batch).value == 2.75 / 3
    assert analyze(batch).explain(0, 1).classes[0].class_id == 4
    assert batch.assumptions == (
        "choices[].logprobs.content holds the log-probabilities of 3 tokens",
        "the vocabulary is made of the 5 tokens in the file",
    )


def test_halves_of_a_character_are_two_tokens_of_one_text() -> None:
    content = [
        entry("\ufffd", -1.0, spelled=[226]),
        entry("\ufffd", -0.5, spelled=[153]),
        entry("\ufffd", -0.5, spelled=[226]),
    ]
    batch = load(chat(content))
    assert batch.targets.tolist() == [[0, 1, 0]]
    assert batch.vocabulary == ("\ufffd", "\ufffd (1)")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            [{"token": "a"}],
            "`choices[0].logprobs.content[0]` must be an object with `token` and `logprob`; got {'token': 'a'}.",
        ),
        (
            [entry("a", 0.5)],
            "`choices[0].logprobs.content[0].logprob` must be a log-probability, 0 or less, or null; got 0.5.",
        ),
    ],
    ids=["no logprob", "above 0"],
)
def test_malformed_entries_are_refused_with_their_place(content: list[Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        interpret(chat(content))
    assert str(error.value) == message


def test_a_chat_without_log_probabilities_says_what_to_ask_for() -> None:
    with pytest.raises(InputError, match=r"Ask the server for them with `logprobs=True`\.$"):
        load({"choices": [{"message": {"content": "Hi"}, "logprobs": None}]})


def test_a_chat_that_holds_only_those_of_its_prompt_is_read() -> None:
    prompt = [None, {"7": {"logprob": -1.5, "rank": 1, "decoded_token": "Hi"}}]
    fields = {"choices": [{"message": {"content": "Yo"}, "logprobs": None}], "prompt_logprobs": prompt}
    assert analyze(load(fields)).value == 1.5

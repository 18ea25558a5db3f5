"""Gemini: what the model wrote, by either spelling of the names, whole, streamed, in batches, or by itself."""

import json
import re
from typing import Any

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.errors import InputError
from lossviz.layouts import interpret


def token(text: str, log_prob: float, number: int | None = None) -> dict[str, Any]:
    return {"token": text, "logProbability": log_prob, **({} if number is None else {"tokenId": number})}


CHOSEN = [token("Hi", -0.5, 2151), token(" you", -2.0, 692)]
TOP = [
    {"candidates": [token("Hi", -0.5, 2151), token("Yo", -1.5, 40)]},
    {"candidates": [token(" all", -0.25, 832)]},
]
RESULT = {"chosenCandidates": CHOSEN, "topCandidates": TOP}


def answer(*results: Any, **more: Any) -> dict[str, Any]:
    """A response with a candidate for each result; protocol buffers leave the index 0 out."""
    candidates = [
        {
            "content": {"parts": [{"text": "Hi"}], "role": "model"},
            "avgLogprobs": -1.25,
            **({"logprobsResult": result} if result else {}),
            **({"index": index} if index else {}),
            "finishReason": "STOP",
        }
        for index, result in enumerate(results)
    ]
    return {"candidates": candidates, "usageMetadata": {"totalTokenCount": 9}, "modelVersion": "gemini", **more}


def in_snake_case(value: Any) -> Any:
    if isinstance(value, dict):
        return {re.sub("[A-Z]", lambda a: "_" + a[0].lower(), key): in_snake_case(one) for key, one in value.items()}
    return [in_snake_case(one) for one in value] if isinstance(value, list) else value


def test_each_candidate_is_a_sequence_of_what_was_written() -> None:
    """0.5 + 2 and 0.25, over three tokens; ranks are known where the token is among the likeliest."""
    batch = load(answer(RESULT, {"chosenCandidates": [token("No", -0.25, 7)], "logProbabilitySum": -0.25}))
    np.testing.assert_array_equal(batch.losses, [[0.5, 2.0], [0.25, np.nan]])
    np.testing.assert_array_equal(batch.rank, [[1, np.nan], [np.nan, np.nan]])
    assert batch.vocabulary == ("<pad>", "Hi", "Yo", " you", " all", "No")
    assert batch.lengths.tolist() == [2, 1]
    assert analyze(batch).value == 2.75 / 3
    assert batch.assumptions == (
        "candidates[].logprobsResult holds the log-probabilities of 3 tokens",
        "the vocabulary is made of the 5 tokens in the file",
    )


PIECES = [
    {"candidates": [{"logprobsResult": {"chosenCandidates": CHOSEN[:1], "topCandidates": TOP[:1]}}]},
    {"candidates": [{"logprobsResult": {"chosenCandidates": CHOSEN[1:], "topCandidates": TOP[1:]}}]},
    {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]},
    {"usageMetadata": {"totalTokenCount": 9}},
]
SHAPES: dict[str, Any] = {
    "snake case": in_snake_case(answer(RESULT)),
    "no reason to end": [{"candidates": [{"logprobsResult": RESULT}]}],
    "a stream": PIECES,
    "a stream in snake case, with nothing said as null": [
        {"candidates": [{"finish_reason": None, "index": 0, **one}]}
        for piece in PIECES[:3]
        for one in in_snake_case(piece["candidates"])
    ],
    "Vertex's batch output": [{"status": "", "request": {"contents": []}, "response": answer(RESULT)}],
    "the result": {"logprobsResult": RESULT},
    "what stands in it": in_snake_case(RESULT),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_one_answer_is_read_in_every_shape_in_which_it_is_kept(tmp_path, name: str, ending: str) -> None:
    held, path = SHAPES[name], tmp_path / f"answer.{ending}"
    lines = held if isinstance(held, list) else [held]
    path.write_text("\n".join(map(json.dumps, lines)) if ending == "jsonl" else json.dumps(held))
    batch = load(path)
    assert batch.losses.tolist() == [[0.5, 2.0]]
    assert batch.vocabulary == ("Hi", "Yo", " you", " all")


def test_several_answers_are_so_many_sequences(tmp_path) -> None:
    one, two = (answer({"chosenCandidates": [entry]}) for entry in CHOSEN)
    whole, bare = tmp_path / "answers.jsonl", tmp_path / "bare.jsonl"
    whole.write_text("\n".join(map(json.dumps, (one, two))))
    bare.write_text(
        "\n".join(json.dumps({"candidates": [{"logprobsResult": {"chosenCandidates": [e]}}]}) for e in CHOSEN)
    )
    assert load(whole).losses.tolist() == [[0.5], [2.0]]
    assert load(bare).losses.tolist() == [[0.5], [2.0]]  # no piece ends an answer, so each is one


def test_two_ids_of_one_text_are_two_tokens() -> None:
    batch = load(answer({"chosenCandidates": [token("a", -1.0, 5), token("a", -1.0, 6), token("a", -1.0, 5)]}))
    assert (batch.targets.tolist(), batch.vocabulary) == ([[0, 1, 0]], ("a", "a (6)"))


WHERE = "`candidates[].logprobsResult"
MALFORMED: dict[str, tuple[Any, str]] = {
    "none": (None, "Gemini's answer holds no log-probabilities. Ask for them with `responseLogprobs: true`."),
    "top only": (
        {"topCandidates": TOP},
        f"{WHERE}` has `topCandidates` without `chosenCandidates`: which token came is not told. Save both lists.",
    ),
    "cut": (
        {"chosenCandidates": CHOSEN, "topCandidates": TOP[:1]},
        f"{WHERE}.topCandidates` must have one list for each of the 2 tokens; got 1. Save the response whole.",
    ),
    "no number": (
        {"chosenCandidates": [{"token": "a"}]},
        f"{WHERE}.chosenCandidates[0]` must be an object with `token` and `logProbability`; got {{'token': 'a'}}.",
    ),
    "no text": (
        {"chosenCandidates": [{"logProbability": -1.0}]},
        f"{WHERE}.chosenCandidates[0].token` must be a text; got None.",
    ),
    "above 0": (
        {"chosenCandidates": [token("a", 0.5)]},
        f"{WHERE}.chosenCandidates[0].logProbability` must be a log-probability, 0 or less, or null; got 0.5.",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_answers_are_refused_with_what_to_do(name: str) -> None:
    result, message = MALFORMED[name]
    with pytest.raises(InputError) as error:
        interpret(answer(result))
    assert str(error.value) == message

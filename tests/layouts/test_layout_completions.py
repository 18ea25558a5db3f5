"""Completions with `echo`: tokens as text, null first, what is too unlikely to be listed, several responses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossviz import analyze, diagnose, load
from lossviz.errors import InputError
from lossviz.layouts import interpret, read

NAN = float("nan")
TOKENS = ["The", " cat", " sat", " cat"]
LOG_PROBS = [None, -1.5, -0.25, -3.0]
TOP = [None, {" dog": -0.5, " cat": -1.5}, {" sat": -0.25, " ran": -2.0}, {" on": -0.125, " down": -2.5}]


def choice(tokens: list[str] = TOKENS, log_probs: list[Any] = LOG_PROBS, top: Any = TOP) -> dict[str, Any]:
    offsets = [len("".join(tokens[:place])) for place in range(len(tokens))]
    return {
        "index": 0,
        "text": "".join(tokens),
        "logprobs": {"tokens": tokens, "token_logprobs": log_probs, "top_logprobs": top, "text_offset": offsets},
    }


def response(*choices: Any, **more: Any) -> dict[str, Any]:
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m", "choices": [*choices], **more}


def test_echo_gives_the_losses_of_the_prompt_and_says_what_was_assumed() -> None:
    reading = interpret(response(choice()))
    assert reading.sentence == (
        "read as OpenAI completions: choices[].logprobs holds the log-probabilities of 4 tokens; the vocabulary is "
        "made of the 7 tokens in the file; first tokens without a log-probability weigh nothing"
    )
    assert [one.flag for one in reading.assumptions] == ["--layout plain", "--layout plain", "--weights none"]
    words = reading.arguments["vocabulary"]
    assert [words[target] for target in reading.arguments["targets"][0]] == TOKENS
    np.testing.assert_array_equal(reading.arguments["rank"], [[NAN, 2, 1, NAN]])
    named = [[words[v] for v in row if v >= 0] for row in reading.arguments["top_classes"][0]]
    assert named == [[], [" dog", " cat"], [" sat", " ran"], [" on", " down"]]


def test_a_file_of_a_server_is_analyzed_without_flags(tmp_path: Path) -> None:
    """Two prompts of unequal lengths: 1.5 + 0.25 + 3 and 0.5, over the four tokens that have a loss."""
    path = tmp_path / "response.json"
    path.write_text(json.dumps(response(choice(), choice([" a", " b"], [None, -0.5], None))))
    batch = load(path)
    assert (batch.shape[:2], batch.declared_mask) == ((2, 4), "weights")
    np.testing.assert_array_equal(batch.losses, [[NAN, 1.5, 0.25, 3], [NAN, 0.5, NAN, NAN]])
    assert analyze(batch).value == 5.25 / 4
    assert [finding.code for finding in diagnose(batch).findings if finding.severity != "info"] == []


@pytest.mark.parametrize("kind", ["lines", "list", "OpenAI batch"])
def test_several_responses_are_so_many_sequences(kind: str, tmp_path: Path) -> None:
    bodies = [response(choice()), response(choice([" a", " b"], [None, -0.5], None))]
    if kind == "OpenAI batch":
        bodies = [
            {"custom_id": str(at), "response": {"status_code": 200, "body": body}} for at, body in enumerate(bodies)
        ]
    path = tmp_path / ("a.json" if kind == "list" else "a.jsonl")
    path.write_text(json.dumps(bodies) if kind == "list" else "\n".join(map(json.dumps, bodies)))
    np.testing.assert_array_equal(load(path).losses, [[NAN, 1.5, 0.25, 3], [NAN, 0.5, NAN, NAN]])


@pytest.mark.parametrize("name", ["token_logprobs", "logprobs"])
def test_tokens_beside_their_log_probabilities_need_no_response(name: str, tmp_path: Path) -> None:
    rows = [{"tokens": TOKENS, name: LOG_PROBS}, {"tokens": [" a", " b"], name: [None, -0.5]}]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    batch = load(path)
    np.testing.assert_array_equal(batch.losses, [[NAN, 1.5, 0.25, 3], [NAN, 0.5, NAN, NAN]])
    path.write_text(json.dumps(rows[0]))
    np.testing.assert_array_equal(load(path).losses, [[NAN, 1.5, 0.25, 3]])
    assert load(path).token(int(load(path).targets[0, 2])) == " sat"


def test_minus_9999_is_not_recorded_and_makes_the_number_nan() -> None:
    batch = load(response(choice(log_probs=[None, -1.5, -9999.0, -3.0], top=None)))
    np.testing.assert_array_equal(batch.losses, [[NAN, 1.5, NAN, 3]])
    [problem] = [problem for problem in analyze(batch).problems if problem.kind == "unrecorded"]
    assert problem.message.endswith("so the number is NaN; the mean over the other 2 is 2.2500.")


def test_first_token_counts_where_it_was_said_so() -> None:
    assert load(response(choice()), weights="none").declared_mask == "lengths"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            {"logprobs_mode": "processed_logprobs"},
            "logprobs_mode is processed_logprobs: they are renormalised after temperature, top-k and top-p",
        ),
        ({"logprobs_mode": "raw_logprobs"}, "logprobs_mode is raw_logprobs: they are the model's own"),
        (
            {"request": {"temperature": 0.7, "top_p": 1}},
            "temperature is 0.7: some servers apply it first, and what they give is then renormalised",
        ),
    ],
)
def test_what_the_file_tells_of_the_server_is_said(more: dict[str, Any], sentence: str) -> None:
    assert sentence in load(response(choice(), **more)).assumptions


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            response(choice(), logprobs_mode="raw_logits"),
            (
                "`logprobs_mode` is raw_logits, so the file holds logits of single tokens and no log-probabilities. "
                "Start the server with `--logprobs-mode raw_logprobs`."
            ),
        ),
        (
            response(choice(log_probs=[None, -1.5])),
            (
                "`choices[0].logprobs` must hold one token for each of its 2 log-probabilities; got 4 tokens and 4 "
                "top_logprobs. Save the response whole."
            ),
        ),
        (
            response(choice(log_probs=[None, 1.5, -0.25, -3.0])),
            "`choices[0].logprobs.token_logprobs[1]` must be a log-probability, 0 or less, or null; got 1.5.",
        ),
        (
            response(choice([], [], [])),
            "`choices[].logprobs` holds no token. Ask the server for log-probabilities, such as with `logprobs=5`.",
        ),
    ],
    ids=["logits", "cut", "a probability", "nothing"],
)
def test_a_response_that_holds_no_log_probabilities_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        interpret(fields)
    assert str(error.value) == message


def test_hostile_tokens_stay_text() -> None:
    batch = load(response(choice(["<script>", "![x](http://a)", "\u202e", "<script>"], LOG_PROBS, None)))
    assert batch.vocabulary == ("<script>", "![x](http://a)", "\u202e")


def test_read_of_a_path_keeps_the_files_name_as_title(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(response(choice())))
    assert read(tmp_path / "a.json").arguments["title"] == "a.json"

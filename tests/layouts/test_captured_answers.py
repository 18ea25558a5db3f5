"""Answers of servers in the shapes in which people post them, other numbers: read from a file, with the right mean.

llama.cpp#4714 and #10783, vllm#2043, #2918 and #10607, text-generation-inference#1069, OpenAI's references.
"""

import json
from typing import Any

import numpy as np
import pytest

from lossviz import analyze, diagnose, load


def entry(text: str, log_prob: float) -> dict[str, Any]:
    return {"token": text, "logprob": log_prob, "bytes": [*text.encode()], "top_logprobs": []}


CONTENT = [entry("H", -0.5), entry("i", -1.5)]
IDS = {"id": "chatcmpl-9", "created": 1, "model": "m", "system_fingerprint": "b4501"}
ONE: dict[str, tuple[Any, float]] = {
    "llama.cpp before December 2024": (
        {
            "content": " to be",
            "generation_settings": {"n_probs": 2, "temperature": 0.8},
            "completion_probabilities": [
                {"content": " to", "probs": [{"prob": 0.5, "tok_str": " to"}, {"prob": 0.25, "tok_str": " x"}]},
                {"content": " be", "probs": [{"prob": 0.6, "tok_str": " go"}, {"prob": 0.125, "tok_str": " be"}]},
            ],
        },
        2 * np.log(2),
    ),
    "vLLM before 0.4": (
        {"text": ["x"], "prompt_logprobs": [None, {"15043": -7.5, "917": -2.5}, {"29892": -1.5}]},
        4.5,
    ),
    "vLLM's chat of 2024": (
        {
            **IDS,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hi"},
                    "logprobs": {
                        "content": None,
                        "text_offset": [0, 1],
                        "token_logprobs": [-0.5, -1.5],
                        "tokens": ["H", "i"],
                        "top_logprobs": [{"H": -0.5}, {"i": -1.5}],
                    },
                }
            ],
        },
        1,
    ),
    "OpenAI's Responses": (
        {
            "id": "resp_1",
            "output": [
                {"type": "reasoning", "summary": []},
                {"type": "message", "content": [{"type": "output_text", "text": "Hi", "logprobs": CONTENT}]},
            ],
        },
        1,
    ),
    "a list of tokens": (CONTENT, 1),
    "certain tokens, rounded": (
        {"choices": [{"logprobs": {"content": [entry("H", 1.2e-7), entry("i", -2.0)]}}]},
        1,
    ),
    "ids beside log-probabilities": ({"token_ids": [5, 6, 7], "logprobs": [-0.5, -1.5, -1.0]}, 1),
    "rows of them": ({"token_ids": [[5, 6, 7], [8, 9]], "logprobs": [[-0.5, -1.5, -1.0], [-1.0, -1.0]]}, 1),
    "verl's rollouts": (
        {
            "responses": [[5, 6, 7], [8, 9, 0]],
            "response_mask": [[1, 1, 1], [1, 1, 0]],
            "old_log_probs": [[-0.5, -1.5, -1.0], [-1.0, -1.0, -9.0]],
        },
        1,
    ),
}


def check(path: Any, mean: float) -> None:
    batch = load(path)
    assert float(analyze(batch).value) == pytest.approx(mean, rel=1e-6)
    assert [f.code for f in diagnose(batch).findings if f.severity != "info"] == []


@pytest.mark.parametrize("name", ONE)
def test_captured_answer_is_read(tmp_path, name: str) -> None:
    answer, mean = ONE[name]
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    check(tmp_path / "answer.json", mean)


@pytest.mark.parametrize("kind", ["chat", "completions"])
def test_captured_stream_is_one_sequence_a_choice(tmp_path, kind: str) -> None:
    """Lines with one id are pieces of one answer, those with several are answers of their own."""
    pieces = []
    for one in CONTENT:
        listed = {
            "tokens": [one["token"]],
            "token_logprobs": [one["logprob"]],
            "top_logprobs": None,
            "text_offset": [0],
        }
        logprobs = {"content": [one]} if kind == "chat" else listed
        pieces.append({**IDS, "choices": [{"index": 0, "logprobs": logprobs, "finish_reason": None}]})
    path = tmp_path / "stream.jsonl"
    path.write_text("\n".join(map(json.dumps, [*pieces, {**IDS, "choices": [{"index": 0, "logprobs": None}]}])))
    check(path, 1)
    assert load(path).losses.tolist() == [[0.5, 1.5]]
    path.write_text("\n".join(json.dumps({**piece, "id": str(at)}) for at, piece in enumerate(pieces)))
    assert load(path).losses.tolist() == [[0.5], [1.5]]


def test_captured_rollouts_of_unequal_lengths_are_padded(tmp_path) -> None:
    lines = [
        {"prompt_ids": [1, 2], "completion_ids": [5, 6, 7], "completion_logprobs": [-0.5, -1.5, -1.0]},
        {"prompt_ids": [1], "completion_ids": [8, 9], "completion_logprobs": [-1.0, -1.0]},
    ]
    (tmp_path / "rollouts.jsonl").write_text("\n".join(map(json.dumps, lines)))
    check(tmp_path / "rollouts.jsonl", 1)

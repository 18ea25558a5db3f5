"""Text Generation Inference: the tokens of the prompt, then those that were generated."""

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.errors import InputError
from lossviz.layouts import interpret


def token(number: int, text: str, log_prob: float | None) -> dict[str, object]:
    return {"id": number, "text": text, "logprob": log_prob, "special": False}


DETAILS = {
    "finish_reason": "length",
    "generated_tokens": 1,
    "seed": None,
    "prefill": [token(1, "<s>", None), token(5, "Deep", -3.0), token(6, " L", -1.0)],
    "tokens": [token(1317, " Is", -1.0)],
    "top_tokens": [[token(1317, " Is", -1.0), token(3, " No", -2.0)]],
}
ANSWER = {"generated_text": " Is", "details": DETAILS}


def test_prompt_and_generated_tokens_are_a_sequence() -> None:
    batch = load(ANSWER)
    np.testing.assert_array_equal(batch.losses, [[np.nan, 3, 1, 1]])
    assert batch.vocabulary == ("<s>", "Deep", " L", " Is", " No")
    assert batch.rank[0, 3] == 1
    assert float(analyze(batch).value) == pytest.approx(5 / 3)
    assert batch.assumptions[-1] == "first tokens without a log-probability weigh nothing"


def test_generated_tokens_alone_are_read() -> None:
    batch = load({"generated_text": " Is", "details": {**DETAILS, "prefill": []}})
    assert (batch.losses.tolist(), batch.assumptions[0]) == ([[1.0]], "details holds the log-probabilities of 1 tokens")


def test_several_answers_are_rows() -> None:
    assert load({"details": [DETAILS, {**DETAILS, "prefill": []}]}).shape[:2] == (2, 4)


def test_answer_without_tokens_is_no_such_layout() -> None:
    with pytest.raises(InputError, match=r"^`details\.tokens\[0\]` must be an object with `id`, `text` and `logprob`"):
        interpret({"details": {"tokens": [{"id": 1}]}})
    with pytest.raises(InputError, match=r"^`details\.top_tokens` must have one list for each of the 1 tokens; got 2"):
        interpret({"details": {**DETAILS, "top_tokens": [None, None]}})

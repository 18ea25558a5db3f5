"""Answers of servers, damaged at random: an answer is a batch or one sentence, never another error."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lossviz import load
from lossviz.errors import LossvizError
from lossviz.formats import contents
from lossviz.layouts import batch_of, interpret
from tests.layouts.test_layout_chat_logprobs import chat, entry
from tests.layouts.test_layout_completions import choice, response
from tests.layouts.test_layout_gemini import RESULT, answer
from tests.layouts.test_layout_llama_cpp import PLAIN
from tests.layouts.test_layout_prompt_logprobs import PROMPT
from tests.layouts.test_layout_sglang import META

ANSWERS: dict[str, Any] = {
    "completions": response(choice(), choice([" a", " b"], [None, -0.5], None)),
    "chat": chat([entry("Hi", -0.5, ("Hi", -0.5), ("Yo", -1.0))], [entry("No", -0.25)]),
    "llama.cpp": PLAIN,
    "SGLang": {"text": "", "meta_info": META},
    "Gemini": answer(RESULT),
    "vLLM": {"prompt_logprobs": PROMPT, "prompt_token_ids": [1, 6, 9]},
}
WRONG = (None, -1.5, 2.0, "a", [], {}, True, [None], {"a": 1}, float("nan"), -9999.0, 10**30)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*path, key)
        yield from places(value[key], (*path, key))


def is_batch(answer: Any) -> bool:
    """Whether an answer is a batch of losses; one that is none must be refused in one sentence."""
    try:
        batch = batch_of(interpret(contents(json.dumps(answer).encode(), name="a.json")))
    except LossvizError as error:
        if "in a way that lossviz doesn't know" in str(error):
            raise AssertionError(error) from None
        return False
    return batch.losses is not None


@pytest.mark.parametrize("name", ANSWERS)
def test_damaged_answers_are_batches_or_sentences(name: str) -> None:
    every = [*places(ANSWERS[name])]
    read = 0
    for at in every:
        for wrong in WRONG:
            damaged = copy.deepcopy(ANSWERS[name])
            inner = damaged
            for key in at[:-1]:
                inner = inner[key]
            inner[at[-1]] = wrong
            read += is_batch(damaged)
    assert read > len(every) / 4


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_recognised_among_other_fields(name: str) -> None:
    more = {"id": "x", "model": "m", "created": 1, "usage": {"total_tokens": 3}, "tokens": [1, 2], "loss": 0.5}
    batch = load({**more, **ANSWERS[name]})
    assert np.array_equal(batch.losses, load(ANSWERS[name]).losses, equal_nan=True)

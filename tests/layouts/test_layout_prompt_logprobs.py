"""vLLM's prompt_logprobs: which entry is the prompt's own token, its rank, what was guessed."""

from typing import Any

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.errors import InputError
from lossviz.layouts import interpret


def entry(**tokens: tuple[float, int, str]) -> dict[str, Any]:
    """t5=(−0.5, 1, "a"): the id 5, its log-probability, rank and text."""
    return {
        key[1:]: {"logprob": value, "rank": rank, "decoded_token": text} for key, (value, rank, text) in tokens.items()
    }


PROMPT = [None, entry(t5=(-0.5, 1, " a"), t6=(-1.0, 2, " b")), entry(t6=(-0.25, 1, " b"), t9=(-4.0, 17, " z"))]


def test_prompt_ids_say_which_entry_is_the_prompts_own() -> None:
    batch = load({"prompt_logprobs": PROMPT, "prompt_token_ids": [1, 6, 9]})
    np.testing.assert_array_equal(batch.losses, [[np.nan, 1.0, 4.0]])
    np.testing.assert_array_equal(batch.rank, [[np.nan, 2, 17]])
    assert (batch.vocabulary, batch.targets.tolist()) == (("<1>", " b", " a", " z"), [[0, 1, 3]])
    assert analyze(batch).value == 5.0 / 2
    assert not any("without prompt_token_ids" in text for text in batch.assumptions)


def test_without_ids_the_outlier_is_known_and_the_first_entry_is_a_guess_that_is_said() -> None:
    """The entry of rank 17 among two must be the prompt's own; which of ranks 1 and 2 is, can only be guessed."""
    batch = load({"choices": [{"prompt_logprobs": PROMPT, "logprobs": None}]})
    np.testing.assert_array_equal(batch.losses, [[np.nan, 0.5, 4.0]])
    assert batch.assumptions[-1] == (
        "without prompt_token_ids, the first entry is taken for the prompt's own token in 1 of the timesteps"
    )
    alone = load({"prompt_logprobs": [None, entry(t5=(-0.5, 3, " a"))]})
    assert (alone.losses[0, 1], any("without prompt_token_ids" in text for text in alone.assumptions)) == (0.5, False)


def test_several_prompts_of_the_engine_are_so_many_sequences() -> None:
    batch = load({"prompt_logprobs": [PROMPT, PROMPT[:2]], "prompt_token_ids": [np.array([1, 6, 9]), np.array([1, 5])]})
    np.testing.assert_array_equal(batch.losses, [[np.nan, 1.0, 4.0], [np.nan, 0.5, np.nan]])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"prompt_logprobs": PROMPT, "prompt_token_ids": [1, 7, 9]},
            "`prompt_logprobs[1]` has no entry for the prompt's own token 7. Save the response whole.",
        ),
        (
            {"prompt_logprobs": PROMPT, "prompt_token_ids": [1, 6]},
            "`prompt_logprobs` must have one entry for each of the 2 prompt_token_ids; got 3. Save the response whole.",
        ),
        (
            {"prompt_logprobs": [None, {"a": {"logprob": -1}}]},
            "`prompt_logprobs[1]` must map ids to objects with `logprob`; got 'a': {'logprob': -1}.",
        ),
    ],
    ids=["another id", "other ids", "no id"],
)
def test_entries_that_do_not_fit_the_prompt_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        interpret(fields)
    assert str(error.value) == message

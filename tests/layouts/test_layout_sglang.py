"""SGLang: prompt and output in one row, texts or ids, the likeliest tokens, malformed entries."""

import json
from pathlib import Path

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.errors import InputError
from lossviz.layouts import interpret

META = {
    "input_token_logprobs": [[None, 9, "The"], [-1.5, 4, " cat"]],
    "input_top_logprobs": [None, [[-0.25, 7, " dog"], [-1.5, 4, " cat"]]],
    "output_token_logprobs": [[-0.5, 12, " sat"], [-0.125, 4, " cat"]],
}


def test_prompt_and_output_are_one_sequence() -> None:
    batch = load({"text": " sat cat", "meta_info": META})
    np.testing.assert_array_equal(batch.losses, [[np.nan, 1.5, 0.5, 0.125]])
    np.testing.assert_array_equal(batch.rank, [[np.nan, 2, np.nan, np.nan]])
    assert (batch.vocabulary, batch.targets.tolist()) == (("The", " cat", " dog", " sat"), [[0, 1, 3, 1]])
    assert analyze(batch).value == 2.125 / 3


def test_a_batch_of_responses_without_texts_names_tokens_by_id(tmp_path: Path) -> None:
    answers = [
        {"meta_info": {"output_token_logprobs": [[-0.5, 12]]}},
        {"meta_info": {"output_token_logprobs": [[-1, 7]] * 2}},
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(answers))
    batch = load(path)
    np.testing.assert_array_equal(batch.losses, [[0.5, np.nan], [1, 1]])
    assert (batch.vocabulary, batch.lengths.tolist()) == (("<pad>", "<12>", "<7>"), [1, 2])


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (
            {"output_token_logprobs": [[-0.5]]},
            "`meta_info.output_token_logprobs[0]` must be [logprob, id, text]; got [-0.5].",
        ),
        (
            {"output_token_logprobs": [[-0.5, 1, "a"]], "output_top_logprobs": [None, None]},
            (
                "`meta_info.output_top_logprobs` must have one list for each of the 1 tokens; got 2. "
                "Save the response whole."
            ),
        ),
    ],
    ids=["no id", "cut"],
)
def test_malformed_responses_are_refused(meta: dict, message: str) -> None:
    with pytest.raises(InputError) as error:
        interpret({"meta_info": meta})
    assert str(error.value) == message

"""A response of llama.cpp's server: `completion_probabilities[]` with `id`, `token`, `logprob` and `top_logprobs[]`.

The sequence is what the server generated. With `post_sampling_probs` it writes `prob` and `top_probs` instead, the
probabilities after the sampler: they are renormalised, which is said. So did servers before December 2024, as `content`
with `probs[{tok_str, prob}]`; a token that is not among its `probs` was not recorded.

- `--layout plain` does not read it so.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts.recorded._responses import laid_out
from lossviz.layouts.recorded.chat_logprobs import listed

__all__ = ["LAYOUT"]

FIELD = "completion_probabilities"


def read(draft: Draft) -> Draft | None:
    """Lay out the generated tokens."""
    held = draft.fields.get(FIELD)
    if not isinstance(held, list) or not held:
        return None
    responses = [held] if isinstance(held[0], Mapping) else held
    if not all(isinstance(one, list) and all(isinstance(entry, Mapping) for entry in one) for one in responses):
        return None
    whole = [[_of_old(entry) if "probs" in entry else entry for entry in one] for one in responses]
    sampled = any("prob" in entry for one in whole for entry in one)
    rows = [list(listed([_logarithms(entry) for entry in one], FIELD)) for one in whole]
    read = draft.replacing(post_sampling_probs=True if sampled else None, temperature=None, top_p=None)
    return laid_out(read, rows, FIELD)


def _of_old(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry {"content": …, "probs": [{"tok_str": …, "prob": …}]} as servers write it since December 2024."""
    listed = entry["probs"] if isinstance(entry["probs"], list) else []
    others = [{"token": one.get("tok_str"), "prob": one.get("prob")} for one in listed if isinstance(one, Mapping)]
    own = next((one["prob"] for one in others if one["token"] == entry.get("content")), None)
    return {"token": entry.get("content"), "prob": own, "top_probs": others}


def _logarithms(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry with log-probabilities in the place of probabilities."""
    if "prob" not in entry:
        return entry
    others = entry.get("top_probs")
    top = [_logarithms(one) for one in others if isinstance(one, Mapping)] if isinstance(others, list) else []
    probability = entry["prob"]
    if probability is None:
        return {**entry, "logprob": None, "top_logprobs": top}
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise InputError(f"`{FIELD}[].prob` must be from 0 to 1; got {probability!r:.40}.")
    value = float(np.log(probability)) if probability else float("-inf")
    return {**entry, "logprob": value, "top_logprobs": top}


LAYOUT = Layout(
    "llama-cpp",
    "llama.cpp",
    __doc__ or "",
    "`completion_probabilities` with `token` and `logprob`",
    read,
    is_answer=True,
)

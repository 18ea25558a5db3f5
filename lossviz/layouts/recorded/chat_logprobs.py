"""A response of chat completions: `choices[].logprobs.content[]`, each with `token`, `logprob` and `top_logprobs[]`.

Each choice is one sequence, the tokens that the server generated; a chat has no log-probabilities of its prompt. Tokens
of the same text and other `bytes` stay apart. OpenAI, vLLM, SGLang and llama.cpp answer so. Responses, `output[]` with
`content[].logprobs[]`, are read too, and such lists alone.

- `--layout plain` does not read it so.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts.recorded._responses import Choice, Token, as_token, laid_out, log_prob, require_list
from lossviz.layouts.recorded.completions import choices_of

__all__ = ["LAYOUT", "listed"]


def read(draft: Draft) -> Draft | None:
    """Lay out the generated tokens of each choice.

    Raises:
        InputError: if the server was not asked for log-probabilities.
    """
    rows, choices = [], list(choices_of(draft))
    for where, choice in choices:
        logprobs = choice.get("logprobs")
        content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
        if isinstance(content, list):
            rows.append(list(listed(content, f"{where}.logprobs.content")))
    rows += [list(listed(content, where)) for where, content in _others(draft)]
    silent = any("message" in choice and choice.get("logprobs") is None for _, choice in choices)
    if not rows and silent and "targets" not in draft:
        raise InputError("The chat holds no log-probabilities. Ask the server for them with `logprobs=True`.")
    return laid_out(draft, rows, "choices[].logprobs.content") if rows else None


def _others(draft: Draft) -> Iterator[tuple[str, Sequence[Any]]]:
    """The lists of OpenAI's Responses, and one that was saved alone: [{"token": "a", "logprob": -0.5}, …]."""
    outputs = [*_mappings(draft.fields.get("output")), *_mappings(draft.fields.get("outputs"))]
    for one in (part for output in outputs for part in (output, *_mappings(output.get("content")))):
        content = one.get("logprobs")
        if isinstance(content, list) and content and all(isinstance(entry, Mapping) for entry in content):
            yield "output[].content[].logprobs", content
    texts, values = draft.fields.get("token"), draft.fields.get("logprob")
    if isinstance(texts, list) and isinstance(values, list | np.ndarray) and len(texts) == len(values):
        yield "token", [{"token": text, "logprob": value} for text, value in zip(texts, list(values), strict=True)]


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def listed(content: Sequence[Any], where: str, top: str = "top_logprobs") -> Iterator[Token]:
    """The tokens of a list such as [{"token": "a", "logprob": -0.5, "top_logprobs": []}].

    Raises:
        InputError: if an entry is no such object.
    """
    for place, entry in enumerate(content):
        own = _choice(entry, f"{where}[{place}]")
        others = require_list(entry.get(top) or [], f"{where}[{place}].{top}", "objects")
        yield as_token(own, [_choice(one, f"{where}[{place}].{top}") for one in others])


def _choice(entry: Any, where: str) -> Choice:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("token"), str) or "logprob" not in entry:
        raise InputError(f"`{where}` must be an object with `token` and `logprob`; got {entry!r:.60}.")
    spelled = entry.get("bytes")
    key: Any = entry["id"] if isinstance(entry.get("id"), int) else entry["token"]
    if key == entry["token"] and isinstance(spelled, list):
        key = (entry["token"], *map(str, spelled))
    return Choice(key, entry["token"], log_prob(entry["logprob"], f"{where}.logprob"))


LAYOUT = Layout(
    "chat-logprobs",
    "Chat log-probabilities",
    __doc__ or "",
    "`choices[].logprobs.content` with `logprob`",
    read,
    is_answer=True,
)

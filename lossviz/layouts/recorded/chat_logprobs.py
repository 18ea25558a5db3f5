"""A response of chat completions: `choices[].logprobs.content[]`, each with `token`, `logprob` and `top_logprobs[]`.

Each choice is one sequence, the tokens that the server generated; a chat has no log-probabilities of its prompt. Tokens
of the same text and other `bytes` stay apart. OpenAI, vLLM, SGLang and llama.cpp answer so.

- `--layout plain` does not read it so.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
    silent = any("message" in choice and choice.get("logprobs") is None for _, choice in choices)
    if not rows and silent and "targets" not in draft:
        raise InputError("The chat holds no log-probabilities. Ask the server for them with `logprobs=True`.")
    return laid_out(draft, rows, "choices[].logprobs.content") if rows else None


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
    "chat-logprobs", "Chat log-probabilities", __doc__ or "", "`choices[].logprobs.content` with `logprob`", read
)

"""A response of OpenAI's completions, or of vLLM's, SGLang's or llama.cpp's server in their place.

Each of `choices[]` is one sequence: `logprobs.tokens` beside `logprobs.token_logprobs`, and `logprobs.top_logprobs`,
which is keyed by text. With `echo` the prompt comes first, and its first token is null: it is not recorded and weighs
nothing. One response a file, a list of them, one per line, or OpenAI's batch output; also `tokens` beside
`token_logprobs` or `logprobs` alone, as people keep them. The pieces of a streamed answer, one per line with one id,
are one response.

- `--weights none` counts the first token too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts.recorded._responses import Choice, Token, as_token, laid_out, log_prob, require_list

__all__ = ["LAYOUT", "choices_of"]


def read(draft: Draft) -> Draft | None:
    """Lay out the tokens of each choice."""
    found = [
        (f"{where}.logprobs", one["logprobs"]) for where, one in choices_of(draft) if _is_listed(one.get("logprobs"))
    ]
    source = "choices[].logprobs" if found else _bare_name(draft)
    found = found or [*_bare(draft)]
    return laid_out(draft, [list(_tokens(one, where)) for where, one in found], source) if found else None


def choices_of(draft: Draft) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every choice of every response in a file, with its place in words.

    >>> [place for place, _ in choices_of(Draft({"choices": [{"index": 0}, {"index": 1}]}))]
    ['choices[0]', 'choices[1]']
    """
    held = draft.fields.get("choices")
    if held is None and isinstance(draft.fields.get("response"), list):  # OpenAI's batch output, one per line
        bodies = [one.get("body") for one in draft["response"] if isinstance(one, Mapping)]
        held = [body.get("choices") for body in bodies if isinstance(body, Mapping)]
    if not isinstance(held, list):
        return
    one = bool(held) and isinstance(held[0], Mapping)
    if not one and _is_streamed(draft, held):
        held, one = list(_joined(held)), True
    for number, choices in enumerate([held] if one else held):
        before = "" if one else f"[{number}]."
        for place, choice in enumerate(choices if isinstance(choices, list) else ()):
            if isinstance(choice, Mapping):
                yield f"{before}choices[{place}]", choice


def _is_streamed(draft: Draft, pieces: list[Any]) -> bool:
    """Whether the lines of a file are pieces of one answer: all have its id, and only the last one a reason to end."""
    if len(pieces) < 2 or np.size(draft.fields.get("id", ())) != 1:  # ids that are all the same were read as one
        return False
    before = [one for piece in pieces[:-1] if isinstance(piece, list) for one in piece if isinstance(one, Mapping)]
    return all(one.get("finish_reason", "") is None for one in before)


def _joined(pieces: list[Any]) -> Iterator[Mapping[str, Any]]:
    """One choice of each index, with the log-probabilities of all pieces one after the other."""
    lists: dict[Any, dict[str, list[Any]]] = {}
    for choice in (one for piece in pieces if isinstance(piece, list) for one in piece if isinstance(one, Mapping)):
        logprobs = choice.get("logprobs")
        for name, values in logprobs.items() if isinstance(logprobs, Mapping) else ():
            if isinstance(values, list):
                lists.setdefault(str(choice.get("index", 0)), {}).setdefault(name, []).extend(values)
    for logprobs in lists.values():
        yield {"logprobs": logprobs}


def _bare_name(draft: Draft) -> str:
    return "token_logprobs" if "token_logprobs" in draft else "logprobs"


def _bare(draft: Draft) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What stands in `logprobs`, saved without the rest: texts beside their log-probabilities."""
    texts, name = draft.fields.get("tokens"), _bare_name(draft)
    if not isinstance(texts, list) or not texts or name not in draft:
        return
    one = all(isinstance(text, str) for text in texts)
    if not one and not all(isinstance(row, list) and all(isinstance(text, str) for text in row) for row in texts):
        return
    columns = {"tokens": texts, "token_logprobs": draft[name], "top_logprobs": draft.fields.get("top_logprobs")}
    for number in range(1 if one else len(texts)):
        record = {key: column if one or column is None else column[number] for key, column in columns.items()}
        yield "tokens" if one else f"[{number}].tokens", record


def _is_listed(logprobs: Any) -> bool:
    return isinstance(logprobs, Mapping) and "token_logprobs" in logprobs


def _tokens(logprobs: Mapping[str, Any], where: str) -> Iterator[Token]:
    values = require_list(logprobs["token_logprobs"], f"{where}.token_logprobs", "numbers")
    texts = require_list(logprobs.get("tokens"), f"{where}.tokens", "texts")
    tops = require_list(logprobs.get("top_logprobs") or [None] * len(values), f"{where}.top_logprobs", "objects")
    if not len(texts) == len(values) == len(tops):
        raise InputError(
            f"`{where}` must hold one token for each of its {len(values):,} log-probabilities; got {len(texts):,} "
            f"tokens and {len(tops):,} top_logprobs. Save the response whole."
        )
    for place, (text, value, top) in enumerate(zip(texts, values, tops, strict=True)):
        own = Choice(str(text), str(text), log_prob(value, f"{where}.token_logprobs[{place}]"))
        listed = top.items() if isinstance(top, Mapping) else ()
        at = f"{where}.top_logprobs[{place}]"
        yield as_token(own, [Choice(word, word, log_prob(each, at)) for word, each in listed if each is not None])


LAYOUT = Layout(
    "completions",
    "OpenAI completions",
    __doc__ or "",
    "`choices[].logprobs` with `tokens` and `token_logprobs`, or these alone",
    read,
    is_answer=True,
)

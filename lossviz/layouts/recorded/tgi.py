"""A response of Text Generation Inference: `details` with `prefill[]` and `tokens[]`, each `{id, text, logprob}`.

Each response is one sequence: the prompt's tokens, where the server was asked for them by `decoder_input_details`, then
those that it generated. `top_tokens` are the likeliest ones of each generated place. The first token of a prompt has no
log-probability, and weighs nothing.

- `--weights none` counts the first token of the prompt too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts.recorded._responses import (
    Choice,
    Token,
    as_token,
    laid_out,
    log_prob,
    require_list,
    with_tops,
)

__all__ = ["LAYOUT"]


def read(draft: Draft) -> Draft | None:
    """Lay out the tokens of each response."""
    held = draft.fields.get("details")
    responses = held if isinstance(held, list) else [held]
    found = [one for one in responses if isinstance(one, Mapping) and (one.get("tokens") or one.get("prefill"))]
    return laid_out(draft, [list(_tokens(one)) for one in found], "details") if found else None


def _tokens(details: Mapping[str, Any]) -> Iterator[Token]:
    for place, entry in enumerate(require_list(details.get("prefill") or [], "details.prefill", "tokens")):
        yield as_token(_choice(entry, f"details.prefill[{place}]"))
    yield from with_tops(details, ("tokens", "top_tokens"), "details", "tokens", _choice)


def _choice(entry: Any, where: str) -> Choice:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("text"), str) or "logprob" not in entry:
        raise InputError(f"`{where}` must be an object with `id`, `text` and `logprob`; got {entry!r:.60}.")
    known = isinstance(entry.get("id"), int) and not isinstance(entry["id"], bool)
    return Choice(entry["id"] if known else entry["text"], entry["text"], log_prob(entry["logprob"], where))


LAYOUT = Layout(
    "tgi", "Text Generation Inference", __doc__ or "", "`details` with `prefill` or `tokens`", read, is_answer=True
)

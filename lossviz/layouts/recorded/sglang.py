"""A response of SGLang: `meta_info.output_token_logprobs [[logprob, id, text], …]`, after those of the prompt.

Each response is one sequence: `input_token_logprobs`, where the server was asked for them, then
`output_token_logprobs`. The text is null unless `return_text_in_logprobs` was set; a token is then called by its id.
`input_top_logprobs` and `output_top_logprobs` give the likeliest tokens.

- `--weights none` counts the first token of the prompt too, which has no log-probability.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts.recorded._responses import Choice, Token, laid_out, log_prob, with_tops

__all__ = ["LAYOUT"]

PARTS = (("input_token_logprobs", "input_top_logprobs"), ("output_token_logprobs", "output_top_logprobs"))


def read(draft: Draft) -> Draft | None:
    """Lay out the tokens of each response."""
    held = draft.fields.get("meta_info")
    responses = held if isinstance(held, list) else [held]
    found = [one for one in responses if isinstance(one, Mapping) and any(one.get(name) for name, _ in PARTS)]
    if not found:
        return None
    return laid_out(draft, [list(_tokens(one)) for one in found], "meta_info")


def _tokens(meta: Mapping[str, Any]) -> Iterator[Token]:
    for names in PARTS:
        yield from with_tops(meta, names, "meta_info", "[logprob, id, text]", _choice)


def _choice(entry: Any, where: str) -> Choice:
    whole = isinstance(entry, list | tuple) and len(entry) in (2, 3) and isinstance(entry[1], int)
    if not whole or isinstance(entry[1], bool):
        raise InputError(f"`{where}` must be [logprob, id, text]; got {entry!r:.60}.")
    text = entry[2] if len(entry) == 3 and isinstance(entry[2], str) else f"<{entry[1]}>"
    return Choice(entry[1], text, log_prob(entry[0], where))


LAYOUT = Layout("sglang", "SGLang", __doc__ or "", "`meta_info` with `output_token_logprobs`", read, is_answer=True)

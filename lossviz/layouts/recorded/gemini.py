"""Gemini's answer: `candidates[].logprobsResult` with `chosenCandidates[]`, each `{token, tokenId, logProbability}`.

Each candidate is one sequence, the tokens that the model wrote; Gemini gives none of the prompt. `topCandidates` are
the likeliest tokens of each place. The names may be in snake_case, as Google's Python libraries write them. One answer
a file, a list of them, one per line, or batch output; also `logprobsResult` alone. The pieces of a streamed answer are
one sequence: only its last piece has a `finishReason`.

- `--layout plain` does not read it so.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts.recorded._responses import Choice, Token, laid_out, log_prob, require_list, with_tops

__all__ = ["LAYOUT"]

FIELD, CHOSEN, TOP = "logprobsResult", "chosenCandidates", "topCandidates"
WHERE = f"candidates[].{FIELD}"
UNFINISHED = (None, "", 0, "FINISH_REASON_UNSPECIFIED")
"""What `finishReason` is before the last piece of an answer; protocol buffers write a name or a number for it."""


def read(draft: Draft) -> Draft | None:
    """Lay out the tokens of each candidate.

    Raises:
        InputError: if the server was not asked for log-probabilities.
    """
    responses = [_mappings(one) for one in _responses(draft)]
    results = [one for one in (*_joined(responses), *_alone(draft)) if any(one.values())]
    if results:
        return laid_out(draft, [list(_tokens(one)) for one in results], WHERE)
    if "targets" not in draft and any("content" in candidate for one in responses for candidate in one):
        raise InputError("Gemini's answer holds no log-probabilities. Ask for them with `responseLogprobs: true`.")
    return None


def _field(held: Mapping[str, Any], name: str) -> Any:
    """A field by its name in JSON, or in snake_case; None where it is missing."""
    found = held.get(name)
    return held.get(re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)) if found is None else found


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _responses(draft: Draft) -> Sequence[Any]:
    """The `candidates` of each response, in batch output too."""
    held = draft.fields.get("candidates")
    if isinstance(held, list):
        return [held] if _mappings(held) else held
    bodies = draft.fields.get("response")
    return [body.get("candidates") for body in _mappings(bodies if isinstance(bodies, list) else [bodies])]


def _joined(responses: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[dict[str, list[Any]]]:
    """Both lists of each candidate; what comes before its `finishReason` are pieces of one, where the file has any."""
    ends = any(_is_finished(candidate) for one in responses for candidate in one)
    started: dict[Any, dict[str, list[Any]]] = {}
    for response in responses:
        for place, candidate in enumerate(response):
            number = candidate.get("index")
            index = number if isinstance(number, int) else place
            result = _field(candidate, FIELD)
            for name in (CHOSEN, TOP) if isinstance(result, Mapping) else ():
                pieces = require_list(_field(result, name) or [], f"{WHERE}.{name}", "objects")
                started.setdefault(index, {}).setdefault(name, []).extend(pieces)
            if _is_finished(candidate):
                yield started.pop(index, {})
        if not ends:
            yield from started.values()
            started = {}
    yield from started.values()


def _is_finished(candidate: Mapping[str, Any]) -> bool:
    return _field(candidate, "finishReason") not in UNFINISHED


def _alone(draft: Draft) -> Iterator[dict[str, list[Any]]]:
    """What stands in `logprobsResult`, saved without the rest."""
    held = _field(draft.fields, FIELD)
    for one in _mappings(held if isinstance(held, list) else [held, dict(draft.fields)]):
        parts = {name: _field(one, name) for name in (CHOSEN, TOP)}
        if _mappings(parts[CHOSEN]):
            yield {name: part for name, part in parts.items() if isinstance(part, list)}


def _tokens(result: Mapping[str, list[Any]]) -> Iterator[Token]:
    if result.get(TOP) and not result.get(CHOSEN):
        raise InputError(f"`{WHERE}` has `{TOP}` without `{CHOSEN}`: which token came is not told. Save both lists.")
    tops = [one.get("candidates") if isinstance(one, Mapping) else one for one in result.get(TOP, ())]
    yield from with_tops({**result, TOP: tops}, (CHOSEN, TOP), WHERE, "tokens", _choice)


def _choice(entry: Any, where: str) -> Choice:
    if not isinstance(entry, Mapping) or not {"logProbability", "log_probability"} & {*entry}:
        raise InputError(f"`{where}` must be an object with `token` and `logProbability`; got {entry!r:.60}.")
    number, text = _field(entry, "tokenId"), entry.get("token")
    known = isinstance(number, int) and not isinstance(number, bool)
    if not isinstance(text, str) and not known:
        raise InputError(f"`{where}.token` must be a text; got {text!r:.40}.")
    text = text if isinstance(text, str) else f"<{number}>"
    return Choice(number if known else text, text, log_prob(_field(entry, "logProbability"), f"{where}.logProbability"))


LAYOUT = Layout("gemini", "Gemini", __doc__ or "", f"`{WHERE}` with `{CHOSEN}`", read, is_answer=True)

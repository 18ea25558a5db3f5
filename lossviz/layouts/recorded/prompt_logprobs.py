"""vLLM's `prompt_logprobs`: null, then for each token of the prompt a map from ids to `logprob`, `rank` and text.

They stand in the response itself, in `choices[]`, or in what `llm.generate` gave, written as JSON. Which entry is the
prompt's own token is told by `prompt_token_ids`; without them, by the only entry there is, or by the one whose rank
lies beyond the others. Otherwise the first entry is taken, where vLLM writes it, and that is said. The completion's own
log-probabilities, where there are some, are left out. Before 0.4, vLLM wrote ids with their log-probabilities alone.

- `--layout completions` or `--layout chat-logprobs` reads those of the completion.
- `--weights none` counts the first token too, which has no log-probability.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts.recorded._responses import Choice, Token, as_token, laid_out, log_prob
from lossviz.layouts.recorded.completions import choices_of

__all__ = ["LAYOUT"]

FIELD, IDS = "prompt_logprobs", "prompt_token_ids"


@dataclass
class _Guesses:
    """How many timesteps had to be told by where their entry stands."""

    count: int = 0
    places: list[str] = field(default_factory=list)


def read(draft: Draft) -> Draft | None:
    """Lay out the tokens of each prompt."""
    found = [*_top_level(draft), *((where, one[FIELD], one.get(IDS)) for where, one in choices_of(draft) if _of(one))]
    if not found:
        return None
    guesses = _Guesses()
    rows = [list(_tokens(entries, ids, where, guesses)) for where, entries, ids in found]
    read = laid_out(draft, rows, FIELD)
    if not guesses.count:
        return read
    return read.assuming(
        f"without {IDS}, the first entry is taken for the prompt's own token in {guesses.count:,} of the timesteps",
        "layout",
    )


def _of(one: Mapping[str, Any]) -> bool:
    return _is_prompt(one.get(FIELD))


def _is_prompt(value: Any) -> bool:
    return (
        isinstance(value, list)
        and any(isinstance(entry, Mapping) for entry in value)
        and all(entry is None or isinstance(entry, Mapping) for entry in value)
    )


def _top_level(draft: Draft) -> Iterator[tuple[str, Sequence[Any], Any]]:
    held, ids = draft.fields.get(FIELD), draft.fields.get(IDS)
    if isinstance(held, list) and _is_prompt(held):
        yield FIELD, held, ids
    elif isinstance(held, list):
        for number, one in enumerate(held):
            if _is_prompt(one):
                each = ids[number] if isinstance(ids, list | np.ndarray) and len(ids) == len(held) else None
                yield f"[{number}].{FIELD}", one, each


def _tokens(entries: Sequence[Any], ids: Any, where: str, guesses: _Guesses) -> Iterator[Token]:
    known = _ids(ids, where)
    if known is not None and len(known) != len(entries):
        raise InputError(
            f"`{where}` must have one entry for each of the {len(known):,} {IDS}; got {len(entries):,}. "
            "Save the response whole."
        )
    for place, entry in enumerate(entries):
        own = None if known is None else known[place]
        if entry is None:
            key = own if own is not None else "start"
            yield Token(Choice(key, "<start>" if own is None else f"<{own}>", float("nan")))
            continue
        at = f"{where}[{place}]"
        choices = {choice.key: choice for choice in (_choice(key, one, at) for key, one in entry.items())}
        ranks = {int(key): one.get("rank") if isinstance(one, Mapping) else None for key, one in entry.items()}
        if own is None:
            own = _own(list(ranks), ranks, guesses)
        if own not in choices:
            raise InputError(f"`{at}` has no entry for the prompt's own token {own}. Save the response whole.")
        yield as_token(choices[own], choices.values(), ranks[own])


def _ids(ids: Any, where: str) -> list[int] | None:
    if ids is None:
        return None
    listed = isinstance(ids, list) or (isinstance(ids, np.ndarray) and ids.ndim == 1)
    if not listed or not all(isinstance(one, int | np.integer) for one in ids):
        raise InputError(f"`{IDS}` beside `{where}` must be a list of ids; got {ids!r:.40}.")
    return [int(one) for one in ids]


def _own(ids: list[int], ranks: Mapping[int, Any], guesses: _Guesses) -> int:
    """The only entry, or the one beyond the others, or the first one."""
    numbers = [rank for rank in ranks.values() if isinstance(rank, int)]
    if len(ids) > 1 and len(numbers) == len(ids) and max(numbers) > len(ids):
        return max(ids, key=lambda one: ranks[one])
    guesses.count += len(ids) > 1
    return ids[0]


def _choice(key: str, entry: Any, where: str) -> Choice:
    if isinstance(entry, int | float) and str(key).isdecimal():  # vLLM before 0.4
        return Choice(int(key), f"<{key}>", log_prob(entry, where))
    if not isinstance(entry, Mapping) or "logprob" not in entry or not str(key).isdecimal():
        raise InputError(f"`{where}` must map ids to objects with `logprob`; got {key!r:.20}: {entry!r:.40}.")
    text = entry.get("decoded_token")
    return Choice(int(key), text if isinstance(text, str) else f"<{key}>", log_prob(entry["logprob"], where))


LAYOUT = Layout(
    "prompt-logprobs",
    "vLLM's prompt_logprobs",
    __doc__ or "",
    "`prompt_logprobs`, as vLLM writes them",
    read,
    is_answer=True,
)

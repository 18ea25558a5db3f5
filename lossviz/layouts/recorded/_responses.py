"""Servers' log-probabilities, a token after the other: checked, and laid out as the arguments of a Batch.

Servers say tokens as text. The vocabulary is made of what is there, in order of appearance; two ids of one text stay
two tokens. Null is a log-probability that was not recorded: the first token of a prompt has none.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft

__all__ = ["Choice", "Token", "as_token", "laid_out", "log_prob", "require_list", "with_tops"]

Array = np.ndarray
UNLISTED = -9999.0
"""What OpenAI and vLLM write for a token too unlikely to be listed, since JSON has no −∞."""
ROUNDED = 1e-3
"""How far above 0 servers in half precision round the log-probability of a certain token."""
_MOST_TOP = 20
_PAD = ("padding",)
"""The key of what fills rows up, which no token has."""
_REQUESTS = ("request", "sampling_params", "params")


@dataclass(frozen=True)
class Choice:
    """A token that might have come: its id where the server says it, else its text; its text; its log-probability."""

    key: Hashable
    text: str
    log_prob: float


@dataclass(frozen=True)
class Token:
    """A token of a response, with the likeliest ones of its place; `rank` is NaN where the server doesn't say it."""

    choice: Choice
    top: tuple[Choice, ...] = ()
    rank: float = float("nan")


def require_list(value: Any, where: str, what: str) -> Sequence[Any]:
    """A list as it is.

    Raises:
        InputError: if it is none.
    """
    if not isinstance(value, list | tuple | np.ndarray):
        raise InputError(f"`{where}` must be a list of {what}; got {value!r:.40}.")
    return list(value)


def log_prob(value: Any, where: str) -> float:
    """A log-probability; NaN for null and for −9999, which stands for any that is too small.

    Raises:
        InputError: if it is no number, or above 0.

    >>> log_prob(-0.5, "a"), log_prob(None, "a"), log_prob(-9999.0, "a")
    (-0.5, nan, nan)
    """
    if value is None or value == UNLISTED:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float) or value > ROUNDED:
        raise InputError(f"`{where}` must be a log-probability, 0 or less, or null; got {value!r:.40}.")
    return min(float(value), 0.0)


def as_token(choice: Choice, top: Iterable[Choice] = (), rank: Any = None) -> Token:
    """A token with its likeliest alternatives in order; where it is among them, its place is its rank."""
    known = {one.key: one for one in top if one.log_prob == one.log_prob}.values()
    listed = tuple(sorted(known, key=lambda one: -one.log_prob)[:_MOST_TOP])
    if isinstance(rank, int) and not isinstance(rank, bool) and rank > 0:
        return Token(choice, listed, float(rank))
    if listed and choice.log_prob >= listed[-1].log_prob:
        return Token(choice, listed, 1.0 + sum(one.log_prob > choice.log_prob for one in listed))
    return Token(choice, listed)


def with_tops(
    held: Mapping[str, Any], names: tuple[str, str], where: str, what: str, choice: Callable[[Any, str], Choice]
) -> Iterator[Token]:
    """The tokens of a list, each with the likeliest ones of its place from the list beside it, where there is one.

    Args:
        held: the object that holds both lists.
        names: of the list of tokens, and of the list beside it.
        where: what that object is called.
        what: an entry is, in words.
        choice: reads an entry.

    Raises:
        InputError: if one of them is no list, or the second has another length.
    """
    name, beside = names
    entries = require_list(held.get(name) or [], f"{where}.{name}", what)
    tops = require_list(held.get(beside) or [None] * len(entries), f"{where}.{beside}", "lists")
    if len(tops) != len(entries):
        raise InputError(
            f"`{where}.{beside}` must have one list for each of the {len(entries):,} tokens; got {len(tops):,}. Save "
            "the response whole."
        )
    for place, (entry, top) in enumerate(zip(entries, tops, strict=True)):
        at = f"{where}.{name}[{place}]"
        yield as_token(choice(entry, at), [choice(one, at) for one in require_list(top or [], at, "lists")])


def laid_out(draft: Draft, rows: Sequence[Sequence[Token]], source: str) -> Draft:
    """The arguments of a Batch in the place of a response's fields, and what was assumed.

    Args:
        draft: the response.
        rows: the tokens of each sequence.
        source: what the file calls them.

    Raises:
        InputError: if there is no token.
    """
    if not any(rows):
        raise InputError(f"`{source}` holds no token. Ask the server for log-probabilities, such as with `logprobs=5`.")
    width = max(map(len, rows))
    is_padded = any(len(row) < width for row in rows)
    known: dict[Hashable, tuple[int, str]] = {_PAD: (0, "<pad>")} if is_padded else {}
    for token in (token for row in rows for token in row):
        for one in (token.choice, *token.top):
            known.setdefault(one.key, (len(known), one.text))
    fields = {"vocabulary": _words(known)} | _plane(rows, width, known) | _top(rows, width, known)
    fields |= {"pad_id": 0} if is_padded else {}
    fields |= {"title": draft["title"]} if "title" in draft else {}
    made = replace(draft, fields=fields, origin={"log_probs": source})
    made = made.assuming(f"{source} holds the log-probabilities of {sum(map(len, rows)):,} tokens", "layout")
    made = made.assuming(f"the vocabulary is made of the {len(known) - is_padded:,} tokens in the file", "layout")
    return _weighed(_told(made, draft), [len(row) for row in rows])


def _weighed(draft: Draft, lengths: list[int]) -> Draft:
    """Give no weight to first tokens without a log-probability: no token before them predicts them."""
    silent = np.isnan(draft["log_probs"][:, 0])
    if not silent.any() or draft.choices.weights == "none":
        return draft.replacing(lengths=np.array(lengths))
    weights = np.arange(draft.shape("targets")[1]) < np.array(lengths)[:, None]
    weights[silent, 0] = False
    return draft.replacing(weights=weights.astype(float)).assuming(
        "first tokens without a log-probability weigh nothing", "weights", "none"
    )


def _words(known: Mapping[Hashable, tuple[int, str]]) -> list[str]:
    """The text of each token; of two with the same text, the later one has its id behind."""
    words: dict[str, None] = {}
    for key, (place, text) in known.items():
        word = text if text not in words else f"{text} ({key if isinstance(key, int) else place})"
        words[word if word not in words else f"{text} ({place})"] = None
    return list(words)


def _plane(rows: Sequence[Sequence[Token]], width: int, known: Mapping[Hashable, tuple[int, str]]) -> dict[str, Any]:
    """The targets, their log-probabilities and, where any is known, their ranks [B, T]."""
    targets = np.zeros((len(rows), width), np.int64)
    log_probs, ranks = (np.full((len(rows), width), np.nan) for _ in range(2))
    for b, row in enumerate(rows):
        targets[b, : len(row)] = [known[token.choice.key][0] for token in row]
        log_probs[b, : len(row)] = [token.choice.log_prob for token in row]
        ranks[b, : len(row)] = [token.rank for token in row]
    made = {"targets": targets, "log_probs": log_probs}
    return made | ({"rank": ranks} if np.isfinite(ranks).any() else {})


def _top(rows: Sequence[Sequence[Token]], width: int, known: Mapping[Hashable, tuple[int, str]]) -> dict[str, Array]:
    most = max((len(token.top) for row in rows for token in row), default=0)
    if not most:
        return {}
    classes = np.full((len(rows), width, most), -1)
    probabilities = np.full((len(rows), width, most), np.nan)
    for b, row in enumerate(rows):
        for t, token in enumerate(row):
            count = len(token.top)
            classes[b, t, :count] = [known[one.key][0] for one in token.top]
            probabilities[b, t, :count] = np.exp([one.log_prob for one in token.top])
    return {"top_classes": classes, "top_probabilities": probabilities}


def _told(draft: Draft, response: Draft) -> Draft:
    """Say what the file tells of how its log-probabilities were made."""
    said = [response.fields, *(response.fields.get(name) for name in _REQUESTS)]
    held = {name: _single(one[name]) for one in said if isinstance(one, Mapping) for name in one if name in _TOLD}
    for name, value in held.items():
        sentence = _TOLD[name](value)
        draft = draft.assuming(sentence, "layout") if sentence else draft
    return draft


def _single(value: Any) -> Any:
    """A value of every record, where they hold the same; else None."""
    if isinstance(value, np.ndarray):
        value = value.reshape(-1).tolist()
    if isinstance(value, list):
        return value[0] if value and all(one == value[0] for one in value) else None
    return value


def _mode(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    if value.endswith("logits"):
        raise InputError(
            f"`logprobs_mode` is {value}, so the file holds logits of single tokens and no log-probabilities. Start "
            "the server with `--logprobs-mode raw_logprobs`."
        )
    if value.startswith("processed"):
        return f"logprobs_mode is {value}: they are renormalised after temperature, top-k and top-p"
    return f"logprobs_mode is {value}: they are the model's own" if value.startswith("raw") else ""


def _sampled(name: str, usual: float) -> Any:
    def sentence(value: Any) -> str:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or value == usual:
            return ""
        return f"{name} is {value:g}: some servers apply it first, and what they give is then renormalised"

    return sentence


_TOLD: Mapping[str, Any] = {
    "logprobs_mode": _mode,
    "temperature": _sampled("temperature", 1),
    "top_p": _sampled("top_p", 1),
    "post_sampling_probs": lambda value: "" if value is not True else _AFTER_SAMPLING,
}
_AFTER_SAMPLING = "post_sampling_probs: they are renormalised over what the sampler kept"

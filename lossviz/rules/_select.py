"""Select rules by code."""

from collections.abc import Iterable

from lossviz.errors import InputError, did_you_mean, words_of
from lossviz.rules._core.rule import Rule

__all__ = ["Select", "chosen"]

Select = Iterable[str] | str | None
"""Codes or prefixes of codes, as strings or in one string separated by spaces or commas; None means no choice."""


def chosen(rules: Iterable[Rule], select: Select = None, ignore: Select = None) -> list[Rule]:
    """The rules whose code starts with one of `select` and none of `ignore`.

    Raises:
        InputError: if a code matches no rule, or `select` is empty.

    >>> from lossviz.rules import RULES
    >>> [rule.code for rule in chosen(RULES, "num-01")]
    ['NUM01']
    """
    rules = tuple(rules)
    wanted, unwanted = _codes("select", select, rules), _codes("ignore", ignore, rules)
    if select is not None and not wanted:
        raise InputError("`select` is empty, so no rule would run. Leave it out to run every rule.")
    return [
        rule
        for rule in rules
        if (select is None or rule.code.startswith(wanted)) and not (unwanted and rule.code.startswith(unwanted))
    ]


def _codes(argument: str, given: Select, rules: tuple[Rule, ...]) -> tuple[str, ...]:
    words = [] if given is None else words_of(argument, given)
    known = [rule.code for rule in rules]
    for word in words:
        if not any(code.startswith(_code(word)) for code in known):
            raise InputError(
                f"`{argument}` names no rule: {word!r}.{did_you_mean(_code(word), known)} There are {', '.join(known)}."
            )
    return tuple(map(_code, words))


def _code(word: str) -> str:
    return word.upper().replace("-", "")

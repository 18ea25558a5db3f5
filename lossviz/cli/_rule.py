"""`lossviz rule`: the page of one rule of the doctor, or the list of all."""

import argparse
import sys
from textwrap import indent as indented
from textwrap import wrap

from lossviz.display_text import printable
from lossviz.errors import InputError, did_you_mean
from lossviz.rules import RULES, Rule, page

__all__ = ["run", "text_of"]

WIDTH = 118


def run(arguments: argparse.Namespace) -> int:
    """Print a rule's page, or the rules whose codes begin with the word, or all."""
    word = (arguments.code or "").strip()
    code = word.upper().replace("-", "")
    found = [rule for rule in RULES if rule.code.startswith(code)]
    if not found:
        near = did_you_mean(code, [rule.code for rule in RULES])
        raise InputError(f"There is no rule `{printable(word)}`.{near} `lossviz rule` lists them all.")
    sys.stdout.write(text_of(page(found[0])) + "\n" if code == found[0].code else _list(found))
    return 0


def text_of(markdown: str, indent: str = "  ") -> str:
    r"""A rule's page as plain text: no marks, each section indented under its heading.

    >>> print(text_of("## PAD05 eos\n\n**It ends.**\n\n### Example\n\nA line."))
    PAD05 eos
    <BLANKLINE>
    It ends.
    <BLANKLINE>
    Example
      A line.
    """
    head, *sections = markdown.split("\n\n### ")
    parts = ["\n".join(_plain(line) for line in head.splitlines())]
    for section in sections:
        heading, _, text = section.partition("\n\n")
        parts.append(f"{heading}\n{indented(text, indent)}")
    return "\n\n".join(parts)


def _plain(line: str) -> str:
    """A line without the marks of a heading or of bold text, cut where a terminal ends."""
    return "\n".join(wrap(line.removeprefix("## ").removeprefix("**").removesuffix("**"), WIDTH))


def _list(rules: list[Rule]) -> str:
    width = max(len(rule.severity) for rule in RULES)
    return "".join(f"{rule.code}  {rule.severity:{width}}  {rule.title}\n" for rule in rules)

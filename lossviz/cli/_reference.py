"""The help of every command as Markdown, from the parsers themselves: the same on any Python and terminal."""

import argparse
from collections.abc import Iterator
from textwrap import dedent

from lossviz.cli._parser import EXAMPLES, parsers

__all__ = ["reference"]


def reference() -> str:
    """Every command with its arguments and examples; docs/commands.md holds it."""
    return "\n".join(line for name, parser in parsers()[1].items() for line in _section(name, parser)).rstrip()


def _section(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"## `lossviz {name}`"
    yield ""
    yield str(parser.description)
    yield ""
    yield "```"
    yield dedent(str(parser.epilog).removeprefix(EXAMPLES))
    yield "```"
    yield ""
    rows = [row for action in parser._actions if (row := _row(action))]
    if rows:
        yield from ("| argument | what it does |", "|---|---|", *rows, "")


def _row(action: argparse.Action) -> str:
    if action.help is None or "--help" in action.option_strings:
        return ""
    names = " ".join(action.metavar) if isinstance(action.metavar, tuple) else action.metavar
    takes = names if action.nargs != 0 and names else ""
    words = " / ".join(f"`{' '.join(filter(None, (option, takes)))}`" for option in action.option_strings or [""])
    return f"| {words} | {action.help} |"

"""`lossviz check --format github`: annotations, one line each, as GitHub Actions reads them from a step's log.

The escapes are those of actions/toolkit, packages/core/src/command.ts: %, CR and LF everywhere, : and , in properties.
"""

from collections.abc import Iterable, Iterator

from lossviz.cli.check_formats._checked import Checked, places, reference_of
from lossviz.display_text import escaped

__all__ = ["as_github"]

COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def as_github(files: Iterable[Checked]) -> Iterator[str]:
    """An annotation for each finding, for each rule that crashed, and for each file that could not be read."""
    for one in files:
        if one.problem:
            yield _annotation("error", one, "lossviz", one.problem)
        for crash in one.crashes:
            yield _annotation("error", one, f"{crash.code} crashed", str(crash))
        for finding in one.findings:
            text = "\n".join(filter(None, (finding.message, places(finding.cells))))
            yield _annotation(COMMANDS[finding.severity], one, f"{finding.code} {finding.name}", text)


def _annotation(command: str, one: Checked, title: str, message: str) -> str:
    return f"::{command} file={_property(reference_of(one.path))},title={_property(title)}::{_data(message)}\n"


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _data(text: str) -> str:
    """Lines stay lines; unprintable characters, which could control a terminal, are escaped."""
    lines = (escaped(line, most=10_000) for line in text.split("\n"))
    return "%0A".join(line.replace("%", "%25") for line in lines)

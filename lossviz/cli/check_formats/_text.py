"""`lossviz check --format text`: what a terminal shows."""

from collections.abc import Iterable, Iterator
from math import isclose
from shlex import quote
from textwrap import indent, wrap

from lossviz.cli._files import read_as, shape_text
from lossviz.cli.check_formats._checked import PLURAL, Checked, count_text, places
from lossviz.digits import is_number, number_text
from lossviz.display_text import printable
from lossviz.fixes import LIBRARIES
from lossviz.rules import SEVERITIES, Finding

__all__ = ["as_text"]

WIDTH = 118


def as_text(files: Iterable[Checked], *, fix: str | None = None, verbose: bool = False) -> Iterator[str]:
    """Each file's findings as soon as they are known, then the total if there are several files.

    Args:
        files: what was checked; those that could not be read are left to stderr.
        fix: one of `LIBRARIES`: also print what to write instead.
        verbose: say why rules could not tell or did not apply, and where they crashed.
    """
    seen: list[Checked] = []
    for one in files:
        if not one.problem:
            apart = "\n" if any(not earlier.problem for earlier in seen) else ""
            yield apart + "\n".join(_file(one, fix, verbose)) + "\n"
        seen.append(one)
    if len(seen) > 1:
        yield _total(seen)


def _file(one: Checked, fix: str | None, verbose: bool) -> Iterator[str]:
    yield printable(one.file, most=500)
    if one.title and one.title != one.path.name:
        yield printable(one.title, most=WIDTH)
    yield f"{shape_text(one.shape or (0, 0, 0))}, mask: {one.mask}"
    yield from read_as(one.reading)
    yield ""
    for finding in one.findings:
        yield from _finding(finding, one, fix)
        yield ""
    if one.printed is not None and not one.of_the_loop:
        yield from _ask(one)
        yield ""
    if verbose:
        yield from _rest(one)
    yield _summary(one)


def _finding(finding: Finding, one: Checked, fix: str | None) -> Iterator[str]:
    message = printable(finding.message, most=1000)
    yield from _wrapped(f"{finding.severity} {finding.code} {finding.name}: {message}")
    where = places(finding.cells)
    if where:
        yield f"  {where}"
    if finding.loss_if_fixed is not None and one.value is not None:
        now = f"{one.printed} printed" if finding.code in one.of_the_loop else f"{number_text(one.value)} now"
        yield f"  {now}, {number_text(finding.loss_if_fixed)} after the fix"
    code = finding.fix.get(LIBRARIES[fix]) if fix else None
    if code:
        yield f"  {LIBRARIES[str(fix)]}:"
        yield from (indent(printable(line, most=500), "    ") for line in code.rstrip().splitlines())


def _ask(one: Checked) -> Iterator[str]:
    """For a printed number that no rule is about: it may be that of a fix, or right, or have too few digits."""
    printed = printable(str(one.printed))
    decimals = len(printed.partition(".")[2])
    for finding in one.findings:
        if finding.loss_if_fixed is not None and f"{finding.loss_if_fixed:.{decimals}f}" == printed:
            yield f"The loop printed {printed}, which is the number after the fix of {finding.code}."
            return
    if one.value is not None and (f"{one.value:.{decimals}f}" == printed or _is_float32_of(one.value, printed)):
        yield f"The loop printed {printed}, which is the loss of this batch: {number_text(one.value)}."
        return
    yield f"No rule is about the printed {printed}. To see which formulas give it:"
    yield f"  lossviz identify {quote(printable(one.file, most=500))} {printed}"


def _is_float32_of(value: float, printed: str) -> bool:
    """Whether all digits of a float32 were printed: its sums differ from ours in the last ones."""
    return is_number(printed) and isclose(value, float(printed), rel_tol=2e-6)


def _wrapped(text: str) -> list[str]:
    return wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _rest(one: Checked) -> Iterator[str]:
    skipped = [outcome for outcome in one.outcomes if outcome.state == "skipped"]
    for title, lines in (
        (
            "could not tell or did not apply:",
            [f"  {outcome.code} {printable(outcome.reason, most=500)}" for outcome in skipped],
        ),
        ("crashed:", [line for crash in one.crashes for line in _traceback(crash.code, crash.traceback)]),
    ):
        if lines:
            yield from (title, *lines, "")


def _traceback(code: str, text: str) -> Iterator[str]:
    yield f"  {code}"
    yield from (indent(printable(line, most=500), "    ") for line in text.rstrip().splitlines())


def _summary(one: Checked) -> str:
    states = one.states()
    passed = f"{count_text(states['passed'], 'rule', 'rules')} passed"
    crashed = f", {states['crashed']} crashed" * bool(states["crashed"])
    return f"{_counts([one])}; {passed}, {states['skipped']} could not tell or did not apply{crashed}"


def _total(files: list[Checked]) -> str:
    unread = sum(bool(one.problem) for one in files)
    rest = f"; {unread} could not be checked" * bool(unread)
    return f"\n{len(files)} files: {_counts(files)}{rest}\n"


def _counts(files: list[Checked]) -> str:
    """Errors and warnings always, infos where there are any."""
    counts = {severity: sum(one.count(severity) for one in files) for severity in SEVERITIES}
    named = [severity for severity, count in counts.items() if count or severity != "info"]
    return ", ".join(count_text(counts[severity], severity, PLURAL[severity]) for severity in named)

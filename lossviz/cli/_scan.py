"""`lossviz scan`: the losses of a corpus as a run, then what the rules and the sums say of it."""

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from lossviz.cli._check_run import finding_lines
from lossviz.cli._files import parse_names
from lossviz.cli._options import CHOICES
from lossviz.cli._work import compute
from lossviz.cli.check_formats import count_text
from lossviz.digits import number
from lossviz.display_text import printable
from lossviz.errors import require
from lossviz.runs import Run, RunDiagnosis, diagnose_run, open_run
from lossviz.scanning import Scan, ScanProgress, scan
from lossviz.tables import plain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["run"]

_SHOWN = 5  # tokens and files


def run(arguments: argparse.Namespace) -> int:
    """Scan, check, and print; 2 where a file was left out."""
    require("duckdb", "`lossviz scan`", "'lossviz[runs]'")  # before hours of work, not after
    shown = _Shown()
    choices: dict[str, Any] = {name: getattr(arguments, name) for name in CHOICES}
    try:
        done = scan(
            arguments.files,
            arguments.out,
            model=arguments.model,
            engine=arguments.engine,
            workers=arguments.workers,
            batch_size=arguments.batch_size,
            keep_logits=arguments.keep_logits,
            progress=shown,
            names=parse_names(arguments.names),
            **choices,
        )
    except KeyboardInterrupt:
        shown.erase()
        sys.stderr.write(f"lossviz: {shown.words}; the same command goes on from there\n")
        raise
    shown.erase()
    opened = open_run(done.folder) if done.progress.scanned + done.progress.kept else None
    checked = None if opened is None or arguments.no_check else diagnose_run(opened, analyze=compute)
    sys.stdout.write(_as_json(done, opened, checked) if arguments.json else _as_text(done, opened, checked))
    return 2 if done.progress.problems else 130 if done.progress.state == "stopped" else 0


class _Shown:
    """The line on a terminal that says how far the scan is, and when it will end."""

    def __init__(self) -> None:
        self.words, self._began, self._last = "nothing was scanned", time.monotonic(), 0.0

    def __call__(self, state: ScanProgress) -> None:
        now = time.monotonic()
        self.words = f"{state.done:,} of {count_text(state.total, 'file', 'files')}"
        if not sys.stderr.isatty() or (now - self._last < 0.2 and state.done < state.total):
            return
        ended, left = state.done - state.kept, state.total - state.done
        rest = _duration((now - self._began) / max(ended, 1) * left)
        bad = f", {len(state.problems):,} left out" if state.problems else ""
        sys.stderr.write(f"\r\x1b[Klossviz: {self.words}{bad}, about {rest} left (Ctrl-C stops, finished files stay)")
        sys.stderr.flush()
        self._last = now

    def erase(self) -> None:
        """Take the line away."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")


def _duration(seconds: float) -> str:
    """A time in the unit in which people would say it.

    >>> _duration(40), _duration(400), _duration(40_000)
    ('40 s', '7 min', '11.1 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _files_of(opened: Run, steps: "pd.DataFrame") -> list[str]:
    return [str(opened.recorded.details(int(step)).get("file", "")) for step in steps["step"]]


def _total(steps: "pd.DataFrame") -> tuple[float, float]:
    """The sum of the losses that count, NaN where one of them is unknown, and its divisor."""
    counted = steps[steps["divisor"] > 0]
    return float((counted["mean"] * counted["divisor"]).sum(skipna=False)), float(counted["divisor"].sum())


def _as_text(done: Scan, opened: Run | None, checked: RunDiagnosis | None) -> str:
    state, folder = done.progress, printable(str(done.folder), most=300)
    kept = f", {state.kept:,} of them kept from before" if state.kept else ""
    files = count_text(state.total, "file", "files")
    lines = [f"{folder}: {state.scanned + state.kept:,} of {files} scanned{kept}"]
    if state.state == "stopped":
        lines.append("Stopped; the same command goes on from there.")
    lines += ["", *_sums(opened)] if opened is not None else []
    if checked is not None:
        lines += ["", *(finding_lines(checked) or ["The doctor found nothing."])]
    if state.problems:
        lines += ["", *(f"Left out: {printable(f'{file}: {why}', most=600)}" for file, why in state.problems.items())]
    if opened is not None:
        lines += ["", f"To look at it: lossviz app {folder}"]
    return "\n".join(lines) + "\n"


def _sums(opened: Run) -> list[str]:
    """The number of the whole corpus, the tokens that make up most of it, and the files with the highest means."""
    steps, tokens = opened.steps(), opened.by("token")
    total, divisor = _total(steps)
    mean = (
        f"{number(total / divisor)} nats per timestep = {number(total)} ÷ {divisor:,.10g}"
        if divisor
        else "No timestep counts."
    )
    words = ", ".join(
        f"{printable(str(one.token), most=40)} {one.share:.1%}" for one in tokens.head(_SHOWN).itertuples()
    )
    worst = steps.assign(file=_files_of(opened, steps)).nlargest(_SHOWN, "mean")
    return [
        mean,
        *([f"most of the loss: {words}"] if words else []),
        "highest means:",
        *(
            f"  step {step}: {number(mean)}  {printable(file, most=200)}"
            for step, mean, file in zip(worst["step"], worst["mean"], worst["file"], strict=True)
        ),
    ]


def _as_json(done: Scan, opened: Run | None, checked: RunDiagnosis | None) -> str:
    state = done.progress
    document: dict[str, Any] = {
        "run": str(done.folder),
        "files": state.total,
        "scanned": state.scanned,
        "kept": state.kept,
        "left_out": state.problems,
        "state": state.state,
    }
    if opened is not None:
        total, divisor = _total(opened.steps())
        mean = plain(total / divisor) if divisor else None
        document |= {"loss": plain(total), "divisor": divisor, "mean": mean}
    if checked is not None:
        document["findings"] = [
            {"code": one.first.code, "severity": one.first.severity, "steps": one.steps} for one in checked.findings
        ]
    return json.dumps(document, indent=2, allow_nan=False) + "\n"

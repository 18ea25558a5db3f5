"""The doctor on batches that its rules were not tuned on: `tests/rules/pipelines.py`, before and after the mending."""

import argparse
import json
import zlib
from collections import defaultdict
from pathlib import Path

import numpy as np

from lossviz import diagnose
from tests.bench._markdown import table
from tests.rules.pipeline_bugs import BUGS, tried
from tests.rules.pipeline_clean import PIPELINES

BEFORE = Path(__file__).parent / "pipelines_before.json"
"""What the rules of 2026-11-20 made of the same batches, before anybody had seen these: not to be measured again."""
Counted = dict[str, list[int]]


def counted(each: int) -> Counted:
    """By code: batches that show the bug, those that can't, named, named first."""
    found: Counted = defaultdict(lambda: [0, 0, 0, 0])
    for place, bug in enumerate(BUGS):
        for trial in tried(place, each):
            one = [0, 1, 0, 0] if trial is None else [1, 0, int(trial.is_named), int(trial.is_first)]
            found[bug.code] = [a + b for a, b in zip(found[bug.code], one, strict=True)]
    return dict(sorted(found.items()))


def alarmed(each: int) -> dict[str, list[str]]:
    """By kind of clean batch: the codes said at warning or above, a batch at a time."""
    said: dict[str, list[str]] = {}
    for kind, make in PIPELINES.items():
        for seed in range(each):
            diagnosis = diagnose(make(np.random.default_rng([zlib.crc32(kind.encode()), seed])))
            codes = [finding.code for finding in diagnosis.findings if finding.severity != "info"]
            codes += [outcome.code for outcome in diagnosis.outcomes if outcome.state == "crashed"]
            said.setdefault(kind, []).extend([" ".join(codes)] if codes else [])
    return said


def measured(bugs: int, clean: int) -> dict:
    said = alarmed(clean)
    return {"bugs": counted(bugs), "alarms": {k: v for k, v in said.items() if v}, "clean": clean * len(said)}


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4g} %" if whole else "–"


def row(code: str, now: list[int], before: list[int]) -> list[object]:
    shown, mute, named, first = now
    then = [percent(before[2], before[0]), percent(before[3], before[0])]
    return [code, shown, mute, *then, percent(named, shown), percent(first, shown)]


def section(now: dict) -> str:
    """What docs/rules.md says of it."""
    before = json.loads(BEFORE.read_text())
    header = ("bug", "shown", "cannot tell", "named before", "first before", "named", "first finding")
    none = [0, 0, 0, 0]
    rows = [row(f"`{code}`", counts, before["bugs"].get(code, none)) for code, counts in now["bugs"].items()]
    total, then = (np.sum(list(some["bugs"].values()), axis=0).tolist() for some in (now, before))
    return "\n\n".join([WHAT, table(header, [*rows, row("**all**", total, then)]), alarms(now, before)])


def alarms(now: dict, before: dict) -> str:
    """How many clean batches got a warning or an error, before and after."""
    many = [sum(len(codes) for codes in some["alarms"].values()) for some in (before, now)]
    where = [f"- {kind}: {', '.join(sorted(set(codes)))}" for kind, codes in now["alarms"].items()]
    said = f"{many[1]} of {now['clean']:,} clean batches of these pipelines got an error or a warning; "
    said += f"before, {many[0]} of {before['clean']:,}."
    return "\n".join([said, *where])


WHAT = (
    "The tables above are the authors': they wrote the rules, the batches and the bugs. The next one is not. Somebody "
    "who had read no rule wrote data pipelines and training loops from the catalogue alone "
    "(`tests/rules/pipelines.py`): a model that half of the time was trained by the same pipeline, bug and all, and of "
    "each step what a user would record, never everything. *Before*: the rules when they first met these batches. The "
    "other numbers are from after they were mended for what they missed there, so those are no longer an independent "
    "test. *Cannot tell*: what was recorded does not show the bug by the catalogue's signature; not counted. A code "
    "that the catalogue calls the same symptom counts, and so does one whose number is the same on that batch. *First "
    "finding*: nothing as serious comes before it; an info may come after another info."
)

if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bugs", type=int, default=20)
    options.add_argument("--clean", type=int, default=60)
    print(json.dumps(measured(**vars(options.parse_args()))))

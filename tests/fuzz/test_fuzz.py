"""A bounded slice of `make fuzz`, and that it finds what it looks for."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = 1_000

# Cases that do what no case may, by the word that is said of each.
PLANTED = """
import os, re, sys, time
import numpy as np
from lossviz.errors import InputError
from tests.fuzz import cases, workers

def refuse(kind, content):
    raise InputError("x" * 3_000)

def print_escape(kind, content):
    raise InputError("\\x1b[31m")

def doom(*_):  # leaves behind what ends the worker before the next case, as the kernel does for memory
    workers.json.dumps = lambda *_: os.kill(os.getpid(), 9)
    return "read"

planted = {
    "fine": lambda *_: "read",
    "raises": lambda *_: {}["x"],
    "long": refuse,
    "unprintable": print_escape,
    "large": lambda *_: str(np.ones(60 * 2**20, np.int8).sum()),
    "endless": lambda *_: "".join(iter(lambda: "", "x")),
    "killed": lambda *_: os.kill(os.getpid(), 7),
    "deaf": lambda *_: (workers.signal.signal(workers.signal.SIGPROF, workers.signal.SIG_IGN), time.sleep(60)),
    "after": lambda *_: "read",
    "doomed": doom,
    "last": lambda *_: "read",
}
cases._ASKERS.update(planted)
workers.SECONDS, workers.STALLED, workers.MEMORY = 0.5, 8, 50 * 2**20
stream = ((number, kind, lambda: None) for number, kind in enumerate(planted))
print(workers.numbered(7, 1)[2]() == workers.numbered(7, 1)[2]())
outcome = workers.run(stream, time.monotonic() + 60)
print(outcome.done, *(outcome.counts[f"{kind}: read"] for kind in ("fine", "after", "last")))
for one in outcome.wrong:
    print(one["kind"], re.sub(r"\\d+", "N", one["what"])[:50])
"""


def python(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)


def test_fuzz_slice_finds_nothing() -> None:
    """Hostile files of every format, runs, texts, links and arguments: a sentence each; and what was found once."""
    done = python("-m", "tests.fuzz", "--seed", "1", "--cases", str(CASES), "--seconds", "240")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"^seed 1: {CASES:,} cases in \d+ s, 0 wrong$", done.stdout, re.MULTILINE)


def test_fuzz_finds_what_it_looks_for() -> None:
    lines = python("-c", PLANTED).stdout.splitlines()
    assert lines[:2] == ["True", "11 1 1 1"]  # the same seed and number, the same case
    assert lines[2:] == [
        "raises KeyError at <string>:N: 'x'",
        "long Wrong at cases.py:N: a message of N,N characters: ",
        "unprintable Wrong at cases.py:N: a message that can't be print",
        "large it took N MiB",
        "endless TimeoutError at workers.py:N: a case took N.N seco",
        "killed the worker ended with N",
        "deaf the worker ended with N",
        "doomed the worker ended with N after this case",
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "tests/fuzz/corpus").rglob("*.*")), ids=lambda path: path.name)
def test_fuzz_corpus_is_small(path: Path) -> None:
    assert path.stat().st_size < 20_000
    if path.name == "losses.json":
        assert json.loads(path.read_text())["classes"] == 5

"""How often `identify` names a formula of a number that no loop printed: part of `make doctor-bench`."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lossviz import analyze, identify
from tests.bench._markdown import table
from tests.rules.clean import CLEAN

__all__ = ["Hits", "false_hits", "section"]

BATCHES, EACH, DECIMALS = 20, 50, 4
MOST = {"certain": 0.01, "possible": 0.03}
"""The largest shares of random numbers that may get such an answer."""

WHAT = (
    "What `identify` says of random numbers with {decimals} decimals, between half and twice the mean of {batches} "
    "clean batches. *Certain*: the first answer has no doubt; *possible*: it starts with that word. Chance is none."
)


class Hits(NamedTuple):
    """How many random numbers were asked, and how many got an answer that is certain, or possible."""

    asked: int
    certain: int
    possible: int


def _answers(seed: int, batches: int, each: int) -> Iterator[str]:
    random, kinds = np.random.default_rng(seed), list(CLEAN)
    for number in range(batches):
        analysis = analyze(CLEAN[kinds[7 * number % len(kinds)]](random))
        mean = float(analysis.unpadded_loss.sum() / analysis.weights.sum())
        for drawn in random.uniform(0.5, 2, each) * (mean if np.isfinite(mean) and mean > 0 else 1.0):
            first = next(iter(identify(analysis, f"{drawn:.{DECIMALS}f}")), None)
            accidental = first is None or first.accidental
            yield "" if first is None or accidental else "possible" if first.possible else "certain"


def false_hits(seed: int = 0, batches: int = BATCHES, each: int = EACH) -> Hits:
    """Ask for `each` random numbers of every batch."""
    said = list(_answers(seed, batches, each))
    return Hits(len(said), said.count("certain"), said.count("possible"))


def section() -> str:
    """The shares beside their goals, in Markdown."""
    hits = false_hits()
    rows = [
        [kind, getattr(hits, kind), f"{100 * getattr(hits, kind) / hits.asked:.1f} %", f"≤ {100 * most:g} %"]
        for kind, most in MOST.items()
    ]
    head = ("answer", f"of {hits.asked:,} numbers", "share", "goal")
    return f"{WHAT.format(decimals=DECIMALS, batches=BATCHES)}\n\n{table(head, rows)}"

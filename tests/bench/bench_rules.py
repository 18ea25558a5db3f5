"""Seconds that each rule takes on the largest batches it must bear: `python -m tests.bench.bench_rules`.

The goal is one second a rule. Timed is the check; the number after the fix is one more `analyze` and told apart.
Rules that ask `identify` about a printed number share its answer, so that the first of them pays for it.
"""

import sys
from collections.abc import Iterator
from time import perf_counter

import numpy as np

from lossviz import Batch, analyze
from lossviz.rules import RULES
from lossviz.rules._core.case import Case
from lossviz.rules._core.examine import check
from lossviz.rules._core.phases import in_order
from lossviz.rules._core.read_only import frozen

GOAL = 1.0
SHOWN = 0.05
"""Rules that are faster everywhere are left out of the table."""


def batch(sequences, timesteps, classes, *, knows, permuted=False, **more):
    """Logits of unit noise that know their targets by some nats, padded to lengths of a half to all of T."""
    random = np.random.default_rng(sequences + timesteps)
    lengths = random.integers(-(-timesteps // 2), timesteps + 1, sequences)
    targets = random.integers(1 % classes, classes, (sequences, timesteps))
    targets[np.arange(timesteps) >= lengths[:, None]] = 0
    logits = random.normal(size=(sequences, timesteps, classes)).astype("f4")
    np.put_along_axis(logits, targets[..., None], np.take_along_axis(logits, targets[..., None], 2) + knows, 2)
    if permuted:
        logits = logits[random.permutation(sequences)]
    return Batch.from_arrays(logits=logits, targets=targets, lengths=lengths, **more)


def large(classes):
    """The size that the goal names, with every optional part that rules look at."""
    plain = batch(4096, 1024, classes, knows=1.0, pad_id=0, eos_id=1)
    inputs = np.roll(plain.targets, 1, axis=1)
    return plain.replace(inputs=np.where(np.arange(1024) == 0, 1, inputs))


BATCHES = {
    "4096 × 1024 × 2": lambda: large(2),
    "4096 × 1024 × 8": lambda: large(8),
    "4096 × 1024 × 4, unmasked": lambda: batch(4096, 1024, 4, knows=1.0).replace(lengths=None),
    "1000 × 64 × 16, half-trained": lambda: batch(1000, 64, 16, knows=1.0),
    "1000 × 64 × 16, permuted": lambda: batch(1000, 64, 16, knows=2.0, permuted=True),
    "1000 × 64 × 16, hardly trained, permuted": lambda: batch(1000, 64, 16, knows=0.6, permuted=True),
    "2048 × 1 × 2": lambda: batch(2048, 1, 2, knows=1.0),
    "2048 × 1 × 5000, permuted": lambda: batch(2048, 1, 5000, knows=12.0, permuted=True),
    "2048 × 8 × 16": lambda: batch(2048, 8, 16, knows=1.0),
    "2048 × 64 × 50, permuted": lambda: batch(2048, 64, 50, knows=3.0, permuted=True),
    "256 × 2048 × 8": lambda: batch(256, 2048, 8, knows=0.5),
}


def seconds(given: Batch) -> Iterator[tuple[str, str, float]]:
    """Code, what became of it, and seconds of each rule's check, roots first, as `diagnose` runs them."""
    case = Case(frozen(analyze(given)))
    for rule in in_order(RULES):
        start = perf_counter()
        outcome, _ = check(rule, case)
        yield rule.code, outcome.state, perf_counter() - start


def main() -> int:
    worst: dict[str, tuple[float, str, str]] = {}
    for name, made in BATCHES.items():
        total = 0.0
        for code, state, took in seconds(made()):
            total += took
            worst[code] = max(worst.get(code, (0.0, "", "")), (took, name, state))
        print(f"{name}: {total:.2f} s for all rules", flush=True)
    print("\n| rule | slowest, s | on | outcome |\n| --- | --- | --- | --- |")
    for code, (took, name, state) in sorted(worst.items(), key=lambda item: -item[1][0]):
        if took > SHOWN:
            print(f"| {code} | {took:.2f} | {name} | {state} |")
    slow = [code for code, (took, *_) in worst.items() if took > GOAL]
    print(f"\nabove {GOAL:.0f} s: {', '.join(slow) or 'none'}")
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())

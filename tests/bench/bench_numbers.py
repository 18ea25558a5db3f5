"""How long one takes to know a printed number, and writes its part of docs/benchmarks.md: `make bench`.

Every batch is measured in a process of its own; what compiles or loads something, twice.
"""

import datetime
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench._markdown import table, write_section

ROOT = Path(__file__).parents[2]
BATCHES = ((32, 512, 1000), (32, 512, 32000), (1024, 1024, 3), (4096, 1024, 8))
OPTIONS = {"smoothing": 0.1, "accumulation_steps": 4, "z_loss": 1e-4}
GOALS = {
    (32, 512, 32000): {"alternatives, again": 2.0, "identify, again": 2.0},
    (4096, 1024, 8): {"identify, again": 5.0},
}
INTRODUCTION = """## Printed numbers

`python -m tests.bench.bench_numbers`, {today}, {cpus} CPUs, seconds, each batch in its own process (load
averages {load}). `alternatives` are the losses that need the logits again; `identify` and `diagnose` (every rule,
without a printed number) are timed with these and the analysis already there. The first call of each compiles or loads
what it needs.
"""


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(sequences: int, timesteps: int, classes: int) -> dict[str, float]:
    """What each step takes on a batch of random logits and unequal lengths, by its name."""
    import numpy as np

    from lossviz import Batch, analyze, compare_conventions, diagnose, identify
    from lossviz.engine import alternative_losses

    random = np.random.default_rng(0)
    batch = Batch.from_arrays(
        logits=random.standard_normal((sequences, timesteps, classes), dtype=np.float32),
        targets=random.integers(0, classes, (sequences, timesteps)),
        lengths=random.integers(timesteps // 4, timesteps + 1, sequences),
        pad_id=0,
    )
    took, analysis = {"analysis": seconds(lambda: analyze(batch))}, analyze(batch)
    took["analysis, again"] = seconds(lambda: analyze(batch))
    took["alternatives"] = seconds(analysis.alternatives)
    took["alternatives, again"] = seconds(lambda: alternative_losses(batch.logits, batch.targets))
    number = f"{analysis.value:.5f}"
    took["identify"] = seconds(lambda: identify(analysis, number))
    took["identify, again"] = seconds(lambda: identify(analysis, "1.2345"))
    took["compare_conventions"] = seconds(lambda: compare_conventions(analysis, **OPTIONS))
    took["diagnose"] = seconds(lambda: diagnose(analysis))
    took["load average"] = os.getloadavg()[0]
    return took


def measured(shape: tuple[int, int, int]) -> dict[str, float]:
    """`measure` in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.bench_numbers", *map(str, shape)]
    run = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    found: dict[str, float] = json.loads(run.stdout)
    return found


def main() -> None:
    columns = {shape: measured(shape) for shape in BATCHES}
    loads = ", ".join(f"{took.pop('load average'):.1f}" for took in columns.values())
    rows = [[name, *(f"{took[name]:.2f}" for took in columns.values())] for name in columns[BATCHES[0]]]
    today, cpus = datetime.date.today().isoformat(), os.cpu_count()
    goals = [
        f"{name}, {' × '.join(f'{axis:,}' for axis in shape)}: {columns[shape][name]:.2f} s, goal ≤ {most:g} s, "
        f"{'met' if columns[shape][name] <= most else '**not met**'}."
        for shape, wanted in GOALS.items()
        for name, most in wanted.items()
    ]
    header = ["", *(" × ".join(f"{axis:,}" for axis in shape) for shape in columns)]
    text = "\n".join([INTRODUCTION.format(today=today, cpus=cpus, load=loads), table(header, rows), "", *goals])
    write_section("numbers", text)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(*map(int, sys.argv[1:4]))))
    else:
        main()

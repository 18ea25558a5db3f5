"""Scanning a corpus: two workers beside one, memory, and how the cost grows from 10⁶ to 10⁸ timesteps.

Workers are started before the clock; one and two alternate, so that a loaded machine slows both alike.
"""

import datetime
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.bench._markdown import table, write_section
from tests.bench._memory import peak

FILES, B, T, V = 16, 32, 128, 4_000  # 64 MiB of logits each
ROUNDS = 7
SIZES = (1, 10, 100)  # files of 10⁶ timesteps
ROWS, WIDTH = 1_000, 1_000
INTRODUCTION = """## Scan

`python -m tests.bench.bench_scan`, {today}, {cpus} CPUs, load average {load}. Two workers and one, of a Dask scheduler
on this machine, read {files} files of {b} × {t} × {v} logits each, {size:.1f} GB in all; medians of {rounds},
alternating, the workers started before. Memory is the largest resident size of a worker, Python and its libraries
included. The cost is processor time of one process that scans files of 10⁶ recorded losses each.
"""


def write_logits(folder: Path) -> list[str]:
    random, files = np.random.default_rng(0), []
    for number in range(FILES):
        path = folder / f"logits-{number:03d}.npz"
        logits = random.normal(size=(B, T, V)).astype(np.float32)
        np.savez(path, logits=logits, targets=random.integers(0, V, (B, T)))
        files.append(str(path))
    return files


def largest(dask_worker: Any) -> int:
    return peak()


def workers(folder: Path) -> dict[str, float]:
    from distributed import Client, LocalCluster

    from lossviz.scanning import scan

    files, took, memory = write_logits(folder), {1: [], 2: []}, 0
    clusters = {
        count: LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address="127.0.0.1:0") for count in took
    }
    for count, cluster in clusters.items():  # what a worker imports first
        scan(files[:count], folder / f"warm-{count}", engine=cluster.scheduler_address)
    for number in range(ROUNDS):
        for count, cluster in clusters.items():
            start = time.perf_counter()
            scan(files, folder / f"run-{count}-{number}", engine=cluster.scheduler_address)
            took[count].append(time.perf_counter() - start)
    for cluster in clusters.values():
        with Client(cluster, set_as_default=False) as client:
            memory = max(memory, *client.run(largest).values())
        cluster.close()
    return {"one": median(took[1]), "two": median(took[2]), "memory": memory}


def costs(folder: Path) -> dict[int, float]:
    """Processor seconds of a scan in this process, by the number of files; the files are one file under many names."""
    from lossviz.scanning import scan

    random, first = np.random.default_rng(1), folder / "losses.npz"
    losses = random.exponential(size=(ROWS, WIDTH)).astype(np.float32)
    np.savez(first, losses=losses, targets=random.integers(0, 50_000, (ROWS, WIDTH)))
    scan([first], folder / "warm")
    found = {}
    for size in SIZES:
        files = [folder / f"{size}-{number:03d}.npz" for number in range(size)]
        for file in files:
            os.link(first, file)
        start = time.process_time()
        scan(files, folder / f"run-{size}")
        found[size] = time.process_time() - start
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        measured, cost = workers(Path(one)), costs(Path(other))
    held = peak()
    slope = np.polyfit(np.log(list(cost)), np.log(list(cost.values())), 1)[0]
    ratio, timesteps = measured["one"] / measured["two"], FILES * B * T
    rows = [
        [
            "one worker",
            f"{measured['one']:.1f} s, {timesteps * V / measured['one'] / 1e6:.0f} million logits a second",
            "",
        ],
        ["one worker ÷ two", f"{ratio:.2f}", f"≥ 1.6, {'met' if ratio >= 1.6 else '**not met**'}"],
        ["memory of a worker", f"{measured['memory'] / 2**20:.0f} MiB", "bounded: the same for any number of files"],
        *(
            [f"10{'⁶⁷⁸'[at]} recorded losses", f"{seconds:.1f} s of one processor", ""]
            for at, seconds in enumerate(cost.values())
        ),
        ["log-log slope", f"{slope:.3f}", f"1 ± 0.05, {'met' if abs(slope - 1) <= 0.05 else '**not met**'}"],
        ["memory after 10⁸", f"{held / 2**20:.0f} MiB", "bounded"],
    ]
    head = INTRODUCTION.format(
        today=datetime.date.today().isoformat(),
        cpus=os.cpu_count(),
        load=f"{os.getloadavg()[0]:.1f}",
        files=FILES,
        b=B,
        t=T,
        v=f"{V:,}",
        size=FILES * B * T * V * 4 / 1e9,
        rounds=ROUNDS,
    )
    write_section("scan", "\n".join([head, table(["", "measured", "goal"], rows)]))


if __name__ == "__main__":
    main()

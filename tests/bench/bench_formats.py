"""Reading text of almost as many numbers as are allowed: `python -m tests.bench.bench_formats`."""

import datetime
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from lossviz.formats import contents, write
from tests.bench._markdown import table, write_section

B, T, V = 4, 49, 50_257  # 9.85 million logits, of at most 10 million cells
ROUNDS = 3
INTRODUCTION = """## Text files

`python -m tests.bench.bench_formats`, {today}, {cpus} CPUs, load average {load}. Reading {b} × {t} × {v:,} logits of
four digits, {million:.1f} million cells, in the page cache; medians of {rounds}.
"""


def fields(*shape: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    logits = np.round(random.normal(size=shape).astype(np.float32), 4)
    return {"logits": logits, "targets": random.integers(0, 9, shape[:2])}


def main() -> None:
    load, rows = f"{os.getloadavg()[0]:.1f}", []
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("csv", "json"):
            small, path = Path(folder) / f"small.{suffix}", Path(folder) / f"large.{suffix}"
            write(fields(1, 2, 50), small)
            contents(small)  # what the first file of a process imports
            write(fields(B, T, V), path)
            took = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                contents(path)
                took.append(time.perf_counter() - start)
            met = "met" if median(took) <= 2 else "**not met**"
            rows.append([suffix, f"{path.stat().st_size / 2**20:.0f} MiB", f"{median(took):.2f} s", f"≤ 2 s, {met}"])
    text = INTRODUCTION.format(
        today=datetime.date.today().isoformat(),
        cpus=os.cpu_count(),
        load=load,
        b=B,
        t=T,
        v=V,
        million=B * T * V / 1e6,
        rounds=ROUNDS,
    )
    write_section("formats", text + "\n" + table(["format", "size", "measured", "goal"], rows))


if __name__ == "__main__":
    main()

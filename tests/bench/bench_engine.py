"""Measures the engine beside PyTorch and TensorFlow, and writes its half of docs/benchmarks.md: `make bench`.

Every contender is a process of its own; they are asked in turn, so that a busy machine slows all of them.
"""

import datetime
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from sample_data.make_large import large_logits
from tests.bench._markdown import table, write_section

ROOT = Path(__file__).parents[2]
REPETITIONS = 9
SHAPES = ((32, 128, 1000), (16, 256, 8000), (8, 256, 50257), (8, 128, 128256))
BIG = ((8, 256, 50257), (32, 512, 50257))
NO_FAULTS = {
    "MALLOC_MMAP_THRESHOLD_": "8000000000",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
    "MALLOC_TOP_PAD_": "1000000000",
}
KEPT = "torch, malloc keeps its pages"
CONTENDERS = (
    "torch",
    KEPT,
    "torch.compile",
    "lossviz, RAM",
    "lossviz, file",
    "lossviz without XLA, RAM",
    "TensorFlow's op",
    "stream",
)
# contender, peer, the smallest V that the goal is for, the most that the ratio of the minima may be
GOALS = (
    ("lossviz, RAM", "torch", 8000, 0.5),
    ("lossviz, RAM", KEPT, 8000, 2.0),
    ("lossviz, RAM", "torch.compile", 50000, 1.5),
    ("lossviz, file", "torch", 50000, 0.5),
    ("lossviz, file", "torch", 8000, 0.7),
    ("lossviz without XLA, RAM", "torch", 8000, 1.2),
)
ACCURACY = {"loss": 2e-6, "gradient_norm": 2e-6, "entropy": 5e-6, "probability": 5e-6}
INTRODUCTION = """## Engine

`python -m tests.bench.bench_engine`, {today}, {cpus} CPUs, one interleaved run of {repetitions} repetitions, each
contender in a process of its own. Load average {before:.1f} before and {after:.1f} after; about 1 of it is its own.

lossviz computes the full diagnosis (loss, probability, entropy, rank, gradient norm, top 5, non-finite count), its
peers the loss alone: `F.cross_entropy(reduction="none")` and `tf.nn.sparse_softmax_cross_entropy_with_logits`. "File"
is a page-cached `.npy`; "stream" reads the array once (`torch.max`).
"""
ACCURACY_TITLE = """### Largest relative error against extended precision

V = 1,000 to 128,256; float32, float16 and bfloat16; with and without XLA.
"""


class Worker:
    """A contender waiting in its process."""

    def __init__(self, name: str) -> None:
        self.case = "torch" if name == KEPT else name
        environment = os.environ | (NO_FAULTS if name == KEPT else {})
        command = [sys.executable, "-m", "tests.bench._engine_worker"]
        self.process = subprocess.Popen(
            command, env=environment, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __call__(self, shape: tuple[int, ...]) -> float:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps([self.case, *shape]), file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def speed() -> dict[tuple[int, ...], dict[str, list[float]]]:
    """Milliseconds of each repetition, by shape and contender."""
    workers = {name: Worker(name) for name in CONTENDERS}
    times: dict[tuple[int, ...], dict[str, list[float]]] = {}
    for shape in SHAPES:
        times[shape] = {name: [] for name in CONTENDERS if name != "torch.compile" or shape[2] >= 50000}
        for repetition in range(REPETITIONS + 1):
            for name, taken in times[shape].items():
                milliseconds = workers[name](shape) * 1e3
                if repetition:  # the first one loads and compiles
                    taken.append(milliseconds)
    for worker in workers.values():
        worker.process.kill()
    return times


def speed_tables(times: dict[tuple[int, ...], dict[str, list[float]]]) -> str:
    parts = []
    for shape, taken in times.items():
        gigabytes = 4 * shape[0] * shape[1] * shape[2] / 1e9
        best = {name: min(values) for name, values in taken.items()}
        rows = [
            [name, f"{best[name]:.1f}", f"{statistics.median(values):.1f}", f"{best[name] / best['torch']:.2f}",
             f"{1e3 * gigabytes / best[name]:.1f}"]
            for name, values in taken.items()
        ]  # fmt: skip
        parts.append(f"**{shape[0]} × {shape[1]} × {shape[2]} float32, {gigabytes * 1e3:.0f} MB**\n")
        parts.append(table(["", "min ms", "median ms", "min ÷ torch's", "GB/s"], rows) + "\n")
    return "\n".join(parts)


def goals(times: dict[tuple[int, ...], dict[str, list[float]]]) -> list[list[str]]:
    rows = []
    for ours, peer, classes, most in GOALS:
        for shape, taken in times.items():
            if shape[2] < classes or (most == 0.7 and shape[2] >= 50000):
                continue
            ratio = min(taken[ours]) / min(taken[peer])
            median = statistics.median(a / b for a, b in zip(taken[ours], taken[peer], strict=True))
            rows.append(
                [
                    f"{ours} ÷ {peer}, V = {shape[2]}",
                    f"≤ {most}",
                    f"{ratio:.2f} (median pair {median:.2f})",
                    met(ratio <= most),
                ]
            )
    return rows


def met(holds: bool) -> str:
    return "met" if holds else "**not met**"


def check(name: str, *arguments: object, **environment: str) -> Any:
    command = [sys.executable, "-m", "tests.bench._engine_checks", name, *map(str, arguments)]
    run = subprocess.run(command, env=os.environ | environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def memory_rows() -> list[list[str]]:
    rows = []
    for shape in BIG:
        size = large_logits(*shape).stat().st_size / 1e9
        for xla, path in (("1", "XLA"), ("0", "without XLA")):
            found = check("memory", *shape, LOSSVIZ_XLA=xla)
            calls = f"first call {found['first']:.2f} s, again {found['again']:.2f} s"
            what = f"extra memory, {size:.1f} GB file, {path} ({calls})"
            rows.append([what, "≤ 128 MB", f"{found['megabytes']:.0f} MB", met(found["megabytes"] <= 128)])
    return rows


def together_rows() -> list[list[str]]:
    rows = []
    for shape, most in (((8, 256, 50257), 0.45), ((16, 256, 8000), 0.55)):
        found = check("together", *shape)
        cost = f"{found['ratio']:.2f} (median pair {found['median']:.2f}; costs us {found['cost'] - 1:+.0%} CPU time)"
        what = f"lossviz, RAM ÷ torch, both in one process, V = {shape[2]}"
        rows.append([what, f"≤ {most}", cost, met(found["ratio"] <= most)])
    return rows


def tiny_rows() -> list[list[str]]:
    runs = [check("tiny", "loaded") for _ in range(3)]
    cold = min(check("tiny", "not")["first"] for _ in range(3))
    steady, first = min(run["min"] for run in runs), min(run["first"] for run in runs)
    median, traces = min(run["median"] for run in runs), max(run["traces"] for run in runs)
    return [
        ["tiny batch 4 × 10 × 20, an edit", "≤ 0.5 ms", f"{steady:.2f} ms (median {median:.2f})", met(median <= 0.5)],
        ["tiny batch, first call after `load_tensorflow()`", "≤ 100 ms", f"{first:.1f} ms", met(first <= 100)],
        ["tiny batch, first call without it", "≤ 100 ms", f"{cold:.0f} ms", met(cold <= 100)],
        ["traces for four shapes", "1", str(traces), met(traces == 1)],
    ]


def accuracy_table() -> str:
    rows = [
        [name, *(f"{errors[field]:.1e}" for field in ACCURACY), met(all(errors[f] <= ACCURACY[f] for f in ACCURACY))]
        for name, errors in check("accuracy").items()
    ]
    return table(["logits", *(f"{field} (≤ {most:.0e})" for field, most in ACCURACY.items()), ""], rows)


def main() -> None:
    for shape in {*SHAPES, *BIG}:
        large_logits(*shape)
    before = os.getloadavg()[0]
    times = speed()
    after = os.getloadavg()[0]
    rows = goals(times) + together_rows() + memory_rows() + tiny_rows()
    parts = [
        INTRODUCTION.format(
            today=datetime.date.today(), cpus=os.cpu_count(), repetitions=REPETITIONS, before=before, after=after
        ),
        table(["what", "goal", "measured", ""], rows) + "\n",
        speed_tables(times),
        ACCURACY_TITLE,
        accuracy_table(),
    ]
    text = "\n".join(parts)
    print(text)
    write_section("engine", text)


if __name__ == "__main__":
    main()

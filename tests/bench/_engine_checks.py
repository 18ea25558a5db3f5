"""What is measured in a fresh process each: memory, latency, accuracy. `python -m tests.bench._engine_checks NAME`."""

import json
import os
import sys
import time
from typing import Any

import ml_dtypes
import numpy as np

from sample_data.make_large import large_logits, large_targets
from tests.bench._memory import peak
from tests.engine._oracle import confident, confidently_wrong, numbers, relative_error

FIELDS = ("loss", "gradient_norm", "entropy", "probability")


def memory(batch: str, length: str, classes: str) -> dict[str, Any]:
    """The growth of the peak of resident memory in MB, and the seconds of a first and a second call."""
    from lossviz.engine import load_tensorflow, per_timestep

    shape = (int(batch), int(length), int(classes))
    load_tensorflow()
    before, seconds = peak() / 2**20, []
    for _ in range(3):
        start = time.perf_counter()
        per_timestep(np.load(large_logits(*shape), mmap_mode="r"), large_targets(*shape))
        seconds.append(time.perf_counter() - start)
    return {"megabytes": peak() / 2**20 - before, "first": seconds[0], "again": min(seconds[1:])}


def tiny(loaded: str) -> dict[str, Any]:
    """Milliseconds of the first call, of an edit (another logit each time), and how often a new shape traced."""
    from lossviz.engine import _graph, load_tensorflow, per_timestep

    traced, rows = [], _graph._rows
    _graph._rows = lambda x, y: traced.append(1) or rows(x, y)
    if loaded == "loaded":
        load_tensorflow()
    random = np.random.default_rng(0)
    logits, targets = random.normal(size=(4, 10, 20)).astype(np.float32), random.integers(0, 20, (4, 10))
    times = []
    for edit in range(500):
        logits[edit % 4, edit % 10, edit % 20] += 1
        start = time.perf_counter()
        per_timestep(logits, targets)
        times.append((time.perf_counter() - start) * 1e3)
    for shape in ((1, 1, 1), (8, 16, 32), (3, 7, 100)):
        per_timestep(np.zeros(shape), np.zeros(shape[:2], int))
    return {
        "first": times[0],
        "min": min(times),
        "median": float(np.median(times)),
        "traces": len(traced),
    }


def together(batch: str, length: str, classes: str) -> dict[str, float]:
    """Our call and PyTorch's in turn, in one process: the ratios, and our processor time after each of them."""
    from lossviz.engine import load_tensorflow, per_timestep

    load_tensorflow()
    import torch

    torch.set_num_threads(2)
    shape = (int(batch), int(length), int(classes))
    logits, targets = np.load(large_logits(*shape)), large_targets(*shape)
    x, y = torch.from_numpy(logits).flatten(0, 1), torch.from_numpy(targets).flatten()

    def ours() -> tuple[float, float]:
        start, busy = time.perf_counter(), time.process_time()
        per_timestep(logits, targets)
        return time.perf_counter() - start, time.process_time() - busy

    def theirs() -> float:
        start = time.perf_counter()
        torch.nn.functional.cross_entropy(x, y, reduction="none")
        return time.perf_counter() - start

    ours(), theirs()
    pairs, after_ours = [], []
    for _ in range(9):
        pairs.append((theirs(), *ours()))
        after_ours.append(ours()[1])
    torchs, mine, busy = (np.array(column) for column in zip(*pairs, strict=True))
    return {
        "ratio": mine.min() / torchs.min(),
        "median": float(np.median(mine / torchs)),
        "cost": float(np.median(busy) / np.median(after_ours)),
    }


def accuracy() -> dict[str, dict[str, float]]:
    """The largest relative error of each field over all paths and dtypes, by kind of logits."""
    from lossviz.engine import per_timestep

    random = np.random.default_rng(0)
    errors: dict[str, dict[str, float]] = {}
    for classes in (1000, 8000, 50257, 128256):
        count = max(24, 2_200_000 // classes)  # enough for the path of large batches
        normal, targets = random.normal(size=(count, classes)), random.integers(0, classes, count)
        masked = np.where(random.random((count, classes)) < 0.9, -np.inf, normal)
        masked[np.arange(count), targets] = 0
        cases = {"3 · normal": (3 * normal, targets), "3 · normal + 10⁴": (3 * normal + 1e4, targets)}
        cases |= {"10⁴ · normal": (1e4 * normal, targets), "near uniform": (1e-3 * normal, targets)}
        cases |= {"sure, right (gap 8 to 60)": confident(random, count, classes)}
        cases |= {"sure, right, + 10⁴": confident(random, count, classes, 1e4)}
        cases |= {"sure, wrong (gap 8 to 60)": confidently_wrong(random, count, classes)}
        cases |= {"90 % of the row -inf": (masked, targets)}
        for name, (logits, labels) in cases.items():
            for dtype in (np.float32, np.float16, ml_dtypes.bfloat16):
                if dtype == np.float16 and name.startswith("10⁴"):
                    continue  # beyond float16
                x = logits.astype(dtype)
                expected = numbers(x, labels)
                for xla in "10":
                    os.environ["LOSSVIZ_XLA"] = xla
                    actual = per_timestep(x[None], labels[None])
                    worst = errors.setdefault(name, dict.fromkeys(FIELDS, 0.0))
                    for field in FIELDS:
                        worst[field] = max(worst[field], relative_error(getattr(actual, field)[0], expected[field]))
    return errors


if __name__ == "__main__":
    print(
        json.dumps(
            {"memory": memory, "tiny": tiny, "together": together, "accuracy": accuracy}[sys.argv[1]](*sys.argv[2:])
        )
    )

"""What a recorder costs, on beside off in one run, and writes its part of docs/benchmarks.md: `make bench`.

Steps with and without the recorder alternate, so that a loaded machine slows both alike; medians are compared.
"""

import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.bench._markdown import table, write_section
from tests.bench._memory import peak

ROOT = Path(__file__).parents[2]
B, T, WIDTH, V = 4, 64, 128, 50_000
ROUNDS = 30
MEBI = 2**20
INTRODUCTION = """## Recording

`python -m tests.bench.bench_recording`, {today}, {cpus} CPUs, load average {load}. A PyTorch language model on the CPU,
{b} × {t} timesteps, {v:,} classes, one thread; steps with and without a recorder alternate, medians of {rounds}, in CPU
time, which other jobs hardly affect. Memory is the peak of a loop that records {fed:,} timesteps of
losses, above that of the same loop without a recorder in which PyArrow is loaded.
"""


def overhead() -> dict[str, float]:
    """Seconds of CPU time of a plain step, of one inside the mode that isn't recorded, and of a recorded one."""
    import torch
    from torch.nn import functional

    import lossviz

    model = torch.nn.Sequential(torch.nn.Embedding(V, WIDTH), torch.nn.Linear(WIDTH, V))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    tokens = torch.randint(0, V, (B, T + 1))

    def step() -> float:
        start = time.process_time()
        loss = functional.cross_entropy(model(tokens[:, :-1]).view(-1, V), tokens[:, 1:].reshape(-1))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return time.process_time() - start

    torch.set_num_threads(1)
    took: dict[str, list[float]] = {"off": [], "seen": [], "recorded": []}
    step()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            orders = [("off", None), ("seen", 1), ("recorded", 2)]
            for name, current in [*orders[number % 3 :], *orders[: number % 3]]:
                if current is None:
                    took[name].append(step())
                    continue
                with lossviz.record_pytorch(
                    f"{folder}/{number}-{name}", every=1 if name == "recorded" else 2
                ) as recorder:
                    recorder.current = current
                    took[name].append(step())
    return {name: median(times) for name, times in took.items()}


def storage(on: bool) -> dict[str, float]:
    """Peak memory of a loop that hands 400 steps to a recorder, and bytes per timestep on the disk."""
    import numpy as np
    import pyarrow.parquet  # noqa: F401

    import lossviz

    random, steps, rows, timesteps = np.random.default_rng(0), 400, 64, 128
    targets = np.minimum(random.zipf(1.3, (rows, timesteps)), V - 1)  # as words are spread
    losses = random.gamma(2, 1.5, (rows, timesteps)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        if on:
            with lossviz.Recorder(f"{folder}/run", every=1, queue_size=8) as recorder:
                for step in range(steps):
                    recorder.step(step=step, targets=np.roll(targets, step), losses=losses + np.float32(step / 1000))
                    time.sleep(0.02)
        size = sum(path.stat().st_size for path in Path(folder).rglob("steps-*"))
        written = recorder._writer.state.written if on and recorder._writer else 1
    held = peak()
    return {"peak": held, "bytes": size / (written * rows * timesteps), "fed": steps * rows * timesteps}


def measured(*words: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.bench_recording", *words]
    run = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    found: dict[str, float] = json.loads(run.stdout)
    return found


def main() -> None:
    took, on, off = measured("overhead"), measured("storage", "on"), measured("storage", "off")
    seen, recorded = took["seen"] / took["off"] - 1, took["recorded"] / took["off"] - 1
    every_100 = (99 * took["seen"] + took["recorded"]) / (100 * took["off"]) - 1
    rows = [
        ["a step without a recorder", f"{took['off'] * 1000:.0f} ms", ""],
        ["a step that is seen and not recorded", f"{seen:+.1%}", ""],
        ["a recorded step", f"{recorded:+.1%}", verdict(recorded <= 0.25, "≤ 25 %")],
        ["a mean step at `every=100`", f"{every_100:+.1%}", verdict(every_100 <= 0.02, "≤ 2 %")],
        [
            "memory",
            f"{(on['peak'] - off['peak']) / MEBI:.0f} MiB",
            verdict(on["peak"] - off["peak"] <= 64e6, "≤ 64 MB"),
        ],
        [
            "on the disk, targets and float32 losses",
            f"{on['bytes']:.1f} bytes per timestep",
            verdict(on["bytes"] <= 8, "≤ 8"),
        ],
    ]
    today, load = datetime.date.today().isoformat(), f"{os.getloadavg()[0]:.1f}"
    head = INTRODUCTION.format(
        today=today, cpus=os.cpu_count(), load=load, b=B, t=T, v=V, rounds=ROUNDS, fed=int(on["fed"])
    )
    write_section("recording", "\n".join([head, table(["", "measured", "goal"], rows)]))


def verdict(met: bool, goal: str) -> str:
    return f"{goal}, {'met' if met else '**not met**'}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(overhead() if sys.argv[1] == "overhead" else storage(sys.argv[2] == "on")))
    else:
        main()

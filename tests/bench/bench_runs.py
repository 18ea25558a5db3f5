"""Questions about a run of 10⁷ timesteps, beside plain SQL on the same files and pandas, and its part of benchmarks.md.

The contenders alternate, so that a loaded machine slows all alike; medians are compared.
"""

import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.bench._markdown import table, write_section
from tests.bench._memory import peak

ROOT = Path(__file__).parents[2]
B, T, V, STEPS = 64, 256, 5_000, 610
ROUNDS = 5
INTRODUCTION = """## Runs

`python -m tests.bench.bench_runs`, {today}, {cpus} CPUs, load average {load}. A run of {steps} steps of {b} × {t}
timesteps, {million:.1f} million in all, {size:.0f} MB of Parquet, in the page cache; medians of {rounds}, alternating.
"Plain SQL" is what one would type into DuckDB for the same numbers if there were no mask and no unknown losses;
processor times are compared, since other jobs may be running. pandas groups a frame that holds only the columns it
needs, read once from the same file. "First picture" is measured in a new process that has imported lossviz: it opens
the run, makes the table of its steps and draws them.
"""


def record(folder: Path, steps: int = STEPS, timesteps: int = T) -> None:
    """A run of random sequences; the recorder's queue is let run empty, so that memory stays bounded."""
    import lossviz

    random = np.random.default_rng(0)
    with lossviz.Recorder(folder, every=1, keep_steps=10**6, max_bytes=2**33, queue_size=10**6, pad_id=0) as recorder:
        for step in range(steps):
            lengths = random.integers(timesteps // 8, timesteps + 1, B)
            real = np.arange(timesteps) < lengths[:, None]
            targets = np.where(real, random.integers(1, V, (B, timesteps)), 0)
            losses = random.exponential(size=(B, timesteps)).astype(np.float32)
            recorder.step(step=step, targets=targets, losses=losses, lengths=lengths)
            while recorder._writer is not None and recorder._writer._queue.qsize() > 20:
                time.sleep(0.01)


def plain(files: str) -> dict[str, str]:
    unnested = f"SELECT step, unnest(targets) AS target, unnest(losses) AS loss FROM '{files}'"  # noqa: S608
    return {
        "by token": f"SELECT target, count(*), sum(loss), avg(loss) FROM ({unnested}) GROUP BY target ORDER BY 3 DESC",  # noqa: S608
        "steps": "SELECT step, avg(loss), quantile_cont(loss, [0.1, 0.5, 0.9]) "  # noqa: S608
        f"FROM ({unnested}) GROUP BY step ORDER BY step",
    }


def by_token_in_pandas(file: Path) -> int:
    import pandas

    frame = pandas.read_parquet(file, columns=["targets", "losses"]).explode(["targets", "losses"])
    return len(frame.groupby("targets")["losses"].sum())


def seconds(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def spent(ask: Callable[[], object]) -> tuple[float, float]:
    """What an answer took on the clock, and of the processors: other work beside changes the first, not the second."""
    processor = time.process_time()
    return seconds(ask), time.process_time() - processor


def compared(name: str, ask: str, took: dict[str, tuple[float, float]]) -> list[str]:
    """The row of a question beside its SQL: processor times are compared."""
    ratio = took[name][1] / took[f"{name}, SQL"][1]
    shown = f"{ratio:.2f} ({took[name][1]:.2f} of {took[f'{name}, SQL'][1]:.2f} s; {took[name][0]:.2f} s on the clock)"
    return [f"`{ask}` ÷ plain SQL", shown, verdict(ratio <= 1.3, "≤ 1.3")]


def queries(folder: Path) -> dict[str, tuple[float, float]]:
    import duckdb

    from lossviz.runs import open_run

    sql = plain(f"{folder}/*.parquet")
    took: dict[str, list[tuple[float, float]]] = {}
    [file] = folder.glob("*.parquet")
    warm = open_run(folder)
    warm.sequences()
    asked: dict[str, Callable[[], object]] = {
        "steps": lambda: open_run(folder).steps(),
        "steps, SQL": lambda: duckdb.connect().execute(sql["steps"]).df(),
        "by token": lambda: fresh(warm).by("token"),
        "by token, SQL": lambda: duckdb.connect().execute(sql["by token"]).df(),
        "by position": lambda: fresh(warm).by("position"),
        "sequences": lambda: fresh(warm).sequences("changed"),
        "trajectory": lambda: fresh(warm).trajectory(key),
    }
    key = warm.sequences()["sequence"][0]
    for _ in range(ROUNDS):
        for name, ask in asked.items():
            took.setdefault(name, []).append(spent(ask))
    return {**medians(took), "pandas": spent(lambda: by_token_in_pandas(file))}


def medians(took: dict[str, list[tuple[float, float]]]) -> dict[str, tuple[float, float]]:
    """The medians of clock and of processor, each by itself."""
    return {name: (median(one[0] for one in each), median(one[1] for one in each)) for name, each in took.items()}


def fresh(run: Any) -> Any:
    """The same run without the answers that it keeps: each question is asked again."""
    vars(run).pop("_kept", None)
    return run


def first_picture(folder: Path) -> dict[str, float]:
    """In a process of its own: from opening the run to its picture, and the memory on top of the imports."""
    import duckdb
    import pandas

    from lossviz.figures import run_steps
    from lossviz.runs import open_run

    duckdb.connect().execute("SELECT 1").df()
    pandas.DataFrame()
    before, start = peak(), time.perf_counter()
    run_steps(open_run(folder).outline()).to_json()
    took = time.perf_counter() - start
    return {"seconds": took, "bytes": peak() - before}


def verdict(met: bool, goal: str) -> str:
    return f"{goal}, {'met' if met else '**not met**'}"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        record(folder)
        command = [sys.executable, "-m", "tests.bench.bench_runs", str(folder)]
        first = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
        took = queries(folder)
        size = sum(file.stat().st_size for file in folder.iterdir())
    rows = [
        ["first picture", f"{first['seconds']:.2f} s", verdict(first["seconds"] <= 2, "≤ 2 s")],
        ["its memory", f"{first['bytes'] / 2**20:.0f} MiB", verdict(first["bytes"] <= 300e6, "≤ 300 MB")],
        compared("steps", "steps()", took),
        compared("by token", 'by("token")', took),
        [
            'pandas ÷ `by("token")`',
            f"{took['pandas'][0] / took['by token'][0]:.0f} ({took['pandas'][0]:.1f} s)",
            verdict(took["pandas"][0] >= 5 * took["by token"][0], "≥ 5"),
        ],
        *(
            [f"a click: `{ask}`", f"{took[name][0] * 1000:.0f} ms", verdict(took[name][0] <= 0.5, "≤ 500 ms")]
            for ask, name in (
                ('by("position")', "by position"),
                ('sequences("changed")', "sequences"),
                ("trajectory(…)", "trajectory"),
            )
        ),
    ]
    head = INTRODUCTION.format(
        today=datetime.date.today().isoformat(),
        cpus=os.cpu_count(),
        load=f"{os.getloadavg()[0]:.1f}",
        steps=STEPS,
        b=B,
        t=T,
        million=STEPS * B * T / 1e6,
        size=size / 1e6,
        rounds=ROUNDS,
    )
    write_section("runs", "\n".join([head, table(["", "measured", "goal"], rows)]))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(first_picture(Path(sys.argv[1]))))
    else:
        main()

"""A run of 1 GB, made on demand: its first picture, and questions about more than 10⁸ timesteps beside plain SQL.

`python -m tests.bench.bench_runs_large [RUN]` asks a run that is there already.
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

from tests.bench._markdown import table, write_section
from tests.bench._memory import peak
from tests.bench.bench_runs import ROOT, compared, medians, record, spent, verdict

B, T, V, STEPS = 64, 1024, 5_000, 3_400
ROUNDS = 1
INTRODUCTION = """## Large runs

`python -m tests.bench.bench_runs_large`, {today}, {cpus} CPUs, load average {load}. A run of {steps:,} steps of
{b} × {t} timesteps, {million:.0f} million in all, of which {counted:.0f} million count; {size:.2f} GB of Parquet, in
the page cache. The questions are asked of the open run; "plain SQL" is DuckDB's on the same file for the same numbers,
lists cut to their lengths. Processor times are compared, medians of {rounds}, alternating. The first picture is drawn
from evenly spread steps that hold 2 million timesteps; both its times are of a new process that has imported lossviz,
from opening the run to the figure.
"""


def plain(files: str) -> dict[str, str]:
    cut = ", ".join(f"unnest({name}[:length]) AS {word}" for name, word in (("targets", "target"), ("losses", "loss")))
    unnested = f"SELECT step, {cut} FROM '{files}'"  # noqa: S608
    return {
        "by token": f"SELECT target, count(*), sum(loss), avg(loss) FROM ({unnested}) GROUP BY target ORDER BY 3 DESC",  # noqa: S608
        "steps": "SELECT step, avg(loss), quantile_cont(loss, [0.1, 0.5, 0.9]) "  # noqa: S608
        f"FROM ({unnested}) GROUP BY step ORDER BY step",
    }


def queries(folder: Path) -> dict[str, tuple[float, float]]:
    import duckdb

    from lossviz.runs import open_run

    sql = plain(f"{folder}/*.parquet")
    run = open_run(folder)
    run.outline()  # what is asked is an open run
    asked: dict[str, Callable[[], object]] = {
        "steps": run.steps,
        "steps, SQL": lambda: duckdb.connect().execute(sql["steps"]).df(),
        "by token": lambda: run.by("token"),
        "by token, SQL": lambda: duckdb.connect().execute(sql["by token"]).df(),
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    for _ in range(ROUNDS):
        for kept in ("_steps", "_kept"):
            vars(run).pop(kept, None)
        for name, ask in asked.items():
            took[name].append(spent(ask))
    return medians(took)


def first_picture(folder: Path) -> dict[str, float]:
    """In a process of its own: from opening the run to its picture, and the memory on top of the imports."""
    import duckdb
    import pandas

    from lossviz.figures import run_steps
    from lossviz.runs import open_run

    duckdb.connect().execute("SELECT 1").df()
    pandas.DataFrame()
    before = peak()
    start, processor = time.perf_counter(), time.process_time()
    run_steps(open_run(folder).outline()).to_json()
    took, processor = time.perf_counter() - start, time.process_time() - processor
    memory = peak() - before
    return {"seconds": took, "processor": processor, "bytes": memory}


def measured(folder: Path) -> None:
    from lossviz.runs import open_run

    command = [sys.executable, "-m", "tests.bench.bench_runs_large", "--first", str(folder)]
    first = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
        for _ in range(ROUNDS + 1)
    ]
    took, run = queries(folder), open_run(folder)
    shown = {name: median(one[name] for one in first) for name in first[0]}
    rows = [
        ["first picture", f"{shown['seconds']:.2f} s", verdict(shown["seconds"] <= 2, "≤ 2 s")],
        ["its processor time", f"{shown['processor']:.2f} s", ""],
        ["its memory", f"{shown['bytes'] / 2**20:.0f} MiB", verdict(shown["bytes"] <= 300e6, "≤ 300 MB")],
        compared("steps", "steps()", took),
        compared("by token", 'by("token")', took),
    ]
    head = INTRODUCTION.format(
        today=datetime.date.today().isoformat(),
        cpus=os.cpu_count(),
        load=f"{os.getloadavg()[0]:.1f}",
        steps=len(run.step_numbers),
        b=B,
        t=T,
        million=run.timesteps / 1e6,
        counted=run.steps()["divisor"].sum() / 1e6,
        size=sum(file.stat().st_size for file in folder.iterdir()) / 1e9,
        rounds=ROUNDS,
    )
    write_section("large runs", "\n".join([head, table(["", "measured", "goal"], rows)]))


def main() -> None:
    if len(sys.argv) > 1:
        measured(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        record(Path(name) / "run", STEPS, T)
        measured(Path(name) / "run")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--first"]:
        print(json.dumps(first_picture(Path(sys.argv[2]))))
    else:
        main()

"""What reading a file takes at its peak, beside what its budget counted: the high water of a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.ipc

from lossviz.formats import write

FACTOR = 5  # docs/reliability.md
SLACK = 8 * 2**20  # bytes that the readers' libraries take once

READ = """
import sys
from pathlib import Path

import pyarrow.compute
import pyarrow.ipc
import pyarrow.parquet

from lossviz.formats import contents
from lossviz.unpacking import Budget

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

counted, take = [], Budget.take
Budget.take = lambda self, count, way_out: (counted.append(count), take(self, count, way_out))
for path in map(Path, sys.argv[1:]):
    counted.clear()
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    contents(path)
    print(path.name, sum(counted), status("VmHWM") - before)
"""


def test_reading_takes_at_most_five_times_what_its_budget_counted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(8, 16, 8_000)).astype(np.float32), rng.integers(0, 9, (8, 16))
    np.savez_compressed(tmp_path / "a.npz", logits=np.round(logits), targets=targets)
    few: dict[str, np.ndarray] = {"logits": np.round(logits[:4], 2), "targets": targets[:4]}
    for suffix in ("parquet", "json", "csv"):
        write(few, tmp_path / f"a.{suffix}")
    lines = (
        json.dumps({"logits": one.tolist(), "labels": two.tolist()}) for one, two in zip(*few.values(), strict=True)
    )
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    rows = (f"0,{row // 5_000},{row % 5_000},3,{row % 7},word{row % 5_000}" for row in range(150_000))
    (tmp_path / "long.csv").write_text("sequence,timestep,class,target,logit,token\n" + "\n".join(rows))
    quoted = (tmp_path / "long.csv").read_text().replace("word", '"a, b"')
    (tmp_path / "quoted.csv").write_text(quoted[: quoted.index("\n0,15,") + 1])
    table = pyarrow.table({"logits": few["logits"].tolist(), "labels": few["targets"].tolist()})
    for name, part in (("0.arrow", table[:1]), ("a.arrow", table)):  # the first one loads what the others need
        with pyarrow.OSFile(str(tmp_path / name), "wb") as sink, pyarrow.ipc.new_file(sink, part.schema) as file:
            file.write_table(part)
    paths = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run([sys.executable, "-c", READ, *paths], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    found = {name: (int(counted), int(peak)) for name, counted, peak in map(str.split, done.stdout.splitlines())}
    assert list(found) == [Path(path).name for path in paths]
    del found["0.arrow"]
    assert {name: one for name, one in found.items() if one[1] > FACTOR * one[0] + SLACK} == {}

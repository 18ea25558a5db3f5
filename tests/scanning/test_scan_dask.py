"""`scan` on a real Dask scheduler with two worker processes, of which one is killed in the middle."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from distributed import LocalCluster

from lossviz.cli import main
from lossviz.errors import InputError, MissingPackageError
from lossviz.runs import open_run
from lossviz.scanning import scan

MODEL = """\
import os
import signal
from pathlib import Path

import numpy as np

def logits(inputs):
    with Path("workers").open("a") as file:
        file.write(f"{os.getpid()} {inputs[0, 0]}\\n")
    if inputs[0, 0] == 5 and Path("deadly").exists():
        Path("deadly").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return np.sin(np.arange(9) * (1 + inputs[..., None]))
"""


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "deadly_model.py").write_text(MODEL)
    random = np.random.default_rng(0)
    for number in range(10):
        ids = random.integers(0, 9, (6, 8))
        ids[0, 0] = number
        np.save(folder / f"{number}.npy", ids % 9)
    (folder / "9.npy").write_bytes(b"no array")
    return folder


@pytest.fixture
def alone(tokens, monkeypatch):
    """Every number of the scan in this process."""
    monkeypatch.chdir(tokens)
    monkeypatch.syspath_prepend(str(tokens))
    return open_run(scan(["*.npy"], "alone", model="deadly_model:logits").folder)


def assert_equal(run, alone):
    """Every timestep exactly; sums, which DuckDB adds up in any order, to the last digits."""
    pd.testing.assert_frame_equal(run.tokens(), alone.tokens(), check_exact=True)
    pd.testing.assert_frame_equal(run.steps(), alone.steps(), rtol=1e-13)
    one, other = (each.sequences().sort_values("sequence", ignore_index=True) for each in (run, alone))
    pd.testing.assert_frame_equal(one, other, rtol=1e-13)


def test_scan_with_a_killed_worker_gives_every_number_of_the_single_process(alone, capsys):
    Path("deadly").touch()
    Path("workers").unlink()
    command = ["scan", "*.npy", "--model", "deadly_model:logits", "--out", "spread", "--engine", "dask"]
    assert main([*command, "--workers", "2", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    bad = {str(Path("9.npy").resolve()): "`9.npy` can't be read as an array. Save it with `np.save`."}
    assert (document["scanned"], document["kept"], document["left_out"]) == (9, 0, bad), document
    reads = [line.split() for line in Path("workers").read_text().splitlines()]
    assert not Path("deadly").exists()
    killed, after = [worker for worker, first in reads if first == "5"][:2]
    assert killed != after  # another process read the file again
    assert str(os.getpid()) not in (killed, after)
    assert not list(Path("spread").glob("*.draft"))
    assert_equal(open_run("spread"), alone)


def test_scan_on_a_scheduler_by_its_address(alone):
    with LocalCluster(n_workers=1, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp") as cluster:
        done = scan(["*.npy"], "remote", model="deadly_model:logits", engine=cluster.scheduler_address)
    assert (done.progress.scanned, len(done.progress.problems)) == (9, 1)
    assert_equal(open_run(done.folder), alone)


def test_scan_without_a_scheduler_or_dask_says_so_in_one_sentence(alone, monkeypatch):
    monkeypatch.setattr("lossviz.scanning._engines._PATIENCE", 0.2)
    with pytest.raises(InputError) as error:
        scan(["0.npy"], "nobody", model="deadly_model:logits", engine="tcp://127.0.0.1:9")
    assert str(error.value) == (
        "No scheduler answers at tcp://127.0.0.1:9. Start one with `dask scheduler`, and workers with `dask worker`."
    )
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingPackageError) as missing:
        scan(["0.npy"], "nobody", engine="dask")
    assert str(missing.value) == (
        "Scanning on several processes needs Dask (not installed): `pip install 'lossviz[dask]'`."
    )

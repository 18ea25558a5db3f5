"""`lossviz scan`: what it prints, its exit status, and how it is stopped."""

import json

import numpy as np
import pytest

from lossviz.cli import main
from lossviz.scanning import read_progress
from lossviz.scanning._engines import engine_named


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three batches of known losses, and a file that is none; the padding of the second counts."""
    monkeypatch.chdir(tmp_path)
    targets = np.array([[3, 1, 2, 0, 0], [1, 2, 0, 0, 0]])
    for number, scale in enumerate((1.0, 4.0, 2.0)):
        given = {} if number == 1 else {"lengths": [3, 2]}
        losses = np.full(targets.shape, scale)
        np.savez(f"{number}.npz", losses=losses, targets=targets, pad_id=0, eos_id=2, **given)
    (tmp_path / "x.csv").write_text("nothing\n")
    return tmp_path


def test_cli_scan_prints_the_number_the_tokens_the_files_and_the_findings(folder, capsys):
    assert main(["scan", "0.npz", "1.npz", "2.npz", "--out", "run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    head = [
        f"{folder / 'run'}: 3 of 3 files scanned",
        "",
        "2.3333 nats per timestep = 35.0000 ÷ 15",
        "most of the loss: 1 40.0%, 2 40.0%, 3 20.0%",
        "highest means:",
        f"  step 1: 4.0000  {folder / '1.npz'}",
        f"  step 2: 2.0000  {folder / '2.npz'}",
        f"  step 0: 1.0000  {folder / '0.npz'}",
        "",
    ]
    assert lines[: len(head)] == head
    assert lines[-1] == f"To look at it: lossviz app {folder / 'run'}"
    assert main(["scan", "*.npz", "x.csv", "--out", "run", "--no-check"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{folder / 'run'}: 3 of 4 files scanned, 3 of them kept from before"
    assert lines[-3].startswith(f"Left out: {folder / 'x.csv'}: ")
    assert main(["check", "run"]) in (0, 1)


def test_cli_scan_of_nothing_that_can_be_read(folder, capsys):
    assert main(["scan", "x.csv", "--out", "run"]) == 2
    assert capsys.readouterr().out.splitlines()[0] == f"{folder / 'run'}: 0 of 1 file scanned"
    assert main(["scan", "0.npz", "--out", "x.csv"]) == 2
    assert capsys.readouterr().err == (
        f"lossviz: `{folder / 'x.csv'}` can't be written: File exists. Choose another folder.\n"
    )


def test_cli_scan_is_stopped_by_ctrl_c_and_goes_on(folder, capsys, monkeypatch):
    def interrupted(name, workers):
        def run(tasks):
            yield next(engine_named(name, workers)(tasks))
            raise KeyboardInterrupt

        return run

    monkeypatch.setattr("lossviz.scanning._scan.engine_named", interrupted)
    assert main(["scan", "*.npz", "--out", "run"]) == 130
    assert capsys.readouterr().err == "lossviz: 1 of 3 files; the same command goes on from there\nlossviz: stopped\n"
    assert (read_progress(folder / "run").state, read_progress(folder / "run").scanned) == ("stopped", 1)
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert main(["scan", "*.npz", "--out", "run", "--json"]) == 0
    assert '"kept": 1' in capsys.readouterr().out


def test_cli_scan_shows_its_progress_on_a_terminal(folder, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert main(["scan", "*.npz", "x.csv", "--out", "run", "--no-check"]) == 2
    shown = capsys.readouterr().err.split("\r\x1b[K")
    assert any(line.startswith("lossviz: 4 of 4 files, 1 left out, about 0 s left") for line in shown)
    assert shown[-1] == ""


def test_cli_scan_prints_json_where_a_loss_that_counts_is_unknown(tmp_path, capsys, monkeypatch):
    """JSON has no number for NaN."""
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", losses=np.array([[1.0, np.nan]]), targets=np.array([[1, 2]]))
    assert main(["scan", "a.npz", "--out", "run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (document["loss"], document["divisor"], document["mean"]) == ("NaN", 2.0, "NaN")

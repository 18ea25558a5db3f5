"""The command on recorded runs: `analyze --step`, `check`, `identify`, `runs compact`."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional

import lossviz
from lossviz.cli import main

T, V = 6, 9


def train(path, steps=4, ignored=-100, wrong_step=None):
    """A language model whose loop counts the padding (pad id 0), as `ignore_index` is left at its default."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(V, 8), nn.Linear(8, V))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with lossviz.record_pytorch(path, every=1, pad_id=0) as recorder:
        for step in range(steps):
            lengths = torch.randint(2, T, (4, 1))
            tokens = torch.where(torch.arange(T + 1) < lengths, torch.randint(1, V, (4, T + 1)), 0)
            logits, targets = model(tokens[:, :-1]), tokens[:, 1:]
            loss = functional.cross_entropy(logits.view(-1, V), targets.reshape(-1), ignore_index=ignored)
            loss.backward()
            optimizer.step()
            recorder.report("9.8765" if step == wrong_step else f"{loss.item():.4f}")


def test_cli_check_counts_findings_over_the_steps(tmp_path, capsys):
    train(tmp_path / "run")
    assert main(["check", str(tmp_path / "run")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{tmp_path / 'run'}: 4 steps recorded"
    assert lines[2].startswith("PAD12 error, in 4 of 4 steps, first at step 0: 10 timesteps at the end")


def test_cli_check_of_a_run_as_json(tmp_path, capsys):
    train(tmp_path / "run", steps=2)
    assert main(["check", str(tmp_path / "run"), "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["steps"], document["problems"]) == ([0, 1], {})
    first = document["findings"][0]
    assert (first["code"], first["severity"], first["steps"]) == (
        "PAD12",
        "error",
        [0, 1],
    )


def test_cli_check_of_a_run_without_the_bug_is_clean(tmp_path, capsys):
    train(tmp_path / "run", ignored=0)
    assert main(["check", str(tmp_path / "run")]) == 0
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()[2:]] == ["PAD18 info"]


def test_cli_identify_explains_the_printed_numbers_of_a_run(tmp_path, capsys):
    train(tmp_path / "run", wrong_step=2)
    assert main(["identify", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{tmp_path / 'run'}: 4 printed numbers\n\n")
    assert "explains 3 of 4 printed numbers" in out
    assert out.endswith("Not explained: step 2.\n")


def test_cli_identify_of_a_run_as_json_names_the_right_mean(tmp_path, capsys):
    train(tmp_path / "run", ignored=0)
    assert main(["identify", str(tmp_path / "run"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["best"] == "C03"
    assert document["formulas"]["C03"] == [0, 1, 2, 3]


def test_cli_analyze_opens_one_step_of_a_run(tmp_path, capsys):
    train(tmp_path / "run")
    assert main(["analyze", str(tmp_path / "run"), "--step", "2"]) == 0
    assert capsys.readouterr().out.startswith("run, step 2\n4 sequences × 6 timesteps × 9 classes, mask: ")
    assert main(["analyze", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out.startswith("run, step 3\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["analyze", "golden", "--step", "2"], "`--step` is for recorded runs; `golden` is not one. Leave it out."),
        (
            ["check", "{run}", "golden"],
            "A recorded run can't be checked together with other files. Leave the other FILEs out.",
        ),
        (
            ["check", "{run}", "--format", "sarif"],
            "`--format sarif` is for files; a run is printed as text or json. Leave it out.",
        ),
        (
            ["runs", "compact", "nowhere"],
            "`nowhere` holds no run: it has no `run.json`. Pass the folder that was recorded to.",
        ),
    ],
)
def test_cli_refuses_what_does_not_go_with_runs(tmp_path, capsys, words, message):
    train(tmp_path / "run", steps=1)
    assert main([word.replace("{run}", str(tmp_path / "run")) for word in words]) == 2
    assert capsys.readouterr().err == f"lossviz: {message}\n"


def test_cli_runs_compact_rescues_a_run_that_was_not_closed(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("lossviz.recording._recorder.compact", lambda *_, **__: ())
    train(tmp_path / "run")
    assert main(["runs", "compact", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'run'}: 4 steps from 0 to 3, 1 files compacted\n"
    assert [path.suffix for path in (tmp_path / "run").glob("steps-*")] == [".parquet"]

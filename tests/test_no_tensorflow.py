"""A command that needs no logits imports no TensorFlow: that alone takes four seconds."""

import json
import subprocess
import sys

import numpy as np
import pytest

from lossviz import Recorder
from lossviz.formats import write

AFTER_EACH = """
import contextlib, io, json, sys
from lossviz.cli import main
for words in json.loads(sys.argv[1]):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            status = main(words)
        except SystemExit as end:
            status = end.code
    loaded = [name in sys.modules for name in ("tensorflow", "plotly")]
    print(json.dumps([words[0], status, len(said.getvalue()) > 20, *loaded]))
"""


@pytest.fixture
def files(tmp_path):
    losses = np.arange(12.0).reshape(3, 4) / 10
    targets = np.ones((3, 4), int)
    path = tmp_path / "losses.npz"
    write({"losses": losses, "targets": targets, "lengths": np.array([4, 3, 2]), "classes": 5}, path)
    with Recorder(tmp_path / "run", every=1) as recorder:
        for step in range(3):
            recorder.step(step=step, targets=targets, losses=losses, reported=0.55)
    return str(path), str(tmp_path / "run")


def test_commands_that_need_no_logits_import_no_tensorflow(files):
    path, run = files
    commands = [
        ["--help"],
        ["--version"],
        ["rule"],
        ["rule", "PAD01"],
        ["samples"],
        ["analyze", path],
        ["check", path],
        ["check", path, "--reported", "0.55", "--format", "sarif"],
        ["identify", path, "0.55"],
        ["analyze", run, "--step", "1"],
        ["check", run],
        ["identify", run],
        ["runs", "compact", run],
    ]
    done = subprocess.run(
        [sys.executable, "-c", AFTER_EACH, json.dumps(commands)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.stderr == ""
    assert [one[0] for one in said] == [words[0] for words in commands]
    assert [one[1] in (0, 1, None) for one in said] == [True] * len(commands)
    assert [one[2] for one in said] == [words != ["--version"] for words in commands]
    assert [one[3:] for one in said] == [[False, False]] * len(commands)

"""docs/recording.md: each script is run as it stands, and `lossviz check run/` names the bug that is in it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lossviz.cli import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "recording.md").read_text(encoding="utf-8")
SCRIPTS = {
    title: code
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
}


@pytest.mark.parametrize("title", SCRIPTS)
def test_docs_recording_script_is_short(title):
    lines = [line for line in SCRIPTS[title].splitlines() if line and not line.startswith("# ")]
    assert len(lines) <= 15


@pytest.mark.parametrize("title", SCRIPTS)
def test_docs_recording_script_ends_in_its_bug(tmp_path, monkeypatch, capsys, title):
    (tmp_path / "train.py").write_text(SCRIPTS[title], encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run([sys.executable, "train.py"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    monkeypatch.chdir(tmp_path)
    main(["check", "run/"])
    checked = capsys.readouterr().out
    main(["identify", "run/"])
    identified = capsys.readouterr().out
    rule, steps, code, numbers = re.search(
        r"# (\w+) in (\d+ of \d+) steps; (\w+) explains (.*) numbers", SCRIPTS[title]
    ).groups()
    assert re.search(rf"^{rule} (error|warning), in {steps} steps, first at step", checked, re.MULTILINE), checked
    assert re.search(rf"^{code} explains {numbers} printed numbers: ", identified, re.MULTILINE), identified
    assert "could not be checked" not in checked

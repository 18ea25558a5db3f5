"""What goes wrong around a command: closed streams, Ctrl-C while it starts, a full disk, links that lead nowhere."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lossviz import formats
from lossviz.cli import main
from lossviz.errors import FormatError
from tests.formats.fields import refusal

LOSSES = Path(__file__).parent / "fuzz" / "corpus" / "losses.json"


@pytest.mark.parametrize("words", [">&-", ">&- 2>&-"])
def test_command_without_its_streams_is_no_traceback(words):
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m lossviz samples {words}"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_command_runs_without_docstrings_and_asserts():
    words = [sys.executable, "-OO", "-m", "lossviz", "analyze", str(LOSSES)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1.0500 nats per timestep = 5.2500 ÷ 5 timesteps that count" in done.stdout


def test_rules_keep_their_words_without_docstrings():
    said = [
        subprocess.run(
            [sys.executable, *words, "-m", "lossviz", "rule", "PAD01"], capture_output=True, text=True, check=True
        )
        for words in ([], ["-OO"])
    ]
    assert said[0].stdout == said[1].stdout
    assert "Padding counts" in said[0].stdout


def test_ctrl_c_within_an_import_waits_for_its_end(monkeypatch, capsys):
    """NumPy made an ImportError of it, which blamed the installation."""
    ended = []

    def load():
        signal.raise_signal(signal.SIGINT)
        ended.append(True)

    monkeypatch.setattr("lossviz.cli._loaded", load)
    assert main(["samples"]) == 130
    assert (ended, capsys.readouterr().err) == ([True], "lossviz: stopped\n")
    assert signal.getsignal(signal.SIGINT) is not None


def test_ctrl_c_while_a_command_is_imported_is_one_word(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lossviz.cli._parser.parsed", interrupt)
    assert main(["samples"]) == 130
    assert capsys.readouterr().err == "lossviz: stopped\n"


def test_importing_the_command_loads_no_library():
    """Until it is imported, Ctrl-C is a traceback of Python's own: that has to be short."""
    code = "import lossviz.cli, sys; print({'numpy', 'pyarrow', 'argparse'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_full_disk_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "batch.npz"
    fields = {"logits": np.zeros((1, 1, 2), np.float32), "targets": np.zeros((1, 1), int)}
    formats.write(fields, path)
    before = path.read_bytes()

    def fill(stream, **_):
        stream.write(b"PK\x03\x04")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", fill)
    with pytest.raises(FormatError) as error:
        formats.write(fields, path)
    assert str(error.value) == f"`{path}` can't be written: [Errno 28] No space left on device."
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["batch.npz"]


def test_a_link_that_leads_nowhere_says_where(tmp_path):
    link = tmp_path / "batch.npz"
    link.symlink_to("/nowhere/run.npz")
    assert refusal(link) == f"`{link}` is a link to `/nowhere/run.npz`, which is not there."


def test_a_path_with_a_nul_is_a_sentence(tmp_path):
    assert refusal(tmp_path / "a\0b.npz") == f"There is no file `{tmp_path}/a\\x00b.npz`."

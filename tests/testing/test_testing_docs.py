import re
import subprocess
import sys
from pathlib import Path

import lossviz
from lossviz import testing
from lossviz.testing._messages import CAUSES

ROOT = Path(lossviz.__file__).parent.parent
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
FAILURE = " ".join(re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1].split())


LOSS = """import torch
import torch.nn.functional as F

def loss_fn(logits, targets, weights):
    logits = torch.where(weights[..., None] > 0, logits, 0.0)
    return F.cross_entropy(logits.transpose(1, 2), targets.masked_fill(weights == 0, -100))
"""


def run(folder, loss):
    """The example of the page as a test file beside a `training` module, in pytest."""
    (folder / "test_loss.py").write_text(EXAMPLE, encoding="utf-8")
    (folder / "training.py").write_text(loss, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = . {ROOT}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_loss.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_docs_example_has_five_lines_and_passes(tmp_path):
    assert len([line for line in EXAMPLE.splitlines() if line]) <= 5
    done = run(tmp_path, LOSS)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_docs_example_fails_as_the_page_shows(tmp_path):
    done = run(tmp_path, LOSS.replace("    logits = torch.where(weights[..., None] > 0, logits, 0.0)\n", ""))
    assert done.returncode == 1
    assert FAILURE in " ".join(re.sub(r"^E", "", done.stdout, flags=re.MULTILINE).split())


def test_docs_page_names_every_assertion():
    assert set(re.findall(r"^\| `(\w+)\(", PAGE, flags=re.MULTILINE)) == set(testing.__all__) - {"default_batch"}


def test_docs_every_cause_is_the_answer_in_some_test():
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "testing").glob("test_*.py"))
    said = re.sub(r'"\s*\n\s*f?"', "", tests)
    assert [cause for cause, words in CAUSES.items() if words not in said] == []

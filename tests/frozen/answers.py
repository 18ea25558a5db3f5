"""What users see of every shipped batch: the JSON of `analyze`, `check`, `identify` and `compare_conventions`.

`python -m tests.frozen.answers` writes `answers/` again. Read `git diff tests/frozen` before you commit it: numbers,
codes, cells and their order are promises; a sentence may change, and each change is looked at.
"""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from lossviz import Batch, analyze, compare_conventions
from lossviz.cli import main
from lossviz.formats import read
from lossviz.measuring import usual_settings
from lossviz.rules import rule_samples
from lossviz.samples import SAMPLES, load_sample, sample_path
from lossviz.tables import records

__all__ = ["FOLDER", "answers_of", "frozen_batches"]

FOLDER = Path(__file__).parent / "answers"
ROOT = Path(__file__).parents[2]


def frozen_batches() -> dict[str, Path]:
    """The file of every sample and of every rule's bad and good batch, by the name of its snapshot."""
    samples = {sample.name: sample_path(sample.name) for sample in SAMPLES}
    rules = {sample.name.replace("/", "."): sample.path for sample in rule_samples()}
    return samples | {name: path for name, path in rules.items() if path.exists()}  # float64 logits of NUM07: no JSON


def answers_of(name: str) -> dict[str, Any]:
    """All that is answered about a batch, without its path."""
    path = frozen_batches()[name]
    fields = load_sample(name) if name in {sample.name for sample in SAMPLES} else read(path)
    batch = Batch.from_arrays(**fields)
    analysis = analyze(batch, usual_settings(batch))
    number = [] if batch.reported is not None else [f"{float(analysis.value):.4f}"] if analysis.is_scalar else ["1.0"]
    return {
        "analyze": _command("analyze", str(path), "--json"),
        "check": _command("check", str(path), "--format", "json"),
        "identify": _command("identify", str(path), *number, "--json"),
        "compare_conventions": records(compare_conventions(analysis)),
    }


def _command(*arguments: str) -> Any:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(list(arguments))
        except SystemExit as stop:
            status = stop.code
    said = {"status": status, "stderr": err.getvalue().replace(str(ROOT), "."), "stdout": ""}
    text = out.getvalue().replace(str(ROOT), ".")
    return said | {"stdout": json.loads(text) if text else ""}


def _written() -> Iterator[str]:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name in frozen_batches():
        text = json.dumps(answers_of(name), indent=1, ensure_ascii=False, allow_nan=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        yield name


if __name__ == "__main__":
    print(len(list(_written())), "batches")

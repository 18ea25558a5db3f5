"""What users see of every shipped batch: the JSON of `analyze`, `check`, `identify` and `compare_conventions`.

`python -m tests.frozen.answers` writes those of `answers/` again that differ. Read `git diff tests/frozen` before you
commit it: numbers, codes, cells and their order are promises; a sentence may change, and each change is looked at. A
rule that passes and a convention of its own are news, but no difference: adding one leaves the other batches alone.
"""

import io
import json
import math
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

__all__ = ["FOLDER", "answers_of", "differences", "frozen_batches"]

FOLDER = Path(__file__).parent / "answers"
ROOT = Path(__file__).parents[2]
GROWING = (".outcomes", ".compare_conventions")
"""Lists to which every rule and convention adds a row."""


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


def differences(frozen: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two answers differ, numbers to 1e-5: float32 on another machine may end in another digit."""
    if path.endswith(GROWING):
        frozen, now = ({row["code"]: row for row in rows} for rows in (frozen, now))
        now = {code: row for code, row in now.items() if code in frozen or row.get("state") == "crashed"}
    if isinstance(frozen, dict) and isinstance(now, dict):
        for key in sorted({*frozen, *now}):
            yield from differences(frozen.get(key, "absent"), now.get(key, "absent"), f"{path}.{key}")
    elif isinstance(frozen, list) and isinstance(now, list) and len(frozen) == len(now):
        for index, (one, other) in enumerate(zip(frozen, now, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif isinstance(frozen, float) and isinstance(now, int | float):
        if not math.isclose(frozen, now, rel_tol=1e-5, abs_tol=1e-6):
            yield path, frozen, now
    elif frozen != now:
        yield path, frozen, now


def _written() -> Iterator[str]:
    """Write the answers that differ, and remove those of batches that are gone."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        if old.stem not in frozen_batches():
            old.unlink()
            yield old.stem
    for name in frozen_batches():
        file, now = FOLDER / f"{name}.json", json.loads(json.dumps(answers_of(name), allow_nan=False))
        frozen = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
        if frozen is None or any(differences(frozen, now)):
            text = json.dumps(_with_old_digits(frozen, now), indent=1, ensure_ascii=False, allow_nan=False)
            file.write_text(text + "\n", encoding="utf-8")
            yield name


def _with_old_digits(frozen: Any, now: Any) -> Any:
    """What is so now, with the frozen numbers where only the last digits differ."""
    if isinstance(frozen, dict) and isinstance(now, dict):
        return {key: _with_old_digits(frozen.get(key), value) for key, value in now.items()}
    if isinstance(frozen, list) and isinstance(now, list) and len(frozen) == len(now):
        return [_with_old_digits(one, other) for one, other in zip(frozen, now, strict=True)]
    both = isinstance(frozen, float) and isinstance(now, float)
    return frozen if both and math.isclose(frozen, now, rel_tol=1e-9, abs_tol=1e-12) else now


if __name__ == "__main__":
    print("written:", ", ".join(_written()) or "nothing")

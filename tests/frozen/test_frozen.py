"""What users see of every shipped batch stays as it was frozen: see `answers.py`."""

import json
import math

import pytest

from tests.frozen.answers import FOLDER, answers_of, frozen_batches


def differences(frozen, now, path=""):
    """Where two answers differ, numbers to 1e-5: float32 on another machine may end in another digit."""
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


@pytest.mark.parametrize("name", frozen_batches())
def test_frozen_answers_are_unchanged(name):
    frozen = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    now = json.loads(json.dumps(answers_of(name), allow_nan=False))
    assert list(differences(frozen, now)) == []


def test_frozen_answers_are_of_every_batch():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(frozen_batches())

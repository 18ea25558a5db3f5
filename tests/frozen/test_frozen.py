"""What users see of every shipped batch stays as it was frozen: see `answers.py`."""

import json

import pytest

from tests.frozen.answers import FOLDER, answers_of, differences, frozen_batches


@pytest.mark.parametrize("name", frozen_batches())
def test_frozen_answers_are_unchanged(name):
    frozen = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    now = json.loads(json.dumps(answers_of(name), allow_nan=False))
    assert list(differences(frozen, now)) == []


def test_frozen_answers_are_of_every_batch():
    assert {path.stem for path in FOLDER.glob("*.json")} == set(frozen_batches())


def test_frozen_answers_let_rules_and_conventions_be_added_and_nothing_else():
    frozen = {"outcomes": [{"code": "PAD01", "state": "passed"}], "findings": []}
    added = {"outcomes": [*frozen["outcomes"], {"code": "PAD99", "state": "passed"}], "findings": []}
    assert list(differences(frozen, added)) == []
    crashed = {"code": "PAD99", "state": "crashed"}
    assert list(differences(frozen, added | {"outcomes": [*frozen["outcomes"], crashed]})) != []
    assert list(differences(frozen, added | {"outcomes": [{"code": "PAD01", "state": "skipped"}]})) != []
    assert list(differences(frozen, added | {"outcomes": []})) != []
    assert list(differences(frozen, added | {"findings": [{"code": "PAD99"}]})) != []

"""The promise of CONTRIBUTING: what is known of a formula stands on its row, and the rest is derived."""

import re
from pathlib import Path

import pytest

import lossviz
from lossviz.conventions import CONVENTIONS, DIVISORS
from lossviz.reductions import REDUCTIONS
from lossviz.rules import RULES

ROOT = Path(lossviz.__file__).parent


def files_naming(word: str) -> set[str]:
    """The product files that name a code or a reduction."""
    named = re.compile(rf"\b{word}\b")
    return {path.name for path in ROOT.rglob("*.py") if named.search(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize(
    ("word", "files"),
    [
        ("RED16", {"_by_bug.py", "_sums.py", "_catalogue.py", "red16_divisor_without_ends.py"}),
        ("C15", {"_sums.py", "_catalogue.py"}),
        ("without_stops", {"_sums.py", "_catalogue.py"}),
    ],
)
def test_one_row_names_a_formula_in_as_few_files_as_contributing_says(word: str, files: set[str]) -> None:
    assert files_naming(word) == files


def test_one_row_names_rules_and_groups_that_exist() -> None:
    rules = {rule.code for rule in RULES}
    assert {row.code for row in CONVENTIONS if row.reported_by} == {
        row.code for row in CONVENTIONS if row.reported_by in rules
    }
    assert {row.group for row in REDUCTIONS} | {row.group for row in CONVENTIONS} <= DIVISORS.keys()


def test_one_row_says_what_a_candidate_divides_by() -> None:
    assert [row.name for row in REDUCTIONS if row.code is not None and not (row.divided_by or row.clause)] == []

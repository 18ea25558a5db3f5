"""What SECURITY.md and docs/reliability.md promise names the test that holds it, and that test exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/reliability.md"])
def test_promises_name_tests_that_exist(page):
    lines = (ROOT / page).read_text("utf-8").splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if line.startswith("|---")}
    rows = [line for number, line in enumerate(lines) if line.startswith("| ") and number not in heads]
    assert len(rows) >= 7
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row.split("|")[-2])
        assert named, row
        for path, test in named:
            assert re.search(rf"^def {test}\b", (ROOT / path).read_text("utf-8"), re.MULTILINE), (path, test)

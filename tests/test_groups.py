"""The groups of tests that share a browser, a server or a library go to one worker each."""

import os

import pytest


@pytest.mark.xdist_group("group")
def test_groups_are_known_to_the_workers(request):
    """pytest-xdist writes a test's group behind its name; with pytest 9.2 that has no effect, and nobody says so."""
    grouped = "PYTEST_XDIST_WORKER" in os.environ and request.config.getvalue("loadgroup")
    assert request.node.nodeid.endswith("@group") == bool(grouped)

"""A run in a real browser, by keyboard: find the sequence that got worse, open that step, look at it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import lossviz
from tests.browser import steps
from tests.browser.conftest import Shot
from tests.browser.harness import ROOT, server

POOL = np.random.default_rng(0).integers(1, 9, (8, 9))


@pytest.fixture(scope="module")
def run_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a run of 60 steps, in which the third sequence gets worse after step 400."""
    folder: Path = tmp_path_factory.mktemp("recorded") / "run"
    random = np.random.default_rng(1)
    with lossviz.Recorder(folder, every=10, queue_size=100, vocabulary=list("abcdefghi")) as recorder:
        for step in range(0, 600, 10):
            losses = random.gamma(2, 0.2 + np.exp(-step / 200), POOL.shape)
            losses[2] *= 3 if step > 400 else 1
            order = random.permutation(8)
            lengths = (3 + np.arange(8) % 6)[order]
            recorder.step(step=step, targets=POOL[order], losses=losses[order], lengths=lengths, reported=losses.mean())
    with server(ROOT / "app.py", LOSSVIZ_FILE=str(folder)) as address:
        yield address


def drawn(page: Page, key: str) -> None:
    page.wait_for_selector(f".st-key-{key} .lossviz-plot[data-drawn]", state="attached")
    steps.idle(page)


def test_sequence_that_got_worse_is_found_by_keyboard(page: Page, run_server: str, shot: Shot) -> None:
    steps.visit(page, run_server).get_by_role("link", name="Runs").click()
    drawn(page, "run_strips")
    shot(page, "runs-light")
    steps.choose(page, "Sequences with the", "Largest rise")
    drawn(page, "run_strips")
    page.locator(".st-key-run_strips .lossviz-plot").focus()
    page.keyboard.press("ArrowDown")
    drawn(page, "run_trajectory")
    page.locator(".st-key-run_trajectory .lossviz-plot").focus()
    for key in ("Control+End", "ArrowUp"):
        page.keyboard.press(key)
        steps.idle(page)
    link = page.get_by_role("link", name="Open step 580 in Explore")
    expect(link).to_be_visible()
    link.scroll_into_view_if_needed()
    shot(page, "runs-trajectory-light")
    link.click()
    page.wait_for_selector(f"{steps.EQUATION}[data-drawn]", state="attached")
    expect(page.locator(".st-key-explore_cell")).to_contain_text("timestep 4: target")
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("from the losses").first).to_be_visible()
    drawn(page, "compare_map")
    shot(page, "compare-light")

"""A batch of losses without logits in a real browser: three states of a cell, light and dark."""

import io

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.conftest import Shot
from tests.browser.test_explore import drop

NAN = np.nan
TARGETS = np.array([[1, 2, 3, 4, 5], [1, 2, 6, 0, 0], [6, 5, 1, 2, 0]])
LOSSES = np.array([[0.5, 1, 2, 4, 0.1], [0.25, 0.75, 1.5, NAN, NAN], [1.5, NAN, 0.5, 3, 0.0]])


def file(**more: np.ndarray) -> bytes:
    stream = io.BytesIO()
    words = np.array(["<pad>", "the", "cat", "sat", "on", "mat", "dog"])
    np.savez(stream, targets=TARGETS, losses=LOSSES, lengths=np.array([5, 3, 4]), vocabulary=words, **more)
    return stream.getvalue()


def test_losses_without_logits_open_in_light_and_dark(page: Page, dark_page: Page, app_server: str, shot: Shot) -> None:
    top = {
        "rank": np.where(np.isnan(LOSSES), NAN, np.ceil(LOSSES) + 1),
        "top_classes": np.tile([1, 2, 3], (3, 5, 1)),
        "top_probabilities": np.tile([0.5, 0.25, 0.125], (3, 5, 1)),
    }
    for theme, here in (("light", page), ("dark", dark_page)):
        steps.sample(here, app_server, "golden")
        drop(here, ("losses.npz", file(**top)))
        expect(here.get_by_text("1 unmasked loss was not recorded")).to_be_visible()
        steps.click_cell(here, 2, 0)
        panel = here.locator(".st-key-explore_cell")
        expect(panel).to_contain_text("gradient: can't be told without logits")
        expect(panel).to_contain_text("there are none to edit")
        shot(here, f"without-logits-{theme}", whole=True)
    for name in ("Doctor", "Reductions", "Identify"):
        page.get_by_role("link", name=name, exact=True).click()
        steps.idle(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        shot(page, f"without-logits-{name.lower()}")


def test_a_hugging_face_file_says_what_was_assumed_and_the_ways_back(page: Page, app_server: str, shot: Shot) -> None:
    labels = np.array([[1, 2, 3, 4], [1, 2, -100, -100]])
    stream = io.BytesIO()
    np.savez(stream, logits=np.zeros((2, 4, 6), np.float32), labels=labels, input_ids=abs(labels))
    steps.sample(page, app_server, "golden")
    drop(page, ("hf.npz", stream.getvalue()))
    panel = page.locator(".st-key-assumptions")
    expect(panel).to_contain_text("Read as Hugging Face")
    panel.get_by_role("button", name="Do not shift").click()
    back = panel.get_by_role("button", name="Read it as recognised")
    expect(back).to_be_visible()
    panel.get_by_role("button", name="Ids and names").click()
    dialog = page.get_by_role("dialog").filter(has_text="Which array is which?")
    expect(dialog).to_contain_text("Ignored label")
    steps.idle(page)
    shot(page, "assumptions-dialog")
    dialog.locator(".st-key-map_open button").click()
    expect(dialog).to_have_count(0)
    back.click()
    expect(back).to_have_count(0)
    expect(panel).to_contain_text("labels are unshifted")

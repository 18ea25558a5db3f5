"""The three models' calculations on typed text in a real browser, held against 320-digit decimals."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from lossviz import Batch
from lossviz.samples import load_sample
from lossviz.ui.sources.sentences import KINDS_OF_MODEL, STAGES, sentence_batch
from tests import oracle
from tests.browser import steps
from tests.browser.conftest import Shot

TEXT = {
    "language-model": "Why is a raven like a desk?\nI haven't the slightest idea!",
    "dates": "the first of April 2001 -> 2001-04-01\nMay 1998 -> 1998-06",
    "reviews": "I loved every minute. We took the bus. -> praise\nNot bad at all! -> praise\nIt was dull. -> blame",
}
FIELD = "Your own sentences, one per line"


def expected(batch: Batch, name: str) -> float:
    """What the chapter's calculate_loss gives: the sum, the sum per sequence, the sum of the sigmoid losses read."""
    assert batch.lengths is not None
    logits = np.concatenate([np.zeros_like(batch.logits), batch.logits], 2) if name == "reviews" else batch.logits
    loss = oracle.losses(logits, batch.targets)
    at, ends = np.arange(batch.shape[1]), batch.lengths[:, None]
    if name == "reviews":
        return float(loss[at == ends - 1].sum())
    return float(loss[at < ends].sum()) / (len(loss) if name == "dates" else 1)


def type_sentences(page: Page, name: str, stage: str, text: str) -> None:
    """Choose the model and how far it is trained, and type, as a person does."""
    steps.choose(page, "Model", KINDS_OF_MODEL[name].title)
    steps.choose(page, "How far it is trained", STAGES[stage])
    field = page.get_by_role("textbox", name=FIELD)
    field.click()
    page.keyboard.press("Control+A")
    field.press_sequentially(text)
    page.keyboard.press("Control+Enter")
    steps.idle(page)


def test_typed_sentences_have_the_loss_of_the_real_logits(page: Page, app_server: str) -> None:
    """Of each chapter's model, by its own reduction; unknown words and a bad line are said."""
    steps.visit(page, app_server)
    steps.door(page, "Model")
    for name, text in TEXT.items():
        type_sentences(page, name, "trained", text)
        steps.expect_number(page, f"{expected(sentence_batch(name, 'trained', text)[0], name):.4f}")
    sidebar = page.get_by_test_id("stSidebar")
    type_sentences(page, "reviews", "half-trained", "What a zyx film -> blame")
    expect(sidebar).to_contain_text("Unknown to the model and read as <unk>: “zyx”.")
    half = expected(sentence_batch("reviews", "half-trained", "What a zyx film -> blame")[0], "reviews")
    steps.expect_number(page, f"{half:.4f}")
    type_sentences(page, "reviews", "half-trained", "What a film")
    expect(sidebar).to_contain_text("Line 1 needs its label: write -> praise or -> blame after the review.")
    steps.expect_number(page, f"{half:.4f}")
    expect(page.get_by_role("textbox", name=FIELD)).to_have_value("What a film")


def test_classifier_sample_outlines_what_is_read(page: Page, app_server: str) -> None:
    """In all three heatmaps; the cell says what the backward half has seen there."""
    steps.sample(page, app_server, "reviews-trained")
    names = page.evaluate(
        "plot => document.querySelector(`${plot} .js-plotly-plot`).data.map(trace => trace.name)", steps.EQUATION
    )
    assert names.count("highlight") == 3
    expect(page.locator(steps.EQUATION)).to_contain_text("the timestep that is read")
    lengths = load_sample("reviews-trained")["lengths"]
    steps.click_cell(page, 1, int(lengths[1]) - 1)
    cell = page.locator(".st-key-explore_cell")
    expect(cell).to_contain_text("The sequence is read here.")
    expect(cell).to_contain_text("the backward half only one, the last.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_models_to_look_at(request: pytest.FixtureRequest, app_server: str, shot: Shot, scheme: str) -> None:
    """Nothing is wider than the page, in either theme; the screenshots are looked at by people."""
    page: Page = request.getfixturevalue("page" if scheme == "light" else "dark_page")
    for name in KINDS_OF_MODEL:
        steps.sample(page, app_server, f"{name}-trained")
        shot(page, f"explore-{name}-{scheme}", whole=True)
    steps.click_cell(page, 0, 2)
    page.locator(".st-key-explore_cell").scroll_into_view_if_needed()
    shot(page, f"explore-reviews-cell-{scheme}", whole=True)
    for name, text in TEXT.items():
        steps.visit(page, app_server, door="Model", sentences_model=name, **{f"sentences_{name}": text})
        shot(page, f"sentences-{name}-{scheme}", whole=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

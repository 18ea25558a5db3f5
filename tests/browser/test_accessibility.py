"""Every page for everybody: axe-core objects to nothing, light and dark, and at no size is anything cut off.

axe-core checks WCAG 2.2 A and AA and its best practices: headings in order, one main heading, names, contrast. What it
can't know is in the second test: a number belongs to its label, the picture is a table too, the focus stays.
"""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lossviz import Batch, analyze
from lossviz.samples import load_sample
from lossviz.ui.views import VIEWS
from tests.browser import steps
from tests.browser.screens import SCENES, SIZES, cut, opened

# Streamlit's own: its navigation has the titles of the groups as <div> between the <li> of one list.
STREAMLIT = ("[data-testid=stSidebarNavItems]",)
SEEN = {
    "page": [
        "explore-cell",
        "doctor-bad",
        "reductions",
        "identify-answer",
        "runs-none",
        "runs",
        "compare",
        "learn",
        "train",
        "projector-number",
    ],
    "dark_page": ["explore-cell", "doctor-bad", "reductions", "identify-answer", "runs", "compare", "learn", "train"],
}
NARROW = ("1024x768", "150%", "200%")
TABLE = ".st-key-explore_equation .lossviz-plot-table table"


@pytest.mark.parametrize("theme", SEEN)
def test_axe_finds_nothing_and_nothing_is_cut_off(theme, app_server, run_server, request, console_errors):
    page = request.getfixturevalue(theme)
    found, clipped, headings = {}, {}, {}
    for name in SEEN[theme]:
        scene = SCENES[name]
        page.set_viewport_size({"width": 1280, "height": 800})
        opened(page, run_server if scene.of_a_run else app_server, scene)
        results = Axe().run(page, context={"exclude": [[part] for part in STREAMLIT]}).response
        for violation in results["violations"]:
            found[name, violation["id"]] = [
                (node["html"][:160], node["failureSummary"][:300]) for node in violation["nodes"]
            ]
        headings[scene.path or "explore"] = page.get_by_role("heading", level=1).text_content()
        for size in NARROW if theme == "page" else ():
            page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
            if words := cut_at_rest(page):
                clipped[name, size] = words
    # Streamlit looks for its own health under the page's address first.
    errors = [error for error in console_errors if "404 (Not Found)" not in error and "main page" not in error]
    console_errors.clear()
    assert (found, clipped, errors) == ({}, {}, [])
    assert headings == {view.name: f"{view.title}: {view.question}" for view in VIEWS if view.name in headings}


def cut_at_rest(page: Page) -> list[str]:
    """The words that stay clipped: on a loaded machine a page takes its time to fit itself into another window."""
    for _ in range(25):
        page.wait_for_timeout(200)
        if not (words := cut(page)):
            break
    return words


def test_numbers_have_labels_the_picture_is_a_table_and_the_focus_stays(page: Page, app_server: str) -> None:
    """As a screen reader meets it: groups named by their labels, a table with the sum, the way back after an undo."""
    steps.visit(page, app_server, door="Sample", sample="golden")
    expect(page.get_by_role("group", name="Loss, nats per timestep", exact=True)).to_contain_text("1.2545")
    expect(page.get_by_role("group", name="Divided by timesteps that count", exact=True)).to_contain_text("11")
    table = page.locator(TABLE)
    sum_ = "batch loss, mask, unpadded loss: 13.8000 ÷ 11 timesteps that count = 1.2545 nats"
    expect(table.locator("caption")).to_have_text(sum_)
    batch = Batch.from_arrays(**load_sample("golden"))
    loss = analyze(batch).batch_loss
    rows = [row.locator("td").all_text_contents() for row in table.locator("tbody tr").all()]
    for b, t in np.ndindex(*loss.shape):
        target, counts, lost = int(batch.targets[b, t]), t < batch.lengths[b], f"{float(loss[b, t]):.4g}"
        left = f"mask 1, unpadded loss {lost}" if counts else "mask 0, unpadded loss no number"
        assert rows[b][t] == f"target {batch.token(target)} ({target}), batch loss {lost}, {left}"
    steps.click_cell(page, 0, 2)
    weight = page.locator("[class*=st-key-weight] input")
    weight.fill("0")
    weight.press("Enter")
    expect(table.locator("caption")).to_contain_text("10.3000 ÷ 10 timesteps that count = 1.0300")
    undo = page.get_by_role("button", name="Undo", exact=True)
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Redo", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(undo).to_be_focused()


def test_words_are_one_click_away(page: Page, app_server: str) -> None:
    steps.visit(page, app_server, door="Sample", sample="golden")
    page.get_by_role("button", name="Words").click()
    words = page.get_by_role("dialog")
    for word in ("nats: the unit of −ln p", "share: the part of the number", "counts: a timestep counts where"):
        expect(words).to_contain_text(word)

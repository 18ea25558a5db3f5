"""Editing in the picture itself: drawn at once, told to the server, undone; by mouse and by keys."""

import re

import numpy as np
from playwright.sync_api import Page, expect

from lossviz import Analysis, Batch, analyze
from lossviz.digits import compact
from lossviz.edits import Edit, apply_edits
from lossviz.samples import load_sample
from tests.browser import steps
from tests.browser.conftest import Shot

FIELD = ".st-key-equation .lossviz-plot-field"
LINE = """[...root.querySelectorAll(".annotation-text")].map((t) => t.textContent).find((t) => t.includes("÷ "))"""
# Presses a key and looks before anything else can happen: is it drawn, and has the server had no time to answer?
AT_ONCE = """([plot, key]) => {
  const root = document.querySelector(plot);
  const before = root.dataset.drawn;
  root.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  return [root.dataset.drawn === before, root.querySelectorAll(".lossviz-plot-paint .tile").length, LINE];
}""".replace("LINE", LINE)
# The same with fields, each opened by a key and typed into: what the cells say, the divisor, the arithmetic.
TYPED_AT_ONCE = """([plot, typed]) => {
  const root = document.querySelector(plot);
  const [before, field] = [root.dataset.drawn, root.querySelector(".lossviz-plot-field")];
  const press = (on, key) => on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  for (const [key, text] of typed) {
    press(root, key);
    field.value = text;
    press(field, "Enter");
  }
  const tiles = [...root.querySelectorAll(".lossviz-plot-paint .tile")].map((tile) => tile.textContent);
  return [root.dataset.drawn === before, tiles, LINE, root.querySelector(".lossviz-plot-terms").textContent];
}""".replace("LINE", LINE)


def edited(name: str, *edits: tuple[str, tuple[int, ...], float]) -> Analysis:
    return analyze(apply_edits(Batch.from_arrays(**load_sample(name)), [Edit(*edit) for edit in edits]))


def golden(*edits: tuple[str, tuple[int, ...], float]) -> float:
    return float(edited("golden", *edits).value)


def settled(page: Page, value: float, step: str) -> None:
    """The server's number stands on top, the step to it beside the divisor, and nothing is painted over the picture."""
    steps.expect_number(page, f"{value:.4f}")
    expect(page.locator(f"{steps.EQUATION}-paint .step")).to_have_text(step)
    expect(page.locator(f"{steps.EQUATION}-paint .tile")).to_have_count(0)


def end_of(page: Page, row: int, length: int) -> tuple[float, float]:
    """Where a sequence ends, in the lowest of the three heatmaps."""
    (left, y), (right, _) = (steps.place(page, row, column, "xy3") for column in (length - 1, length))
    return (left + right) / 2, y


def test_mask_and_length_are_changed_by_mouse(page: Page, app_server: str, shot: Shot) -> None:
    """A row's end is drawn along, mask cells are clicked and brushed; each is one step for Undo."""
    steps.sample(page, app_server, "golden")
    page.mouse.move(*end_of(page, 2, 2))
    page.mouse.down()
    for length in (3, 4, 5):
        page.mouse.move(
            *end_of(page, 2, length) if length < 5 else (end_of(page, 2, 4)[0] + 140, end_of(page, 2, 4)[1])
        )
    expect(page.locator(f"{steps.EQUATION}-paint .step")).to_have_text("1.2545 → 1.0286, + 3 timesteps")
    shot(page, "hand-drag-light")
    page.mouse.up()
    longer = ("lengths", (2,), 5)
    settled(page, golden(longer), "1.2545 → 1.0286, + 3 timesteps")
    steps.idle(page)
    page.mouse.move(*steps.place(page, 0, 1, "xy2"))
    page.mouse.down()
    page.mouse.move(*steps.place(page, 0, 2, "xy2"), steps=4)
    page.mouse.move(*steps.place(page, 1, 2, "xy2"), steps=4)
    page.mouse.up()
    brushed = [("weights", cell, 0.0) for cell in ((0, 1), (0, 2), (1, 2))]
    settled(page, golden(longer, *brushed), f"1.0286 → {golden(longer, *brushed):.4f}, − 3 timesteps")
    expect(page.locator(".st-key-edits")).to_contain_text("4 entries differ from the source")
    steps.idle(page)
    shot(page, "hand-brushed-light")
    page.keyboard.press("Control+z")
    steps.expect_number(page, f"{golden(longer):.4f}")
    page.get_by_role("button", name="Undo", exact=True).click()
    steps.expect_number(page, f"{golden():.4f}")


def test_mask_length_weight_and_target_are_changed_by_keys(page: Page, app_server: str, shot: Shot) -> None:
    """Drawn before the server can have answered; the fields in the cells take a number, a token or an id."""
    steps.sample(page, app_server, "golden")
    page.locator(steps.EQUATION).focus()
    for key in ("Enter", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(".st-key-explore_cell")).to_contain_text("Sequence 0, timestep 2:")
    steps.idle(page)
    off = ("weights", (0, 2), 0.0)
    told = page.evaluate(AT_ONCE, [steps.EQUATION, " "])
    assert told == [True, 2, f"{13.8 - 3.5:.4f} ÷ 10 timesteps that count = {golden(off):.4f} nats"]
    settled(page, golden(off), f"1.2545 → {golden(off):.4f}, − 1 timestep")
    steps.idle(page)
    page.keyboard.press("w")
    expect(page.locator(FIELD)).to_have_value("0")
    for word in ("half", "1e999"):
        page.locator(FIELD).fill(word)
        page.keyboard.press("Enter")
        expect(page.locator(FIELD)).to_have_attribute("aria-invalid", "true")
    page.locator(FIELD).fill("0,5")
    page.keyboard.press("Enter")
    half = ("weights", (0, 2), 0.5)
    settled(page, golden(half), f"{golden(off):.4f} → {golden(half):.4f}, + 1 timestep")
    steps.idle(page)
    page.keyboard.press("Enter")
    expect(page.locator(FIELD)).to_have_value("c (4)")
    shot(page, "hand-field-light")
    page.keyboard.press("Escape")
    told = page.evaluate(TYPED_AT_ONCE, [steps.EQUATION, [["Enter", "d"], ["l", "0,5"]]])
    target, logit = ("targets", (0, 2), 5.0), ("logits", (0, 2, 5), 0.5)
    after = edited("golden", half, target, logit)
    cells = [f"d {compact(float(after.batch_loss[0, 2]))}", "0.5", f"d {compact(float(after.unpadded_loss[0, 2]))}"]
    assert told[:2] == [True, cells]
    assert told[2] == f"{after.numerator:.4f} ÷ 10.5 (the sum of the weights) = {after.value:.4f} nats"
    steps.expect_number(page, f"{after.value:.4f}")
    expect(page.locator(f"{steps.EQUATION}-paint .tile")).to_have_count(0)
    expect(page.locator(f"{steps.EQUATION}-terms")).to_have_text(told[3])
    expect(page.locator(steps.EQUATION)).to_be_focused()
    page.keyboard.press("t")
    page.locator(FIELD).fill("tea")
    page.locator(FIELD).press("Enter")
    expect(page.get_by_text("“tea” is no token of this batch and no class id: nothing was edited.")).to_be_visible()
    page.locator(steps.EQUATION).focus()
    for _ in range(4):
        page.keyboard.press("Control+z")
    steps.expect_number(page, f"{golden():.4f}")
    steps.idle(page)
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    shorter = ("lengths", (0,), 3)
    steps.expect_number(page, f"{golden(shorter):.4f}")
    expect(page.locator(".st-key-edits")).to_contain_text("1 entry differs from the source")


def test_double_click_edits_in_place_and_a_locked_mask_says_why(page: Page, app_server: str) -> None:
    """In the losses the target, in the mask the weight, whose first click makes no step of its own."""
    steps.sample(page, app_server, "golden")
    page.mouse.dblclick(*steps.place(page, 1, 1))
    expect(page.locator(FIELD)).to_have_attribute("aria-label", "Target of sequence 1, timestep 1")
    page.keyboard.press("Escape")
    expect(page.locator(FIELD)).to_be_hidden()
    page.mouse.dblclick(*steps.place(page, 1, 1, "xy2"))
    expect(page.locator(FIELD)).to_have_attribute("aria-label", "Weight of sequence 1, timestep 1")
    page.locator(FIELD).fill("2")
    page.get_by_role("link", name="Reductions").click()  # without Enter
    expect(
        page.get_by_role("heading", name="Reductions").or_(page.get_by_text("What each library would print").first)
    ).to_be_visible()
    page.get_by_role("link", name="Explore").click()
    double = ("weights", (1, 1), 2.0)
    steps.expect_number(page, f"{golden(double):.4f}")
    expect(page.locator(".st-key-edits")).to_contain_text("1 entry differs from the source")
    steps.choose(page, "Mask", "No mask: every timestep counts")
    page.mouse.click(*steps.place(page, 1, 2, "xy2"))
    expect(page.locator(".st-key-explore_cell")).to_contain_text("Sequence 1, timestep 2:")
    page.keyboard.press(" ")
    why = "Only the mask “weights” can be edited; “none” is chosen in the sidebar."
    expect(page.locator(f"{steps.EQUATION}-terms")).to_have_text(why)
    expect(page.locator(f"{steps.EQUATION}-live")).to_have_text(why)


def test_classifier_reads_what_is_clicked_pulled_or_chosen_by_key(page: Page, app_server: str, shot: Shot) -> None:
    """In “what is read” a click says which timestep; drawn at once with its outline; weights are no field there."""
    batch = Batch.from_arrays(**load_sample("reviews-trained"))
    ends = [int(length) for length in batch.lengths]

    def read(**lengths: int) -> float:
        edits = [Edit("lengths", (int(row[1:]),), length) for row, length in lengths.items()]
        return float(analyze(apply_edits(batch, edits)).value)

    steps.sample(page, app_server, "reviews-trained")
    page.mouse.move(*steps.place(page, 1, ends[1] - 3, "xy2"))
    expect(page.locator(steps.EQUATION)).to_have_class(re.compile("on-mask.* reads-one|reads-one.* on-mask"))
    page.mouse.down()
    page.mouse.move(*steps.place(page, 1, ends[1] - 2, "xy2"))
    assert page.locator(f"{steps.EQUATION}-paint .read").count() == 3 * len(ends)
    shot(page, "hand-reads-light")
    page.mouse.up()
    before, after = read(), read(r1=ends[1] - 1)
    settled(page, after, f"{before:.4f} → {after:.4f}")
    steps.idle(page)
    page.keyboard.press("ArrowLeft")
    told = page.evaluate(AT_ONCE, [steps.EQUATION, " "])
    after = read(r1=ends[1] - 2)
    assert (told[0], told[1], f"= {after:.4f} nats" in told[2]) == (True, 4, True)
    settled(page, after, f"{read(r1=ends[1] - 1):.4f} → {after:.4f}")
    steps.idle(page)
    page.keyboard.press("w")
    why = "A classifier reads one timestep of each sequence: click the one to read."
    expect(page.locator(f"{steps.EQUATION}-terms")).to_have_text(why)
    page.keyboard.press("Shift+ArrowRight")
    steps.expect_number(page, f"{read(r1=ends[1] - 1):.4f}")
    expect(page.locator(f"{steps.EQUATION}-paint .tile")).to_have_count(0)
    steps.idle(page)
    loss = float(edited("reviews-trained", ("logits", (1, ends[1] - 3, 0), 2.5)).batch_loss[1, ends[1] - 3])
    told = page.evaluate(TYPED_AT_ONCE, [steps.EQUATION, [["l", "2.5"]]])
    assert (*told[:2], f"= loss {loss:.4f}" in told[3]) == (True, ["the", "0", "–"], True)  # which is not read
    expect(page.locator(".st-key-edits")).to_contain_text("2 entries differ from the source")
    expect(page.locator(f"{steps.EQUATION}-terms")).to_have_text(told[3])


def test_mask_is_edited_whatever_the_cells_show(page: Page, app_server: str) -> None:
    """Probabilities are hidden at once, gradients wait for the server; the table for screen readers follows."""
    steps.sample(page, app_server, "golden")
    table = page.locator(".st-key-explore_equation .lossviz-plot-table")
    steps.choose(page, "Quantity in the cells", "probability")
    steps.click_cell(page, 0, 2)
    told = page.evaluate(AT_ONCE, [steps.EQUATION, " "])
    assert told[:2] == [True, 2]
    expect(table).to_have_attribute("aria-busy", "true")
    off = ("weights", (0, 2), 0.0)
    steps.expect_number(page, f"{golden(off):.4f}")
    cell = table.locator("tbody tr").nth(0).locator("td").nth(2)
    expect(cell).to_contain_text("mask 0, probability where it counts no number")
    expect(table).not_to_have_attribute("aria-busy", "true")
    steps.choose(page, "Quantity in the cells", "gradient norm")
    page.locator(steps.EQUATION).focus()
    assert page.evaluate(AT_ONCE, [steps.EQUATION, " "])[:2] == [True, 1]
    steps.expect_number(page, f"{golden():.4f}")


def test_motion_is_short_and_none_where_it_is_not_wanted(page: Page, app_server: str) -> None:
    """The mask falls, what counts flows into its sum; under reduced motion nothing moves."""
    steps.sample(page, app_server, "golden")
    steps.click_cell(page, 0, 2)
    toggle = """plot => {
      document.querySelector(plot).dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true }));
      const mine = document.getAnimations().filter(({ effect }) => effect.target.closest(plot));
      return mine.map(({ effect }) => effect.getTiming().duration);
    }"""
    assert page.evaluate(toggle, steps.EQUATION) == []
    page.emulate_media(reduced_motion="no-preference")
    for _ in range(2):  # on, then off again
        steps.idle(page)
        found = page.evaluate(toggle, steps.EQUATION)
        assert found
        assert max(found) <= 300
        expect(page.locator(f"{steps.EQUATION}-paint .ghost")).to_have_count(0)


def test_arithmetic_stands_over_the_picture_and_lights_it(page: Page, app_server: str, shot: Shot) -> None:
    """One line from the logits to the number, on the first screen at 1280 × 800; terms and cells light each other."""
    steps.visit(page, app_server)
    steps.click_cell(page, 2, 5)
    line = page.locator(f"{steps.EQUATION}-terms")
    cell = analyze(Batch.from_arrays(**load_sample("alice-trained"))).explain(2, 5)
    words = f"queen (2, 5) log Σ {cell.log_total:.4f} − (z {cell.maximum + cell.shifted:.4f} − max {cell.maximum:.4f}) "
    words += f"= loss {cell.loss:.4f} × weight 1 = {cell.loss:.4f} ÷ 84 = {cell.contribution:.4f}"
    assert " ".join(line.inner_text().split()) == words
    box = line.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 160
    divisor = page.locator(f"{steps.EQUATION} .annotation", has_text="÷ 84 timesteps that count").bounding_box()
    assert divisor is not None
    assert divisor["y"] + divisor["height"] <= 800
    root = page.locator(steps.EQUATION)
    for part in ("loss", "weight", "kept", "divisor", "number"):
        line.locator(f"[data-part={part}]").hover()
        expect(root).to_have_attribute("data-lit", part)
    expect(page.locator(f"{steps.EQUATION} .annotation tspan.lit")).to_have_text("1.6970")
    for subplot, part in (("xy2", "weight"), ("xy3", "kept"), ("xy", "loss")):
        page.mouse.move(*steps.place(page, 2, 5, subplot))
        expect(line.locator(".lit")).to_have_attribute("data-part", part)
    page.mouse.move(*steps.place(page, 4, 5))
    expect(line.locator(".lit")).to_have_count(0)
    line.locator("[data-part=logit]").dblclick()
    expect(page.locator(FIELD)).to_have_attribute("aria-label", "Logit of the target of sequence 2, timestep 5")
    page.locator(FIELD).fill("9.5")
    page.keyboard.press("Enter")
    batch = apply_edits(Batch.from_arrays(**load_sample("alice-trained")), [Edit("logits", (2, 5, cell.target), 9.5)])
    steps.expect_number(page, f"{analyze(batch).value:.4f}")
    expect(line.locator("[data-part=logit]")).to_have_text("− (z 9.5000")
    page.locator(f"{steps.EQUATION}-help summary").click()
    expect(page.locator(steps.EQUATION).get_by_text("Pull a sequence's end")).to_be_visible()
    shot(page, "hand-help-light")


def test_logit_that_is_no_number_is_edited_in_place(page: Page, app_server: str) -> None:
    """Its loss waits for the server while other logits of the timestep are NaN."""
    batch = Batch.from_arrays(**load_sample("logits-nan"))
    rows, timesteps = np.indices(batch.targets.shape)
    row, timestep = map(int, np.argwhere(np.isnan(batch.logits[rows, timesteps, batch.targets]))[0])
    steps.sample(page, app_server, "logits-nan")
    steps.click_cell(page, row, timestep)
    expect(page.locator(f"{steps.EQUATION}-terms [data-part=logit]")).to_have_text("− (z NaN")
    page.keyboard.press("l")
    expect(page.locator(FIELD)).to_have_value("NaN")
    page.locator(FIELD).fill("0.5")
    page.keyboard.press("Enter")
    expect(page.locator(f"{steps.EQUATION}-terms [data-part=logit]")).to_have_text("− (z 0.5000")
    expect(page.locator(".st-key-edits")).to_contain_text("1 entry differs from the source")

"""The numbers that the browser works out at once are the server's: sums, divisor, number, and how they are written."""

import math

import numpy as np
import pytest
from playwright.sync_api import Page

from lossviz import Batch, Settings, analyze
from lossviz.digits import compact, number
from lossviz.edits import Edit, apply_edits
from lossviz.errors import SettingsError
from lossviz.figures import QUANTITIES
from lossviz.reductions import REDUCTIONS, Options, follow
from lossviz.samples import load_sample
from lossviz.settings import MASKS
from lossviz.ui.explore.hand import no_weight
from tests.browser.live_model import WAITS, asked, assert_same_number, batches, floats

EDITS = (
    (("lengths", (0,), 2),),
    (("lengths", (1,), 0), ("lengths", (0,), 1)),
    (("weights", (0, 0), 0.0),),
    (("weights", (0, 0), 0.0), ("weights", (1, 2), 0.5), ("weights", (1, 1), 3.0)),
)
READING = ((("weights", (0, 4), 1.0),), tuple(("weights", (1, t), 0.0) for t in range(2, 9)), (("lengths", (2,), 9),))
KEPT = """({ live, edits }) => {
  const model = new Model(live).after(edits);
  return [...model.value.keys()].map((at) => String(model.kept(at)));
}"""


def test_every_reduction_but_one_follows_from_a_few_sums() -> None:
    """Others are asked of the server; the coefficients give the divisor of masks that they were not found by."""
    mask = (np.arange(8) < np.array([[8], [3], [0], [5]])) * np.array([[1.0], [0.25], [1.0], [2.0]])
    followed = {row.name: follow(row, (4, 8), Options(accumulation_steps=3)) for row in REDUCTIONS}
    assert {name for name, terms in followed.items() if terms is None} == WAITS
    for row in REDUCTIONS:
        terms = followed[row.name]
        if terms is not None and terms.axis is None:
            seen = terms.weights * mask.sum() + terms.nonzero * (mask != 0).sum() + terms.constant
            seen += terms.first * (mask[:, 0] != 0).sum()
            assert seen == row.reduce(mask, mask, Options(accumulation_steps=3)).divisor.item(), row.name


def test_browser_and_server_agree(blank: Page) -> None:
    """Samples × reductions × edits, within 1e-6 of the server's number; NaN stays NaN."""
    compared = 0
    for name, batch in batches():
        for reduction in REDUCTIONS:
            settings = Settings(reduction=reduction.name, accumulation_steps=2)
            if settings.is_classifier != name.startswith("classifier"):
                continue
            before = analyze(batch, settings)
            for edits in (*EDITS, *(READING if settings.is_classifier else ())):
                if edits[0][0] == "lengths" and batch.weights is not None:
                    continue
                after = before.with_settings(settings, batch=apply_edits(batch, [Edit(*edit) for edit in edits]))
                found = asked(blank, before, edits)
                about = f"{name}, {reduction.name}, {edits}"
                assert floats(found["weights"]).tolist() == after.weights.ravel().tolist(), about
                for side, axis in (("rows", 1), ("columns", 0)):
                    np.testing.assert_allclose(
                        floats(found[side]), after.unpadded_loss.sum(axis=axis), 1e-6, 1e-9, err_msg=about
                    )
                if reduction.name in WAITS:
                    assert found["line"] is None
                    continue
                assert_same_number(found, after, about)
                compared += 1
    assert compared > 250


def test_classifier_of_which_a_part_is_shown_moves_what_is_read(blank: Page) -> None:
    """The number is left to the server: the loss of a timestep outside of the window is not in the browser."""
    for name, batch in batches():
        if not name.startswith("classifier"):
            continue
        settings = Settings(reduction="classification")
        before = analyze(batch, settings)
        for edits in (
            (("lengths", (2,), 6),),
            (("lengths", (2,), 9),),
            (("weights", (0, 5), 0.0), ("weights", (2, 5), 1.0)),
        ):
            if edits[0][0] == "lengths" and batch.weights is not None:
                continue
            after = before.with_settings(settings, batch=apply_edits(batch, [Edit(*edit) for edit in edits]))
            found = asked(blank, before, edits, window=(0, 4, 2, 7))
            assert floats(found["weights"]).tolist() == after.weights[0:4, 2:7].ravel().tolist(), (name, edits)
            assert (found["line"], found["numbers"]) == (None, ["undefined"] * 4)


def test_other_quantities_are_hidden_by_the_mask_or_left_to_the_server(blank: Page) -> None:
    """What the third heatmap shows of them after a change, and how a cell writes it."""
    batch = Batch.from_arrays(**load_sample("alice-trained"))
    edits = (("weights", (2, 4), 0.0), ("weights", (0, 13), 1.0))
    before = analyze(batch)
    after = before.with_settings(before.settings, batch=apply_edits(batch, [Edit(*edit) for edit in edits]))
    for quantity in QUANTITIES.values():
        kept = np.ravel(asked(blank, before, edits, quantity=quantity.name, ask=KEPT))
        values = quantity.counted(after).ravel()
        if quantity.under_mask == "other":
            assert set(kept[after.mask.ravel()]) == {"undefined"}
            assert set(kept[~after.mask.ravel()]) == {"0"}
        else:
            np.testing.assert_allclose(floats(kept)[after.mask.ravel()], values[after.mask.ravel()], 1e-6)
        shown = [float(value) for value in (*values, 0.0, 0.12345, 0.004)]
        texts = blank.evaluate("([name, values]) => values.map((value) => inCell(name, value))", [quantity.name, shown])
        assert texts == [quantity.form(value) for value in shown], quantity.name


def test_part_of_a_batch_that_is_not_shown_is_counted(blank: Page) -> None:
    """Of a window, what lies outside is in the sums; means of means of a window are left to the server."""
    batch = Batch.from_arrays(**load_sample("alice-trained"))
    edits = (("weights", (2, 4), 0.0), ("weights", (3, 5), 2.0))
    for reduction in ("mean", "counted", "with_first_labels"):
        before = analyze(batch, Settings(reduction=reduction))
        after = before.with_settings(before.settings, batch=apply_edits(batch, [Edit(*edit) for edit in edits]))
        found = asked(blank, before, edits, window=(1, 5, 2, 8))
        assert floats(found["numbers"]) == pytest.approx(
            [after.numerator, after.divisor, after.value, after.mask.sum()]
        )
        assert floats(found["rows"]) == pytest.approx(after.unpadded_loss[1:5].sum(axis=1))
        assert floats(found["columns"]) == pytest.approx(after.unpadded_loss[:, 2:8].sum(axis=0))
    before = analyze(batch, Settings(reduction="sequence_means"))
    assert asked(blank, before, edits, window=(1, 5, 2, 8))["line"] is None


def test_numbers_are_written_as_the_figures_write_them(blank: Page) -> None:
    values = [0.0, 1.25451, -1.25451, 123456.7, -99999.95, 1e-7, 4.2e-5, 0.0051, 0.004, 11.0, 1234567.0, 2.5e13, 0.5]
    values += [*np.random.default_rng(0).normal(0, 10, 100), math.nan, math.inf, -math.inf]
    texts = [str(value).replace("inf", "Infinity").replace("nan", "NaN") for value in values]
    ask = "(texts) => texts.map(Number).map((v) => [written(v), written(v, 2), compact(v), exactly(v), general(v, 3)])"
    for value, found in zip(values, blank.evaluate(ask, texts), strict=True):
        wanted = [number(value), number(value, 2), compact(value)]
        if math.isfinite(value):
            wanted += [f"{'−' if value < 0 else ''}{abs(value):,.10g}", f"{value:.3g}"]
        assert found[: len(wanted)] == wanted


def test_masks_that_are_chosen_are_not_edited() -> None:
    """Every mask of `Settings` says whether the hand may change it."""
    batch = Batch.from_arrays(**load_sample("golden"))
    allowed = {}
    for mask in (None, *MASKS):
        try:
            allowed[mask] = no_weight(analyze(batch, Settings(mask=mask))) == ""
        except SettingsError:
            continue
    assert {mask for mask, edited in allowed.items() if edited} <= {None, "weights"}

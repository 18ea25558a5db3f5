"""The loss that the browser works out at once, under another target or another logit, is the server's."""

from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
from playwright.sync_api import Page

from lossviz import Batch, Settings, analyze
from lossviz.edits import Edit, apply_edits
from lossviz.errors import InputError
from lossviz.figures import live_equation
from lossviz.reductions import REDUCTIONS
from lossviz.ui.explore.hand import class_named
from lossviz.ui.explore.terms import terms_of
from lossviz.ui.session.source import Source
from tests.browser.live_model import NAMES, WAITS, asked, assert_same_number, batches, floats

Edits = tuple[tuple[str, tuple[int, ...], Any], ...]
USUAL = ("mean", "classification")


def aimed(batch: Batch, cell: tuple[int, int]) -> Iterator[Edits]:
    """Another target as it is typed; another logit; both, one on top of the other, and a weight."""
    target, is_sigmoid = int(batch.targets[cell]), batch.shape[2] == 1
    other = 1 - target if is_sigmoid else (target + 1) % batch.shape[2]
    aim = ("targets", cell, str(other))
    yield (aim,)
    yield (("logits", (*cell, 0 if is_sigmoid else target), 9.3),)
    both = aim, ("logits", (*cell, 0 if is_sigmoid else other), -0.7)
    yield both if is_sigmoid else (*both, ("weights", cell, 0.5))


def made(batch: Batch, edits: Edits) -> Batch:
    return apply_edits(batch, [Edit(field, index, float(value)) for field, index, value in edits])


def cases() -> Iterator[tuple[str, Batch, Settings]]:
    """Every reduction on one batch, the usual one on the others."""
    far = np.random.default_rng(8).normal(0, 40, (2, 3, 7))
    far[0, 1, [0, 6]], far[1, 0, 3] = -np.inf, np.nan  # classes that can't be, in the timestep itself; NaN in another
    far_apart = {"logits": far.astype(np.float32), "targets": [[1, 2, 4], [3, 5, 0]], "weights": [[1, 1, 2], [0, 1, 1]]}
    for name, batch in (*batches(), ("far apart", Batch.from_arrays(**far_apart))):
        for reduction in REDUCTIONS:
            settings = Settings(reduction=reduction.name, accumulation_steps=2)
            if settings.is_classifier == name.startswith("classifier") and (
                name == "golden" or reduction.name in USUAL
            ):
                yield name, batch, settings.replace(mask="none") if name == "pad id" else settings


def test_target_and_logit_of_the_selected_timestep_follow_from_its_logits(blank: Page) -> None:
    """Within 1e-6 of the server: losses, numbers, the terms of the arithmetic; the words of cell and divisor, too."""
    cell, compared = (0, 1), 0
    for name, batch, settings in cases():
        before = analyze(batch, settings)
        for edits in aimed(batch, cell):
            if name == "pad id" and edits[-1][0] == "weights":
                continue  # under that mask the weights are not edited
            edited, about = made(batch, edits), f"{name}, {settings.reduction}, {edits}"
            after, found = before.with_settings(settings, batch=edited), asked(blank, before, edits, cell=cell)
            losses = np.where(after.invalid & ~after.odd_weights, np.nan, after.batch_loss).ravel()
            np.testing.assert_allclose(floats(found["losses"]), losses, 1e-6, err_msg=about)
            assert found["targets"] == edited.targets.ravel().tolist(), about
            named = [[1, edited.token(int(edited.targets[cell]))]] if edits[0][0] == "targets" else []
            assert found["words"] == named, about
            follows = settings.reduction not in WAITS
            line = terms_of(after.explain(*cell), has_number=follows)
            told = {term["part"]: term["value"] for term in line["terms"]}
            shown = [float(found["terms"][part]) for part in told]
            np.testing.assert_allclose(shown, [*told.values()], 1e-6, 1e-12, err_msg=about)
            if not follows:
                assert found["line"] is None
                continue
            assert_same_number(found, after, about)
            compared += 1
    assert compared > 70


def test_logit_is_rounded_as_the_batch_holds_it(blank: Page) -> None:
    """In every float dtype: ties, tiny numbers, and some that are too large, which the server refuses."""
    typed = (9.3, 1e-6, 3e-8, 2049.0, 2051.0, 65519.0, 65521.0, -7e4, 3.4e38, -3.5e38, 1e39, 0.0, 1.00390625, 257.0)
    for dtype in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64):
        batch = Batch.from_arrays(logits=np.full((1, 1, 3), 0.5, dtype), targets=[[1]])
        before = analyze(batch)
        for value in typed:
            edits: Edits = (("logits", (0, 0, 1), value),)
            try:
                held = float(made(batch, edits).logits[0, 0, 1])
            except InputError:
                held = 0.5
            assert float(asked(blank, before, edits, cell=(0, 0))["logit"]) == held, (dtype, value)


def test_what_only_the_server_can_tell_waits_for_it(blank: Page) -> None:
    """A mask from targets, what is no class, NaN, +∞, a timestep whose logits are not here, very many classes."""
    logits = np.random.default_rng(5).normal(0, 1, (2, 3, 6))
    bad = logits.copy()
    bad[0, 1, 4], bad[0, 2], bad[1, 0, 0] = np.nan, -np.inf, np.inf
    plain = Batch.from_arrays(logits=logits, targets=[[1, 2, 3], [4, -100, 0]])
    padded, ignoring, odd = plain.replace(pad_id=0), plain.replace(ignore_id=-100), plain.replace(logits=bad)
    many = Batch.from_arrays(logits=np.zeros((1, 2, 8193), np.float32), targets=[[1, 2]])
    cell = (0, 1)
    aim, logit = ("targets", cell, "5"), ("logits", (0, 1, 2), 3.0)
    waiting: list[tuple[Batch, Any, Any]] = [
        *((batch, cell, edit) for batch in (padded, ignoring, odd) for edit in (aim, logit)),
        *((odd, at, ("targets", at, "5")) for at in ((0, 2), (1, 0))),
        *((plain, at, edit) for at in ((0, 2), None) for edit in (aim, logit)),
        *((plain, cell, ("targets", cell, text)) for text in ("6", "-100", "tea")),
        (plain, (1, 1), ("targets", (1, 1), "5")),
        (many, cell, aim),
    ]
    for batch, at, edit in waiting:
        before = analyze(batch)
        found = asked(blank, before, [edit], cell=at)
        np.testing.assert_array_equal(floats(found["losses"]), before.batch_loss.ravel(), err_msg=f"{at}, {edit}")
        assert found["words"] == []
    assert asked(blank, analyze(plain), [aim], cell=cell, quantity="probability")["words"] == []
    then = asked(blank, analyze(plain), [aim, ("targets", cell, "-1")], cell=cell)
    assert (then["targets"][1], then["words"], then["terms"]["loss"]) == (-1, [[1, "5"]], then["losses"][1])


def test_typed_target_is_read_as_the_server_reads_it_or_left_to_it(blank: Page) -> None:
    """Of listed classes a token, an id, or both; of others only an id, and none where an id may be a token."""
    words = ["a", "7", "tea (1)", "tea", "7 (1)", "tea", "x" * 90, "x" * 80]
    texts = ["a", "7", "tea", "tea (3)", "tea (5)", "tea (1)", "7 (1)", "5", "+5", "-100", "9", "2.5", "milk", "a (1)"]
    texts += ["a (0)", "x" * 80, "x" * 90, "1e3", "", "12345678901234567890", "٣"]
    ids = ["7", "5", "+5", "-100", "9"]
    listed = [text for text in texts if text in ids or text[:1] in ("a", "t", "7")]
    many = [*words, *map(str, range(1062))]
    for vocabulary, classes, read in ((words, 8, listed), (None, 8, ids), (None, 1070, ids), (many, 1070, [])):
        batch = Batch.from_arrays(logits=np.zeros((1, 1, classes)), targets=[[0]], vocabulary=vocabulary)
        labels = live_equation(analyze(batch))["labels"]
        found = dict(zip(texts, blank.evaluate(NAMES, {"labels": labels, "texts": texts}), strict=True))
        known = {text: one for text, one in found.items() if one is not None}
        assert known == {text: class_named(Source("typed", "it", batch), text) for text in known}
        assert [*known] == [text for text in read if text != "a (1)"]

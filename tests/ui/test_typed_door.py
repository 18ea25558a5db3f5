"""The typed door: tokens, ids, a vocabulary, logits; a bad value keeps the last good batch and the text."""

from typing import Any

import numpy as np
import pytest

from lossviz.figures._core.text import visible
from lossviz.ui.sources.typed import EXAMPLE, PASTE
from tests.ui.driver import (
    choose,
    click,
    counting,
    door,
    edit_length,
    number,
    open_app,
    run,
    select,
    shown,
    state,
    texts,
)

GOOD = "a b\nc"


def typed(text: str | None = None, **fields: str) -> Any:
    """The typed door with some fields filled in, one after the other, as by hand."""
    app = door(open_app(), "Type")
    if text is not None:
        run(app.text_area(key="typed_text").set_value(text))
    return fill(app, **fields)


def fill(app: Any, **fields: str) -> Any:
    for name, value in fields.items():
        key = f"typed_{name}"
        if name == "kind":
            choose(app, typed_kind=value)
        else:
            field = app.text_area if name in ("text", "pasted") else app.text_input
            run(field(key=key).set_value(value))
    return app


def test_door_opens_with_an_example() -> None:
    app = typed()
    assert app.text_area(key="typed_text").value == EXAMPLE
    batch = shown(app).batch
    assert batch.lengths.tolist() == [6, 4, 3]
    assert batch.vocabulary[:4] == ("<pad>", "the", "cat", "sat")
    assert texts(app, "error", "warning", "info") == []


def test_tokens_become_ids_in_order_of_appearance() -> None:
    batch = shown(typed("b a b\nc")).batch
    assert batch.vocabulary == ("<pad>", "b", "a", "c")
    assert batch.targets.tolist() == [[1, 2, 1], [3, 0, 0]]
    assert batch.lengths.tolist() == [3, 1]


def test_ids_are_ids() -> None:
    """V is one above the largest; uniform logits cost ln V each."""
    app = typed("4 1\n2", kind="uniform")
    batch = shown(app).batch
    assert (batch.targets.tolist(), batch.vocabulary, batch.shape) == ([[4, 1], [2, 0]], None, (2, 2, 5))
    assert number(app) == f"{np.log(5):.4f}"


def test_vocabulary_gives_the_ids() -> None:
    app = typed(GOOD, vocabulary="c b a x")
    assert shown(app).batch.targets.tolist() == [[2, 1], [0, 0]]
    assert shown(app).batch.vocabulary == ("c", "b", "a", "x")


NO_NUMBER = "is not a number. Write numbers with a decimal point, or nan, inf, -inf."
REFUSED = {
    "Line 2, token 1: `c` is not among the 2 tokens of the vocabulary. Add it to the vocabulary.": {
        "vocabulary": "a b"
    },
    "`vocabulary` must name each token once; `b` stands in it twice. Remove one of them.": {"vocabulary": "a b c b"},
    "No sequence was typed. Write one per line, its tokens or ids separated by spaces.": {"text": " \n "},
    "The wrong timesteps must be written sequence:timestep, such as 0:3 1:2; got 'x'.": {
        "kind": "wrong",
        "wrong": "0:1 x",
    },
    "`wrong` must name cells of the targets (2, 2); got (5, 0). Count from 0.": {"kind": "wrong", "wrong": "5:0"},
    f"Line 3, position 3: `x` {NO_NUMBER}": {"kind": "pasted", "pasted": "1 2\n3 4\n5 x\n7 8"},
    "The text ends while 1 of the brackets are open. Paste it whole.": {
        "kind": "pasted",
        "pasted": "[[[1, 2], [3, 4]]",
    },
    (
        "The pasted logits have shape (3, 2); the sequences need 2×2×V. "
        "Paste one list of V numbers for each timestep, padding too."
    ): {"kind": "pasted", "pasted": "1 2\n3 4\n5 6"},
}
KEPT = "On screen: the last batch that could be read."


@pytest.mark.parametrize("sentence", REFUSED, ids=range(len(REFUSED)))
def test_bad_value_is_one_sentence_and_keeps_batch_and_text(sentence: str) -> None:
    """The last good batch stays on screen and what was typed stays in the fields."""
    *good, (name, value) = REFUSED[sentence].items()
    app = fill(typed(GOOD, kind="uniform"), **dict(good))
    before = number(app)
    fill(app, **{name: value})
    assert texts(app, "error") == [sentence]
    assert KEPT in texts(app, "caption")
    assert number(app) == before
    assert app.session_state[f"typed_{name}"] == value


def test_pasted_numbers_begin_without_an_error() -> None:
    """What to paste is said, and the batch from before stays."""
    app = typed(GOOD, kind="uniform")
    before = number(app)
    fill(app, kind="pasted")
    assert (texts(app, "error"), texts(app, "info"), number(app)) == ([], [PASTE], before)
    assert "On screen: the batch from before." in texts(app, "caption")


def test_zeros_at_the_end_are_said_to_be_padding_and_may_be_a_class() -> None:
    app = typed("3 1 2 4 0\n2 5 0 0 0", kind="uniform")
    assert (shown(app).batch.lengths.tolist(), shown(app).batch.pad_id, counting(app)) == ([4, 2], 0, "6 of 10")
    assert app.checkbox(key="typed_zero_pads").label == "The zeros that end the lines are padding"
    run(app.checkbox(key="typed_zero_pads").uncheck())
    assert (shown(app).batch.lengths.tolist(), shown(app).batch.pad_id, counting(app)) == ([5, 5], None, "10 of 10")


def test_empty_line_is_said() -> None:
    app = typed("a b\n\nc")
    assert "Line 2 is empty and was left out. Write [] for a sequence of length 0." in texts(app, "caption")
    run(app.text_area(key="typed_text").set_value("a b\n[]\nc"))
    assert shown(app).batch.lengths.tolist() == [2, 0, 1]


def test_correcting_a_bad_value_takes_the_sentence_away() -> None:
    app = fill(typed(GOOD, kind="uniform"), vocabulary="a b")
    fill(app, vocabulary="a b c d e")
    assert (texts(app, "error"), number(app)) == ([], f"{np.log(5):.4f}")


LOGITS = np.array([[[0.5, -1.0, 2.0], [1e-3, 0.0, 7.25]], [[-3.0, 4.0, 0.0], [1.0, 1.0, 1.0]]])
NOTATIONS = {
    "JSON": str(LOGITS.tolist()),
    "NumPy prints": str(LOGITS),
    "NumPy repr": repr(LOGITS),
    "lines": "\n".join(",".join(map(str, row)) for row in LOGITS.reshape(-1, 3)),
    "CSV with semicolons": "\n".join(";".join(map(str, row)) for row in LOGITS.reshape(-1, 3)),
}


@pytest.mark.parametrize("text", NOTATIONS.values(), ids=NOTATIONS)
def test_logits_can_be_pasted(text: str) -> None:
    app = typed("2 1\n0", kind="pasted", pasted=text)
    assert shown(app).batch.logits.tolist() == LOGITS.tolist()
    losses = np.log(np.exp(LOGITS).sum(-1)) - np.take_along_axis(LOGITS, np.array([[[2], [1]], [[0], [0]]]), -1)[..., 0]
    assert number(app) == f"{losses[[0, 0, 1], [0, 1, 0]].mean():.4f}"


@pytest.mark.parametrize(("kind", "peak"), [("confident", 1), ("wrong", 2)])
def test_made_logits_peak_where_they_say(kind: str, peak: int) -> None:
    """Of three classes and a margin of 8, the target or the class after it."""
    app = typed("1 0", vocabulary="", kind=kind, **({"wrong": "0:0"} if kind == "wrong" else {}))
    assert shown(app).batch.logits[0, 0].argmax() == peak % 2


def test_seed_and_temperature_change_random_logits() -> None:
    app = typed(GOOD)
    first = shown(app).batch.logits
    run(app.number_input(key="typed_temperature").set_value(2.0))
    assert shown(app).batch.logits == pytest.approx(first / 2, rel=1e-6)
    run(app.number_input(key="typed_seed").set_value(1))
    assert not np.array_equal(shown(app).batch.logits, first / 2)
    run(app.number_input(key="typed_seed").set_value(0))
    assert shown(app).batch.logits == pytest.approx(first / 2, rel=1e-6)


def test_emptied_temperature_leaves_the_logits_as_they_are() -> None:
    """It is no 0.01, the smallest that can be typed."""
    app = typed(GOOD)
    first = shown(app).batch.logits
    run(app.number_input(key="typed_temperature").set_value(None))
    assert np.array_equal(shown(app).batch.logits, first)
    assert app.number_input(key="typed_temperature").placeholder == "1.0"


def test_nothing_typed_is_lost_by_looking_through_another_door() -> None:
    """Text, vocabulary, places, pasted numbers and edits are as they were."""
    fields = {"vocabulary": "c b a", "kind": "wrong", "wrong": "0:1"}
    app = edit_length(typed(GOOD, **fields), 0, 1)
    fill(app, kind="pasted", pasted="1 2 3")
    fill(app, kind="wrong")
    before = (number(app), state(app).source.edits)
    for other in ("Sample", "Open", "Sample"):
        door(app, other)
    door(app, "Type")
    fill(app, kind="wrong")
    assert (number(app), state(app).source.edits) == before
    expected = {"text": GOOD, **fields, "pasted": "1 2 3"}
    assert {name: app.session_state[f"typed_{name}"] for name in expected} == expected
    assert app.text_input(key="typed_wrong").value == "0:1"


def test_last_good_batch_comes_back_with_a_text_that_cannot_be_read() -> None:
    """The sentence under the field says so; another door had its own batch on the screen meanwhile."""
    app = fill(typed(GOOD, kind="uniform"), text=" ")
    door(app, "Sample")
    assert number(app) != f"{np.log(4):.4f}"
    door(app, "Type")
    assert KEPT in texts(app, "caption")
    assert number(app) == f"{np.log(4):.4f}"
    assert shown(app).batch.title == "typed"


def test_edits_stay_where_they_still_fit_when_the_text_changes() -> None:
    app = edit_length(typed("a b c\nd e f"), 1, 1)
    select(app, 1, 2)
    fill(app, text="a b c\nd e f\ng h")
    assert shown(app).batch.lengths.tolist() == [3, 1, 2]
    assert state(app).cell == (1, 2)
    fill(app, text="a b")
    assert shown(app).batch.lengths.tolist() == [2]
    assert list(app.latex) == []


def test_edit_of_a_typed_batch_can_be_undone() -> None:
    app = edit_length(typed(GOOD), 0, 1)
    click(app, "undo")
    assert shown(app).batch.lengths.tolist() == [2, 1]


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](http://example.org)",
    "![x](http://example.org/x.png)",
    "\u202eabc",
    "a\u200bb",
    "$x^2$",
    ":material/delete:",
    ":red[x]",
    "`a`",
    "#000032",
    "é" * 10_000,
]


@pytest.mark.parametrize("token", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_token_is_text(token: str) -> None:
    """It is the token of its cell, and stands in no Markdown but escaped."""
    word = token.split()[0]
    app = select(typed(f"a {word}"), 0, 1)
    assert shown(app).batch.vocabulary == ("<pad>", "a", word)
    headings = texts(app, "markdown")
    assert headings[0] == f"## Sequence 0, timestep 1: target {visible(word[:80])}"


@pytest.mark.parametrize("text", ["-1 2", "-100 1", "4294967296 1", "9007199254740993 0", "-9223372036854775808 1"])
def test_labels_that_are_no_class_are_said(text: str) -> None:
    """The cell opens, however large the id."""
    app = select(typed(text, kind="pasted", pasted="1 2 3\n4 5 6"), 0, 0)
    label = text.split()[0]
    assert texts(app, "warning") == [
        (
            f"1 target is not a class from 0 to 2: {label} (once), first at sequence 0, timestep 0. "
            "1 of these timesteps counts, so the number is NaN."
        ),
        f"The target {label} is not a class from 0 to 2, so this timestep has no loss.",
    ]
    assert number(app) == "NaN"

"""The address: what it restores, and that no address, however hostile, gives anything but a plain page."""

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossviz.edits import Edit
from lossviz.ui.link import LIMIT, MOST_EDITS, pack, unpack
from tests.ui.driver import (
    address,
    choose,
    door,
    edit_length,
    fill,
    flags,
    key_of,
    number,
    open_app,
    run,
    sample,
    select,
    state,
    texts,
    unfold,
)

PLAIN = {"door": "Sample", "sample": "alice-trained", "mask": "declared", "reduction": "mean", "quantity": "loss"}
TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)
GOLDEN = {"door": "Sample", "sample": "golden", "source": ["sample", "golden"]}


def squeezed(text: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text, 9)).decode().rstrip("=")


def choices(app: Any) -> dict[str, str]:
    return {key: app.session_state[key] for key in PLAIN}


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_packed_view_is_unpacked(view: dict[str, Any]) -> None:
    """Law: unpack(pack(view)) = view, as long as an address carries it."""
    word = pack(view)
    assert unpack(word) == (view if len(word) <= LIMIT else {})


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()) | st.binary().map(squeezed))
def test_any_word_unpacks_to_a_dict(word: str) -> None:
    assert isinstance(unpack(word), dict)


@given(st.text(alphabet="abcdefABCDEF0123456789-_"))
def test_packed_word_is_safe_in_an_address(text: str) -> None:
    assert all(mark.isalnum() or mark in "-_" for mark in pack({text: text}))


HOSTILE = {
    "nothing": "",
    "garbage": "%%%%",
    "no base64": "ä" * 40,
    "no zlib": base64.urlsafe_b64encode(b"hello").decode(),
    "cut off": squeezed(json.dumps(GOLDEN).encode())[:-8],
    "no JSON": squeezed(b"{"),
    "no object": squeezed(b"[1, 2]"),
    "too long": "A" * (LIMIT + 1),
    "zlib bomb": squeezed(b'{"typed_text": "' + b"a" * 3_000_000),
    "deep": squeezed(b"[" * 100_000),
    "digits": squeezed(b'{"corner_timestep": ' + b"9" * 5_000 + b"}"),
    "not UTF-8": squeezed(b'{"door": "\xff"}'),
}


@pytest.mark.parametrize("word", HOSTILE.values(), ids=HOSTILE)
def test_hostile_word_gives_the_plain_page(word: str) -> None:
    app = open_app(view=word)
    assert choices(app) == PLAIN
    assert number(app) == "1.6970"


WRONG: dict[str, Any] = {
    "door": ["door", "sample", 1, None, {}, "Attic"],
    "sample": ["../../etc/passwd", 7, [], "golden.json"],
    "mask": ["all", True, {}],
    "reduction": ["max", 0, ["mean"]],
    "quantity": ["secret", -1],
    "flag_sum_over_batch": ["yes", 1, [True]],
    "accumulation_steps": [0, -1, 1.0, "2", True, 2**53],
    "max_length": [0, 10**30, [5]],
    "corner_sequence": [-1, 10**30, 1.5, "3", True],
    "typed_text": [1, ["a"], "\ud800"],
    "typed_seed": [-1, 2**53, 1e300, "0", True],
    "typed_temperature": [0, -1.0, float("inf"), float("nan"), 10**400, "1", None],
    "typed_kind": ["pasted.", 3],
    "sentences_model": ["gpt", 1],
    "sentences_stage": ["overtrained", True],
    "sentences_dates": [5, "\ud800"],
    "cell": [[1], [1, 2, 3], ["0", "1"], [-1, 0], [10**30, 0], [True, False], 5, {}, [0.5, 1]],
    "source": [["sample"], "golden", [1, 2], [[], {}], 5],
}
CASES = [(key, value) for key, values in WRONG.items() for value in values]


@pytest.mark.parametrize(("key", "value"), CASES, ids=[f"{key}-{number}" for number, (key, _) in enumerate(CASES)])
def test_wrong_value_is_left_out(key: str, value: Any) -> None:
    """The rest of the address is restored."""
    app = open_app(view=pack({**GOLDEN, "reduction": "language_model", key: value}))
    assert state(app).cell is None
    wrong = {key: PLAIN[key]} if key in PLAIN else {}
    assert choices(app) == {**PLAIN, "sample": "golden", "reduction": "language_model", **wrong}


BAD_EDITS: list[Any] = [
    5,
    [5],
    [["lengths", [0]]],
    [["lengths", 0, 3]],
    [["lengths", [0, 0], 3]],
    [["lengths", [99], 3]],
    [["lengths", [-1], 3]],
    [["secrets", [0], 3]],
    [["lengths", [0], "x"]],
    [["lengths", [0], None]],
    [["lengths", [0], float("nan")]],
    [["lengths", [0], 10**400]],
    [["lengths", [float("inf")], 3]],
    [["logits", [0, 0, 10**30], 3]],
    [["targets", [0, 0], 1.5]],
    [["targets", [0, 0], 1e300]],
    [["weights", [0, 0], float("inf")]],
    [[["lengths"], [0], 3]],
    [{"field": "lengths"}],
]


@pytest.mark.parametrize("edits", BAD_EDITS, ids=range(len(BAD_EDITS)))
def test_impossible_edit_is_left_out(edits: Any) -> None:
    """The possible one beside it is made."""
    app = open_app(view=pack({**GOLDEN, "edits": [*(edits if isinstance(edits, list) else []), ["lengths", [2], 1]]}))
    assert state(app).source.edits == (Edit("lengths", (2,), 1),)
    assert number(app) == f"{13.2 / 10:.4f}"


def test_edits_of_an_address_are_counted() -> None:
    """An address of many edits costs no more than it may."""
    app = open_app(view=pack({**GOLDEN, "edits": [["lengths", [0], n % 5] for n in range(MOST_EDITS + 500)]}))
    assert len(state(app).source.steps) == MOST_EDITS


def test_edits_of_another_batch_are_not_made() -> None:
    """Cell and edits belong to the batch that the address names."""
    app = open_app(view=pack({**GOLDEN, "source": ["file", "run.npz"], "cell": [0, 1], "edits": [["lengths", [0], 1]]}))
    assert (state(app).source.edits, state(app).cell) == ((), None)


def test_link_restores_the_number_of_a_reduction() -> None:
    first = fill(choose(sample("golden"), reduction="max_length"), max_length=10)
    fill(choose(first, reduction="micro_batch_means"), accumulation_steps=2)
    second = open_app(view=address(first))
    assert (number(second), number(first)) == ("1.6611", "1.6611")
    assert number(choose(second, reduction="max_length")) == "0.4600"


def test_link_restores_sample_reduction_flags_cell_and_edits() -> None:
    """A second tab with the address of the first shows the same."""
    first = flags(choose(sample("golden"), reduction="sequence_loss", quantity="entropy"), average_across_batch=False)
    flags(first, sum_over_timesteps=False)
    edit_length(first, 2, 1)
    select(first, 1, 3)
    second = open_app(view=address(first))
    assert choices(second) == choices(first)
    assert [box.value for box in first.checkbox] == [True, False, False, False]
    assert [box.value for box in second.checkbox] == [True, False, False, False]
    assert state(second).cell == (1, 3)
    assert state(second).source.edits == (Edit("lengths", (2,), 1),)
    assert [(found.label, found.value) for found in second.metric] == [(m.label, m.value) for m in first.metric]
    assert [block.value for block in second.latex] == [block.value for block in first.latex]
    assert address(second) == address(first)


def test_link_restores_typed_text_and_its_edits() -> None:
    first = door(open_app(), "Type")
    run(first.text_area(key="typed_text").set_value("ab c\n<b> [x](http://y)"))
    choose(first, typed_kind="wrong")
    run(first.text_input(key="typed_wrong").set_value("0:1"))
    edit_length(first, 0, 1)
    second = open_app(view=address(first))
    assert second.text_area(key="typed_text").value == "ab c\n<b> [x](http://y)"
    assert second.text_input(key="typed_wrong").value == "0:1"
    assert number(second) == number(first)
    assert state(second).source.edits == (Edit("lengths", (0,), 1),)


def test_link_restores_the_locked_scale_and_open_panels() -> None:
    """The scale is the one of the first batch, also where another one is opened by then."""
    first = sample("golden")
    run(first.toggle(key="lock").set_value(True))
    unfold(first, "rows")
    scale = state(first).scale
    edit_length(first, 0, 1)
    second = open_app(view=address(first))
    assert (state(first).scale, state(second).scale) == (scale, scale)
    assert second.toggle(key="lock").value
    assert (second.session_state["rows"], "code" in second.session_state) == (True, True)
    assert address(second) == address(first)


@pytest.mark.parametrize(
    "scale",
    [5, ["loss"], ["loss", 0], ["secret", 0, 1], ["loss", "0", 1], ["loss", None, 1], ["loss", 1e999, 1], [[], 0, 1]],
    ids=range(8),
)
def test_wrong_scale_is_left_out(scale: Any) -> None:
    app = open_app(view=pack({**GOLDEN, "lock": True, "scale": scale}))
    assert state(app).scale[0] == "loss"
    assert np.isfinite(state(app).scale[1:]).all()


def test_view_too_long_for_an_address_is_said() -> None:
    """The address holds no other view then."""
    app = door(open_app(), "Type")
    assert "view" in app.query_params
    words = np.random.default_rng(0).integers(10**17, 10**18, 900)
    run(app.text_area(key="typed_text").set_value("\n".join(f"x{word}" for word in words)))
    assert address(app) == "too-long"
    assert texts(app, "caption")[-1] == (
        "This view is too long for a link: the address does not restore it. Download the batch to keep it."
    )
    assert [button.label for button in app.get("download_button")] == ["Batch as JSON"]
    run(app.text_area(key="typed_text").set_value("a b"))
    assert address(app) != "too-long"


def test_link_is_read_once() -> None:
    """What the user chooses afterwards is not taken back."""
    app = open_app(view=pack(GOLDEN))
    choose(app, sample="lengths-3-4-2")
    assert run(app).selectbox(key=key_of(app, "sample")).value == "lengths-3-4-2"

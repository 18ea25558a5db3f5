"""What a browser keeps: the states and answers; whatever comes back instead is survived."""

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from lossviz.lessons import SIZE, STEPS, Done, Progress, Verdict, read_progress

KNOWN = tuple(STEPS)
RIGHT, WRONG, EMPTY = Verdict(True, "", "7"), Verdict(False, "No.", "8"), Verdict(False, "Answer.", "", counts=False)
WORDS = ("", "right", "open", "1.1", "2.3", "v", "steps", "at", "\ud800", "x" * 200)
LEAVES = (None, True, 0, -1, 1e9, float("inf"), *WORDS)


def fuzzed(chance, depth=4):
    """Any JSON value, made of the words that the real ones are made of."""
    kind = chance.randrange(4) if depth else 0
    if kind < 2:
        return chance.choice(LEAVES)
    size = range(chance.randrange(5))
    if kind == 2:
        return [fuzzed(chance, depth - 1) for _ in size]
    return {str(chance.choice(LEAVES)): fuzzed(chance, depth - 1) for _ in size}


def test_progress_survives_the_way_to_the_browser_and_back():
    progress = Progress(KNOWN, {"1.1": Done("right", 1, ("90", "15")), "2.3": Done("shown", 3, ("<b>",))}, at="2.3")
    back = read_progress(progress.text(), KNOWN)
    assert (back.done, back.at) == (progress.done, "2.3")


def test_three_misses_show_the_answer_and_what_is_no_answer_is_no_miss():
    progress = Progress(KNOWN)
    for verdict, done in (
        (EMPTY, ("open", 0)), (WRONG, ("open", 1)), (WRONG, ("open", 2)), (WRONG, ("shown", 3)), (RIGHT, ("shown", 3)),
    ):  # fmt: skip
        progress.answer("1.1", ("8",), (verdict,))
        assert (progress.of("1.1").state, progress.of("1.1").misses) == done
    progress.open_again("1.1")
    progress.answer("1.1", ("7",), (RIGHT,))
    assert progress.of("1.1") == Done("right", 0, ("7",))


def test_two_tabs_merge_to_the_better_state_of_each_step():
    here = Progress(KNOWN, {"1.1": Done("right"), "1.2": Done("open", 1), "1.3": Done("shown", 3)})
    here.merge(Progress(KNOWN, {"1.1": Done("shown", 3), "1.2": Done("open", 2), "1.3": Done("right", 1)}).text())
    assert {step: (done.state, done.misses) for step, done in here.done.items()} == {
        "1.1": ("right", 0), "1.2": ("open", 2), "1.3": ("right", 1),
    }  # fmt: skip


def test_kept_text_stays_small_however_much_is_answered():
    full = Progress(KNOWN, {step: Done("right", 99, ("x" * 60,) * 4) for step in KNOWN}, at="5.8")
    assert len(full.text()) <= SIZE
    assert {done.state for done in read_progress(full.text(), KNOWN).done.values()} == {"right"}


def test_hostile_entries_are_left_out_one_by_one():
    entries = {
        "1.1": ["right", 0], "1.2": ["right", True], "1.3": ["right", -1], "1.4": ["best", 0], "1.5": "right",
        "9.9": ["right", 0],
        "1.6": ["right", 0, "x" * 1000], "1.7": ["right", 0, "\ud800"], "2.1": [["right"], 0], "2.2": ["right", 1e9],
    }  # fmt: skip
    kept = read_progress(json.dumps({"v": 1, "steps": entries, "at": "../etc"}), KNOWN)
    assert (kept.done, kept.at) == ({"1.1": Done("right")}, "")
    assert read_progress("[" * 3000, KNOWN).done == {}
    assert read_progress("x" * 100_000, KNOWN).done == {}


def test_a_thousand_other_things_are_survived():
    chance = random.Random(0)
    for count in range(1000):
        inner = fuzzed(chance)
        text = json.dumps({"v": 1, "steps": inner, "at": fuzzed(chance, 1)} if count % 2 else inner)
        cut = text[: chance.randrange(len(text) + 1)] if count % 5 == 0 else text
        progress = Progress(KNOWN)
        progress.merge(cut)
        assert set(progress.done) <= set(KNOWN)
        assert read_progress(progress.text(), KNOWN).done == progress.done


@given(st.text())
def test_any_text_is_survived(text):
    assert read_progress(text, KNOWN).done == {}

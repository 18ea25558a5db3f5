"""What is typed: a tiny grammar, never evaluated; and hints that know whose number it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossviz.lessons import STEPS, analysis_of, check, read_number, read_shape


def verdict(step, text, ask=0):
    return check(STEPS[step].asks[ask], analysis_of(STEPS[step].screen), text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.2545", 1.2545), ("1,2545", 1.2545), ("13.8/11", 13.8 / 11), (" −0.5 ", -0.5), ("13,8 ÷ 11", 13.8 / 11),
     ("0.92 nats", 0.92), (".5", 0.5), ("1e-3", 0.001)],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text, value):
    assert read_number(text).value == value


@pytest.mark.parametrize(
    "text", ["", "x", "1+1", "2**9", "1/2/3", "__import__('os')", "١", "1" * 100, "1_0", "inf", "--1"]
)
def test_other_text_is_no_number(text):
    assert read_number(text) is None


@given(st.text(max_size=80))
def test_reading_and_checking_any_text_never_fails(text):
    read_number(text)
    read_shape(text)
    for step, ask in (("2.2", 0), ("2.4", 0), ("1.2", 0)):
        assert verdict(step, text, ask).hint or verdict(step, text, ask).right


@given(st.from_regex(r"[-+]?[0-9]{1,25}[.,]?[0-9]{0,25}([eE][-+]?[0-9]{1,3})?(/[0-9]{1,9})?", fullmatch=True))
def test_comparing_any_number_never_fails(text):
    typed = read_number(text)
    if typed is not None:
        assert typed.is_same(1.2545) in (True, False)
        assert typed.is_short_for(1.2545) in (True, False)


def test_right_at_the_digits_typed_of_which_three_count():
    assert [verdict("3.5", text).right for text in ("4.6", "4.60", "4,600", "13.8/3", "4.61", "5")] == [
        True, True, True, True, False, False,
    ]  # fmt: skip
    assert [verdict("2.3", text).right for text in ("0.7", "7/10", ".70")] == [True] * 3
    short = verdict("5.5", "1.7")
    assert (short.counts, short.hint) == (
        False,
        "Too few digits to tell: several formulas give about that. Write at least three.",
    )


def test_other_formulas_are_named_by_identify():
    """1.42 is in no table of the step: it is the mean of the sequences' own means."""
    assert verdict("3.5", "1.42").hint == (
        "That comes from a loop that averages the losses of each sequence, then averages the 3 means."
    )
    assert verdict("3.1", "0,92").hint == "That comes from a loop that divides by all 15 positions, 4 of them padding."


@pytest.mark.parametrize(
    ("text", "hint"),
    [("-2.1269", "That is the right number with the wrong sign: a loss is −ln p, and never negative."),
     ("4.2539", "That is twice the right number."),
     ("1.0635", "That is half of the right number."),
     ("3.0685", "That is the right number in bits. This page counts in nats, so multiply by ln 2."),
     ("1.4743", "That is the right number times ln 2: it was in nats already."),
     ("77.77", "What is the probability of a complaint?")],
)  # fmt: skip
def test_factors_then_a_look_at_the_cell(text, hint):
    assert verdict("3.7", text).hint == hint


def test_what_is_no_answer_is_no_miss():
    for step, text in (("3.5", ""), ("3.5", "four"), ("2.4", "wide"), ("1.7", None), ("1.7", (9, 9))):
        found = verdict(step, text)
        assert (found.right, found.counts) == (False, False)
        assert found.hint
    assert verdict("2.5", "Error").hint == "It runs, and says nothing."
    assert verdict("4.5", "()", 1).hint == "Nothing was reduced: every timestep keeps its own number."

"""What a printed number says: its digits, and how far a formula's value may lie from it."""

import ml_dtypes
import numpy as np
import pytest

from lossviz.identification import answer, identify, read_printed
from tests.golden import golden_batch


@pytest.mark.parametrize(
    ("given", "value", "decimals", "digits"),
    [
        ("1.2545", 1.2545, 4, 5),
        (" 1.2500 ", 1.25, 4, 5),
        ("13", 13.0, 0, 2),
        ("0.0123", 0.0123, 4, 3),
        ("1.25e-3", 0.00125, 5, 3),
        ("1.25E+2", 125.0, 0, 3),
        ("-0.5", -0.5, 1, 1),
        (1.25, 1.25, 2, 3),
        (np.float32(1.2545455), np.float32(1.2545455), 7, 8),
        (np.array([0.92]), 0.92, 2, 2),
        (7, 7.0, 0, 1),
        (ml_dtypes.bfloat16(1.25), 1.25, 2, 3),
    ],
)
def test_identify_printed_number_shows_its_digits(given, value, decimals, digits):
    printed = read_printed(given)
    assert (printed.value, printed.decimals, printed.digits) == (pytest.approx(value, rel=1e-7), decimals, digits)
    assert printed.tolerance == pytest.approx(0.5 * 10.0**-decimals + 1e-5 * abs(value))


def test_identify_printed_decimals_can_be_said():
    """1.25 may stand for 1.2500: then 1.2545 is too far."""
    assert identify(golden_batch(), 1.25)[0].code == "C03"
    assert identify(golden_batch(), 1.25, decimals=4) == ()
    assert identify(golden_batch(), 13.8 / 11, decimals=4)[0].code == "C03"


@pytest.mark.parametrize(("value", "other", "hit"), [
    ("1.2545", 1.25456, True),
    ("1.2545", 1.25457, False),
    ("nan", np.nan, True),
    ("nan", 1.0, False),
    ("inf", np.inf, True),
    ("inf", -np.inf, False),
    ("1.0", np.nan, False),
])  # fmt: skip
def test_identify_printed_number_is_hit_within_its_tolerance(value, other, hit):
    printed = read_printed(value)
    assert printed.is_hit(other) is hit
    assert printed.hits(np.array([other])).tolist() == [hit]


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        (
            "1.2545",
            (
                "1.2545 is the sum of the losses divided by the 11 timesteps that count. "
                "PyTorch, Hugging Face, Marian and others print this."
            ),
        ),
        ("0.9667", "0.9667, possibly: your loop counts all 15 positions, 4 of them padding."),
        (
            "1.29",
            "1.29, perhaps by chance: your loop leaves out every target with the id 0, as tf.sign(targets) does.",
        ),
        ("0.9", "0.9, perhaps by chance: your loop divides by all 15 positions, 4 of them padding."),
        (
            "0.9857",
            (
                "0.9857 is the sum of the losses divided by the 11 timesteps that count and the first label of "
                "3 sequences. Hugging Face prints this."
            ),
        ),
        (
            "1.80993",  # 13.8 ÷ 11 ÷ ln 2: a division by two things is not a sum divided by one
            (
                "1.80993: your loop divides by the 11 timesteps that count, and prints bits. "
                "fairseq and TensorFlow 1 print this."
            ),
        ),
        (
            "0.0913",
            (
                "No formula that lossviz knows gives 0.0913 on this batch. Check that the number is for this batch "
                "alone and not a running mean, that dropout was off, that nothing was added to the loss, and that it "
                "was printed before the optimiser step."
            ),
        ),
    ],
)
def test_identify_answer_is_one_sentence(printed, sentence):
    assert answer(identify(golden_batch(), printed), printed) == sentence


def test_identify_divided_by_is_the_divisor_of_a_plain_division_only():
    printed = ("1.2545", "0.9200", "0.9667", "1.80993", "4.8333", "1.4200", "3.50622")
    assert {text: identify(golden_batch(), text)[0].divided_by for text in printed} == {
        "1.2545": "the 11 timesteps that count",
        "0.9200": "all 15 positions, 4 of them padding",
        "0.9667": "",  # the mask is another one
        "1.80993": "",  # and by ln 2
        "4.8333": "",  # the mask and the divisor are others
        "1.4200": "",  # three means
        "3.50622": "",  # e to the power of it
    }


def test_identify_answer_without_the_number_says_this_number():
    assert answer(()).startswith("No formula that lossviz knows gives this number on this batch.")

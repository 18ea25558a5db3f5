"""The numbers of the specification (learn.md §6), typed in, against the samples in float64."""

import numpy as np
import pytest

from tests.lessons.lesson_oracle import ANSWERS, PROSE

NAN = float("nan")
SAID = {  # of each question with a number: the right one, then those of the misconceptions, as they are printed there
    "1.1": [(90, 15), (15, 90)],
    "1.3": [(4.5951, 0.0101, 6.6294)],
    "1.4": [(0.6931, 0.5, 1.3863)],
    "1.5": [(0.6931, 10.6931, 0)],
    "1.6": [(1.1485, 0.6931, 0.5)],
    "2.1": [(7, 31, 24)],
    "2.2": [(6, 0, 1)],
    "2.3": [(0.7, 1.1667, 3.1)],
    "2.6": [(4.0, 13.8, 11)],
    "2.7": [(1.29, 1.2545, 1.33)],
    "3.1": [(13.8, 1.2545, 14.5)],
    "3.2": [(27.6, 13.8), (1.2545, 2.5091)],
    "3.4": [(115, 113, 114)],
    "3.5": [(4.6, 1.2545, 0.92)],
    "3.6": [(45.0769, 4.7449, 52.1943)],
    "3.7": [(2.1269, 0.1269, 0.8808)],
    "4.1": [(1.0810, 1.0318, 0.7567)],
    "4.2": [(1.0318, 11.35, 1.0810)],
    "4.3": [(2.8667, 0.86, 2.15)],
    "4.4": [(1.7667, 0.8833, 1.325)],
    "4.5": [(1.75, 3.5, 0.1667)],
    "4.6": [(7, 16, 9)],
    "5.1": [(NAN, 3, 0)],
    "5.2": [(NAN, 0, 1)],
    "5.3": [(1.575, 1.2545, 1.0846)],
    "5.4": [(0.46, 0.92, 1.2545)],
    "5.5": [(1.6611, 1.2545), (4.5, 2.5)],
    "5.6": [(3.5062, 5.2308, 9.7752)],
}
MENTIONED = {
    "1.5": [0.3185], "1.6": [0.7437], "1.7": [0.2231, 0.5488], "2.8": [1.9858, 2.8889, 4.97, 0.9667],
    "3.3": [5.3173, 75.0071], "3.6": [5.3173], "3.7": [0.1269, 1.3133, 0.9741, 2.4143], "3.8": [10.1513, 4.1604],
    "4.1": [11.35, 10.5], "5.1": [0.2434], "5.7": [0.175],
}  # fmt: skip


@pytest.mark.parametrize("step", SAID)
def test_answers_are_the_numbers_of_the_specification(step):
    for (right, wrong), said in zip(ANSWERS[step], SAID[step], strict=False):
        np.testing.assert_allclose([right, *wrong][: len(said)], said, atol=5.1e-5, equal_nan=True)


@pytest.mark.parametrize("step", MENTIONED)
def test_what_else_a_step_says_is_worked_out(step):
    for number in MENTIONED[step]:
        digits = len(str(number).partition(".")[2])
        assert any(round(float(value), digits) == number for value in PROSE[step]), (number, PROSE[step])

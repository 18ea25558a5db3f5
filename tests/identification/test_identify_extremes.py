"""Printed numbers, accuracies and options that float64 does not hold: a sentence or no match, never a traceback."""

import numpy as np
import pytest

from lossviz import Batch, diagnose, identify
from lossviz.errors import InputError
from lossviz.identification import _reported
from lossviz.reductions import Options

BATCH = Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])


@pytest.mark.parametrize(
    ("text", "value", "tolerance"),
    [
        ("0e999", 0.0, 0.0),
        ("-0e999", 0.0, 0.0),
        ("1e-999", 0.0, 0.0),
        ("1e400", np.inf, 0.0),
        ("-1e400", -np.inf, 0.0),
        ("1e999999999999999999999", np.inf, 0.0),
        ("5e-1", 0.5, 0.05 + 0.5e-5),
    ],
)
def test_read_printed_takes_any_exponent(text, value, tolerance):
    printed = _reported.read_printed(text)
    assert (printed.value, printed.text) == (value, text)
    assert printed.tolerance == pytest.approx(tolerance, abs=1e-15)


@pytest.mark.parametrize("text", ["0e999", "1e400", "1e-999", "1e999999999999999999999"])
def test_no_rule_crashes_on_a_printed_number_of_any_exponent(text):
    assert "crashed" not in repr(diagnose(BATCH.replace(reported=text)))


@pytest.mark.parametrize(("accuracy", "shown"), [("nan", "nan"), ("1e400", "1e400"), (-0.5, "-0.5"), (100.1, "100.1")])
def test_identify_refuses_an_accuracy_that_is_none(accuracy, shown):
    with pytest.raises(InputError) as error:
        identify(BATCH, "1.0397", accuracy=accuracy)
    assert str(error.value) == f"`accuracy` must be from 0 to 1, or from 0 to 100 in percent; got {shown}."


@pytest.mark.parametrize("precision", [[], {}, None, np.float32])
def test_identify_refuses_a_precision_that_is_no_text(precision):
    with pytest.raises(InputError, match=r"^`precision` must be one of 'float32', 'float16', 'bfloat16'; got "):
        identify(BATCH, "1.0397", precision=precision)


def test_options_refuse_integers_that_float64_does_not_hold():
    with pytest.raises(InputError) as error:
        Options(z_loss=10**320)
    assert str(error.value) == f"`z_loss` must be a finite number, such as 1e-4; got 1{'0' * 39}."
    with pytest.raises(InputError) as error:
        Options(class_weights=[1, 10**320])
    assert str(error.value) == "`class_weights` must be a list of numbers from 0 on, one for each class."

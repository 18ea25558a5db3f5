import re

import pytest

from lossviz.conventions import convention_coded
from lossviz.errors import InputError, SettingsError
from lossviz.identification import identify
from lossviz.testing import assert_convention
from tests.golden import FRACTIONAL, golden_batch
from tests.testing import losses


def message(function, code, batch=None, **named):
    with pytest.raises(AssertionError) as caught:
        assert_convention(function, batch, code, **named)
    return str(caught.value)


@pytest.mark.parametrize(
    ("function", "code", "named"),
    [
        (losses.np_right, "C03", {}),
        (losses.np_mean, "C04", {}),
        (losses.np_over_all_positions, "C05", {}),
        (losses.tf_right, "C03", {}),
        (losses.keras_over_all_positions, "C05", {}),
        (losses.torch_right, "C03", {"framework": "pytorch"}),
        (losses.torch_unreduced_mean, "C05", {"framework": "pytorch"}),
        (losses.torch_smoothed, "LS1", {"framework": "pytorch", "smoothing": 0.1}),
        (losses.jax_right, "C03", {}),
        (losses.jax_mean, "C04", {"framework": "jax"}),
        (losses.jax_smoothed, "LS1", {"smoothing": 0.1}),
    ],
)
def test_convention_that_it_is_passes(function, code, named):
    assert_convention(function, None, code, **named)


def test_convention_of_fractional_weights_is_told_from_the_count():
    batch = golden_batch(lengths=None, weights=FRACTIONAL)
    assert_convention(losses.keras_right, batch, "C05w")
    assert message(losses.keras_right, "C23", batch) == (
        f"C23 ({convention_coded('C23').name}) is 1.0318 here, and `loss_fn` gives 1.0810, which is C03/C03e/C03n: "
        f"{identify(batch, '1.0809524')[0].explanation}"
    )


OVER_ALL = (
    "C03 (Mean over the timesteps that count) is 1.2545 here, and `loss_fn` gives 0.9200, which is C05/C17/PAD02: "
    "Your loop divides by all 15 positions, 4 of them padding."
)


@pytest.mark.parametrize(
    ("function", "framework"),
    [
        (losses.np_over_all_positions, None),
        (losses.keras_over_all_positions, "tensorflow"),
        (losses.torch_unreduced_mean, "pytorch"),
        (losses.jax_over_all_positions, None),
    ],
)
def test_convention_that_it_is_not_names_what_it_is(function, framework):
    assert message(function, "C03", framework=framework) == OVER_ALL


def test_convention_that_nobody_uses_is_called_that():
    assert message(lambda *arrays: losses.np_right(*arrays) * 0.777, "C03") == (
        "C03 (Mean over the timesteps that count) is 1.2545 here, and `loss_fn` gives 0.9748, which is none of the "
        "formulas that lossviz knows."
    )


@pytest.mark.parametrize(("value", "text"), [(float("nan"), "NaN"), (float("inf"), "inf")])
def test_convention_of_a_number_that_is_not_finite(value, text):
    def constant(logits, targets, weights):
        return value

    assert message(constant, "C03") == (
        f"C03 (Mean over the timesteps that count) is 1.2545 here, and `loss_fn` gives {text}."
    )


def test_convention_refuses_what_it_can_not_compare():
    with pytest.raises(InputError, match=r"^There is no convention `C99`\. Did you mean `C19`\?$"):
        assert_convention(losses.np_right, None, "C99")
    with pytest.raises(SettingsError, match=re.escape("LS1 (Label smoothing over all classes) needs `smoothing`")):
        assert_convention(losses.np_right, None, "LS1")
    with pytest.raises(
        InputError, match=re.escape("`loss_fn` must return one number to be compared with C03; got shape (3, 5).")
    ):
        assert_convention(lambda *arrays: arrays[2], None, "C03")
    with pytest.raises(SettingsError, match=r"^There is no option `smooting`\. Did you mean `smoothing`\?"):
        assert_convention(losses.np_right, None, "LS1", smooting=0.1)

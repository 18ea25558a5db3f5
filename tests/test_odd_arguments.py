"""Arguments of a kind that a call can't take: one sentence each, never a TypeError from the inside."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lossviz
from lossviz import figures
from lossviz.errors import InputError, LossvizError

ODD = [
    None,
    "x",
    1.5,
    float("nan"),
    [1],
    object(),
    {},
    True,
    -1,
    10**30,
    b"x",
    np.array([1, 2]),
    [[1], "a"],
    ["x" * 999],
]
FIELDS = {"logits": np.zeros((1, 3, 4)), "labels": np.ones((1, 3), int)}
ANALYSIS = lossviz.analyze(lossviz.Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=np.ones((2, 3), int)))
RECORDED = lossviz.analyze(lossviz.Batch.from_arrays(losses=np.ones((2, 3)), targets=np.ones((2, 3), int)))

CALLS: dict[str, Callable[[Any], object]] = {
    "explain(x, 0)": lambda x: ANALYSIS.explain(x, 0),
    "explain(0, x)": lambda x: ANALYSIS.explain(0, x),
    "explain(classes=x)": lambda x: ANALYSIS.explain(0, 0, classes=x),
    "explain(classes=[x])": lambda x: ANALYSIS.explain(0, 0, classes=[x]),
    "explain(x, 0) of losses": lambda x: RECORDED.explain(x, 0),
    "figure(quantity=x)": lambda x: figures.equation(ANALYSIS, quantity=x),
    "figure(theme=x)": lambda x: figures.equation(ANALYSIS, theme=x),
    "Settings(mask=x)": lambda x: lossviz.Settings(mask=x),
    "Settings(reduction=x)": lambda x: lossviz.Settings(reduction=x),
    "Settings(sum_over_batch=x)": lambda x: lossviz.Settings(reduction="sequence_loss", sum_over_batch=x),
    "Settings(accumulation_steps=x)": lambda x: lossviz.Settings(accumulation_steps=x),
    "Settings(max_length=x)": lambda x: lossviz.Settings(max_length=x),
    "analyze(x)": lambda x: lossviz.analyze(x),
    "analyze(batch, x)": lambda x: lossviz.analyze(ANALYSIS.batch, x),
    "compare_conventions(x)": lambda x: lossviz.compare_conventions(x),
    "identify(x, 1.2)": lambda x: lossviz.identify(x, "1.2"),
    "identify(a, x)": lambda x: lossviz.identify(ANALYSIS, x),
    "diagnose(x)": lambda x: lossviz.diagnose(x),
    "diagnose(select=x)": lambda x: lossviz.diagnose(RECORDED, select=x),
    "diagnose(ignore=x)": lambda x: lossviz.diagnose(RECORDED, ignore=x),
    "load(x)": lambda x: lossviz.load(x),
} | {
    f"load({name}=x)": lambda x, name=name: lossviz.load(FIELDS, **{name: x})
    for name in ("names", "layout", "shift", "ignore_id", "pad_id", "eos_id", "weights", "reduction", "reported")
}


@pytest.mark.parametrize("call", CALLS)
def test_odd_argument_is_taken_or_refused_in_a_sentence(call: str) -> None:
    for value in ODD:
        try:
            CALLS[call](value)
        except LossvizError as error:
            said = str(error)
            assert said.endswith((".", "?")), said
            assert len(said) < 1_500, said
            assert said.isprintable(), said


@pytest.mark.parametrize(
    ("call", "value", "message"),
    [
        ("explain(x, 0)", 1.5, "`sequence` must be a whole number; got `1.5` (float)."),
        ("explain(classes=x)", 3, "`classes` must be a list of class ids; got `3` (int)."),
        ("Settings(sum_over_batch=x)", "no", "`sum_over_batch` must be True or False; got `'no'`."),
        ("load(x)", 7, "`source` must be a path, or a dict from names to arrays; got `7` (int)."),
        ("diagnose(select=x)", [1], '`select` must be names, such as "a, b" or ["a", "b"]; got `1` (int).'),
        ("analyze(x)", 0, "`batch` must be a Batch, as `Batch.from_arrays` and `lossviz.load` give; got `0` (int)."),
    ],
)  # fmt: skip
def test_odd_argument_is_named_with_what_was_expected(call: str, value: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        CALLS[call](value)
    assert str(error.value) == message


@pytest.mark.parametrize("bits", [b"\x01\x7c", b"\x01\x00\x80\x7f", b"\x01\x00\x00\x00\x00\x00\xf0\x7f"])
@pytest.mark.parametrize("name", ["losses", "log_probs"])
def test_signalling_nan_is_a_loss_that_was_not_recorded(name: str, bits: bytes) -> None:
    values = np.frombuffer(bits * 2, f"<f{len(bits)}").reshape(1, 2)
    batch = lossviz.Batch.from_arrays(targets=[[1, 1]], **{name: values})
    assert np.isnan(batch.losses).all()

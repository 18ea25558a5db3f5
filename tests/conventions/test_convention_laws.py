"""The laws both ways: a convention keeps those that it lists on every batch, and breaks the others on some batch."""

import numpy as np
import pytest

from lossviz.conventions import CONVENTIONS, LAWS
from tests.conventions.laws import CLASSES, HOLDS, batches, value_of


def batches_for(convention):
    return batches(1 if convention.code == "classification" else CLASSES)


def test_convention_laws_each_have_a_test():
    assert list(HOLDS) == list(LAWS)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: convention.code)
@pytest.mark.parametrize("law", LAWS)
def test_convention_laws_hold_if_and_only_if_they_are_listed(law, convention):
    """It fails for a law that is listed and has a counterexample, and for one that is not listed and has none."""
    assert all(HOLDS[law](convention, batch) for batch in batches_for(convention)) == (law in convention.laws)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: convention.code)
def test_convention_laws_are_tried_on_numbers(convention):
    """A law that NaN keeps says nothing."""
    values = [value_of(convention, batch) for batch in batches_for(convention)]
    assert np.isfinite(values).sum() >= len(values) / 2
    assert len({round(value, 9) for value in values if np.isfinite(value)}) >= 4

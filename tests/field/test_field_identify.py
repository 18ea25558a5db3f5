"""What `identify` says of the numbers of public bug reports, read by `lossviz.load`: the cases of `identify_cases`."""

import numpy as np
import pytest

from lossviz import identify, load
from tests.field.identify_cases import reports

CASES = reports(0)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_field_number_is_explained(case):
    number = "nan" if np.isnan(case.number) else f"{case.number:.6f}"
    first, *_ = identify(load({**case.fields, "reported": number}), number, **case.options)
    codes = (first.code,) if len(first.codes) < 2 else first.codes
    assert (" + ".join(codes), first.accidental) == (case.code, False)
    assert case.says in first.explanation


def test_field_second_shift_where_inputs_are_the_targets_is_the_models_own():
    """Labels that copy the inputs are shifted inside by the model: never "shifted twice", whatever it divides by."""
    case = next(case for case in CASES if case.name == "A copied, sequence means")
    for match in identify(load(case.fields), f"{case.number:.6f}"):
        assert "SHF02" not in {match.code, *match.codes, *match.aliases}

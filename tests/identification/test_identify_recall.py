"""Every number that a convention or a bug prints is named: five digits, random batches, an independent oracle."""

import pytest

from lossviz.identification import identify
from tests.conventions.batches import analysis_of, options_of
from tests.printed.printed_oracle import CODE, NEEDS, aliases, printed, random_given

FIRST = 5


def places(given, options, keys):
    """Where each key's code, or one that gives the same number here, stands among the answers; None: nowhere."""
    analysis, same = analysis_of(given), aliases(given)
    found = {}
    for key, number in printed(given, digits=5).items():
        if key not in keys:
            continue
        wanted = {CODE[other] for other in same[key]} | same[key]
        named = [{match.code, *match.codes, *match.aliases} for match in identify(analysis, number, options=options)]
        found[key] = next((place for place, codes in enumerate(named) if codes & wanted), None)
    return found


@pytest.mark.parametrize(("seed", "fractional"), [(0, False), (2, True)])
def test_identify_names_every_convention_and_bug_nine_in_ten_among_the_first_five(seed, fractional):
    given = random_given(seed, fractional=fractional)
    found = places(given, options_of(given), set(CODE))
    assert len(found) > 100
    assert [key for key, place in found.items() if place is None] == []
    assert sum(place < FIRST for place in found.values()) >= 0.9 * len(found)


def test_identify_names_what_needs_no_options_when_nothing_is_said():
    given = random_given(3)
    found = places(given, None, set(CODE) - set(NEEDS))
    assert len(found) > 60
    assert [key for key, place in found.items() if place is None] == []
    assert sum(place < FIRST for place in found.values()) >= 0.9 * len(found)

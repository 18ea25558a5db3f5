"""The options of a training loop are one table: the fields, the command, the pages and the links follow it."""

from dataclasses import fields

import pytest

from lossviz.cli._parser import parsers
from lossviz.errors import SettingsError
from lossviz.identification import ACCURACY
from lossviz.reductions import LOOP_OPTIONS, Options
from lossviz.ui.linked import CHOICES
from lossviz.ui.shared.loop_options import CONVENTION_OPTIONS, SETTINGS_OPTIONS

NAMES = [option.name for option in LOOP_OPTIONS]
NOT_SAID_ONE_BY_ONE = {"groups", "flags"}
VALUES = {  # one that may be, and one that may not
    "count": (3, 0),
    "fraction": (0.1, 1.0),
    "factor": (1e-4, float("inf")),
    "per_class": ((1.0, 2.0), (-1.0,)),
}


def test_every_option_of_a_loop_has_its_row():
    assert {field.name for field in fields(Options)} == {*NAMES, *NOT_SAID_ONE_BY_ONE}
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("option", LOOP_OPTIONS, ids=NAMES)
def test_values_are_checked_by_the_kind_of_the_option(option):
    possible, impossible = VALUES[option.kind]
    assert getattr(Options(**{option.name: possible}), option.name) == possible
    with pytest.raises(SettingsError, match=f"^`{option.name}` must be "):
        Options(**{option.name: impossible})


def test_command_takes_every_option():
    identify = parsers()[1]["identify"]
    taken = {action.dest: action.metavar for action in identify._actions}
    for option in (*LOOP_OPTIONS, ACCURACY):
        assert taken[option.name] == option.symbol
    analyze = {action.dest for action in parsers()[1]["analyze"]._actions}
    assert analyze & {*NAMES} == {option.name for option in SETTINGS_OPTIONS}


def test_links_keep_every_field_of_an_option_and_refuse_what_it_can_not_hold():
    drawn = {
        **{option.name: option for option in SETTINGS_OPTIONS},
        **{f"loop_{option.name}": option for option in CONVENTION_OPTIONS},
        **{f"identify_{option.name}": option for option in (*LOOP_OPTIONS, ACCURACY)},
    }
    kept = {key for key in CHOICES if key.removeprefix("loop_").removeprefix("identify_") in {*NAMES, "accuracy"}}
    assert kept == drawn.keys()
    for key, option in drawn.items():
        possible, impossible = ("1, 2", 3) if option.kind == "per_class" else VALUES[option.kind]
        assert CHOICES[key](possible)
        assert option is ACCURACY or option.kind == "fraction" or not CHOICES[key](impossible)
        assert not CHOICES[key]([possible])

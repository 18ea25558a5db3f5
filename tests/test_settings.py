"""Settings know their names, and answer a wrong one with the right one."""

import dataclasses

import pytest

from lossviz import Settings
from lossviz.errors import SettingsError
from lossviz.reductions import FLAGS, REDUCTIONS, Options
from lossviz.settings import MASKS


def refusal(**arguments):
    with pytest.raises(SettingsError) as caught:
        Settings(**arguments)
    return str(caught.value)


MASK_NAMES = "'lengths', 'weights', 'nonpad', 'ignore_id', 'none' or None"
REDUCTION_NAMES = (
    "'mean', 'language_model', 'encoder_decoder', 'classification', 'sequence_loss', 'counted', 'positions', "
    "'positions_with_start', 'max_length', 'timesteps', 'timesteps_less_one', 'with_first_labels', 'without_stops', "
    "'timesteps_twice', "
    "'decoder_length', 'sequence_means', 'filled_sequence_means', 'timestep_means', 'timestep_means_sum', "
    "'micro_batch_means'"
)


@pytest.mark.parametrize(
    ("mask", "way_out"),
    [("length", " Did you mean 'lengths'?"), ("ignore", " Did you mean 'ignore_id'?"), ("xyz", ""), (3, "")],
)
def test_settings_refuse_an_unknown_mask(mask, way_out):
    assert refusal(mask=mask) == f"`mask` must be one of {MASK_NAMES}; got {mask!r}.{way_out}"


@pytest.mark.parametrize(
    ("reduction", "way_out"),
    [("Mean", " Did you mean 'mean'?"), ("sequence", " Did you mean 'sequence_loss'?"), ("avg", ""), (None, "")],
)
def test_settings_refuse_an_unknown_reduction(reduction, way_out):
    assert refusal(reduction=reduction) == f"`reduction` must be one of {REDUCTION_NAMES}; got {reduction!r}.{way_out}"


def test_settings_take_every_mask_and_reduction():
    assert [Settings(mask=name).mask for name in (*MASKS, None)] == [*MASKS, None]
    assert [Settings(reduction=r.name).reduction for r in REDUCTIONS] == [r.name for r in REDUCTIONS]


def test_settings_default_to_the_mean_of_what_the_batch_declares():
    assert Settings() == Settings(None, "mean", True, True, False, False, None, None)


def test_settings_flags_are_named_and_ordered_as_the_flags_of_sequence_loss():
    assert tuple(field.name for field in dataclasses.fields(Settings))[2:6] == FLAGS
    for flag in range(4):
        chosen = {name: place == flag for place, name in enumerate(FLAGS)}
        assert Settings(**chosen).flags == tuple(chosen.values())


def test_settings_refuse_options_that_can_not_be():
    assert refusal(accumulation_steps=0) == "`accumulation_steps` must be a whole number from 1 on; got 0."
    assert refusal(max_length="5") == "`max_length` must be a whole number from 1 on; got '5'."


def test_settings_hand_their_options_to_the_reduction():
    chosen = Settings(accumulation_steps=3, max_length=7, sum_over_batch=True)
    assert chosen.options == Options(accumulation_steps=3, max_length=7, flags=(True, True, False, True))


def test_settings_replace_checks_again():
    assert Settings(mask="none").replace(reduction="mean") == Settings(mask="none", reduction="mean")
    with pytest.raises(SettingsError, match=r"^`mask` must be one of "):
        Settings().replace(mask="pad")

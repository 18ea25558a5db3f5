"""What `identify` refuses, and what it says."""

import pytest

from lossviz.errors import InputError, SettingsError
from lossviz.identification import identify
from tests.golden import golden_batch

NUMBER = "must be a number as it was printed, such as '1.2545'; got {}. Leave out units and words."

COMMA = "`reported` must be a number as it was printed, such as '1.2545'; got {}. Write the decimal comma as a point."


@pytest.mark.parametrize(
    ("reported", "said", "message"),
    [
        ("abc", {}, "`reported` " + NUMBER.format("'abc'")),
        ("loss 1.2", {}, "`reported` " + NUMBER.format("'loss 1.2'")),
        (None, {}, "`reported` " + NUMBER.format("None")),
        (True, {}, "`reported` " + NUMBER.format("True")),
        ("1,2545", {}, COMMA.format("'1,2545'")),
        ("snan", {}, "`reported` " + NUMBER.format("'snan'")),
        ("", {}, "`reported` " + NUMBER.format("''")),
        ("1", {"accuracy": "x"}, "`accuracy` " + NUMBER.format("'x'")),
        (
            [1.0, 2.0],
            {},
            (
                "`reported` must be one number, 3 (one a sequence) or 5 (one a timestep); got 2. "
                "Print the loss of one batch at a time."
            ),
        ),
        (
            "1",
            {"precision": "float31"},
            "`precision` must be one of 'float32', 'float16', 'bfloat16'; got 'float31'. Did you mean 'float32'?",
        ),
        (
            "1",
            {"decimals": -1},
            "`decimals` must be a whole number from 0 to 17; got -1. Leave it out to count them.",
        ),
        (
            "1",
            {"decimals": 1.5},
            "`decimals` must be a whole number from 0 to 17; got 1.5. Leave it out to count them.",
        ),
    ],
)
def test_identify_refuses_what_is_no_number(reported, said, message):
    with pytest.raises(InputError) as refused:
        identify(golden_batch(), reported, **said)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"smoothing": 2.0}, "`smoothing` must be from 0 up to, not including, 1; got 2.0."),
        ({"smoothing": "a little"}, "`smoothing` must be from 0 up to, not including, 1; got 'a little'."),
        ({"world_size": 0}, "`world_size` must be a whole number from 1 on; got 0."),
        ({"accumulation_steps": 2.5}, "`accumulation_steps` must be a whole number from 1 on; got 2.5."),
        (
            {"class_weights": [1, 2]},
            "`class_weights` must have 6 numbers, one for each class of `logits`; got 2.",
        ),
    ],
)
def test_identify_refuses_options_out_of_their_range(said, message):
    with pytest.raises(SettingsError) as refused:
        identify(golden_batch(), "1", **said)
    assert str(refused.value) == message


@pytest.mark.parametrize(("batch", "got"), [("batch.npz", "str"), ([], "NoneType"), ([1], "int")])
def test_identify_refuses_what_is_no_batch(batch, got):
    with pytest.raises(InputError) as refused:
        identify(batch, "1.2545")
    assert str(refused.value) == (
        f"`batch` must be a Batch, an Analysis or a list of them; got {got}. Make one with `Batch.from_arrays`."
    )


def test_identify_refuses_other_counts_of_numbers_than_batches():
    with pytest.raises(InputError) as refused:
        identify([golden_batch(), golden_batch()], ["1", "2", "3"])
    assert str(refused.value) == (
        "`reported` must have 2 numbers, one for each batch, or one number that was printed for all; got 3. "
        "Leave out the batches whose number you don't know."
    )

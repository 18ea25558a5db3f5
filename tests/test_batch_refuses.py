"""What a Batch refuses: wrong structure, each with the whole message and its way out."""

import re

import ml_dtypes
import numpy as np
import pytest

from lossviz import Batch
from lossviz.errors import InputError, LossvizError

LOGITS = np.zeros((2, 3, 4))
TARGETS = [[1, 2, 3], [3, 0, 0]]


def make(**changes):
    return Batch.from_arrays(**{"logits": LOGITS, "targets": TARGETS, **changes})


def refusal(**changes):
    with pytest.raises(InputError) as caught:
        make(**changes)
    assert isinstance(caught.value, LossvizError)
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


FIRST_TWO = "the first two axes of `logits`"
IDS = ("targets", "inputs", "segment_ids")


def floating(got):
    return (
        f"`logits` must be floating point (float16, bfloat16, float32 or float64); got {got}. If these are scores, "
        "pass `logits.astype('float32')`; if they are token ids, they belong in `targets`."
    )


def plain(dtype):
    return (
        f"`logits` must hold plain numbers; got an array of dtype {dtype}. "
        "Convert it first, for example with `np.asarray(..., dtype='float32')`."
    )


RANK = (
    "`logits` must have rank 3, (sequences, timesteps, classes); got shape (3, 4). "
    "A single sequence needs `logits[None]`; flat logits need `logits.reshape(B, T, -1)`."
)
RAGGED = "`logits` must be rectangular: its rows are lists of unequal lengths. Pad them and pass `lengths`."


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (np.zeros((3, 4)), RANK),
        (np.zeros((2, 3, 4), np.int32), floating("int32")),
        (np.zeros((2, 3, 4), bool), floating("bool")),
        (np.zeros((2, 3, 4), np.longdouble), floating(np.dtype(np.longdouble).name)),
        (np.zeros((2, 3, 0)), "`logits` must have at least one class on the last axis; got shape (2, 3, 0)."),
        (np.zeros((2, 3, 4), complex), plain("complex128")),
        (np.zeros((2, 3, 4), "U1"), plain("<U1")),
        (np.full((2, 3, 4), None), plain("object")),
        ([[[1.0, 2.0], [3.0]]], RAGGED),
    ],
    ids=["rank 2", "integers", "booleans", "longdouble", "no class", "complex", "text", "object", "ragged"],
)
def test_batch_refuses_logits_with_a_way_out(logits, message):
    assert refusal(logits=logits) == message


@pytest.mark.parametrize("name", [*IDS, "weights"])
@pytest.mark.parametrize(
    ("shape", "way_out"),
    [
        ((3, 2), " If time comes first, pass `{0}.T`."),
        ((6,), " If they are flat, pass `{0}.reshape(2, 3)`."),
        ((2, 1), " To use one per sequence, pass `np.broadcast_to({0}, (2, 3))`."),
        ((2,), " To use one per sequence, pass `np.broadcast_to({0}[:, None], (2, 3))`."),
        (
            (2, 2),
            (
                " Pass the logits of the timesteps of `{0}`: `logits[:, -2:]` if a prompt comes before them, "
                "`logits[:, :2]` if the logits go on after them, `np.swapaxes(logits, 1, 2)` if the classes come "
                "second. CTC, without a target for each timestep, is not covered."
            ),
        ),
        (
            (2, 4),
            (
                " If the logits are of the next token, pass `{0}[:, 1:]`. If the logits stop at the longest sequence "
                "and the rest is padding, pass `{0}[:, :3]`; if it is not, the model has lost timesteps."
            ),
        ),
        (
            (2, 5),
            (
                " If the logits stop at the longest sequence and the rest is padding, pass `{0}[:, :3]`; "
                "if it is not, the model has lost timesteps."
            ),
        ),
        ((1, 1), ""),
        ((1, 6), ""),
        ((), ""),
        ((2, 3, 1), " To drop the last axis, pass `{0}[..., 0]`."),
        ((2, 3, 4), ""),
    ],
)
def test_batch_refuses_another_shape_than_the_logits(name, shape, way_out):
    expected = f"`{name}` must have shape (2, 3), {FIRST_TWO}; got {shape}." + way_out.format(name)
    assert refusal(**{name: np.ones(shape, int)}) == expected


@pytest.mark.parametrize("shape", [(3, 2), (6,), (2, 1), (2,), (2, 3, 1)])
def test_batch_takes_the_array_after_its_way_out(shape):
    weights = np.ones(shape)
    way_out = re.search(r"pass `(.*)`\.$", refusal(weights=weights)).group(1)
    mended = eval(way_out, {"np": np, "weights": weights})  # noqa: S307
    assert make(weights=mended).weights.tolist() == np.ones((2, 3)).tolist()


@pytest.mark.parametrize("name", IDS)
def test_batch_refuses_ids_that_are_no_integers(name):
    assert refusal(**{name: np.ones((2, 3), np.float32)}) == (
        f"`{name}` must be integers; got float32. If they are whole numbers, pass `{name}.astype('int64')`."
    )
    assert refusal(**{name: [["a", "b", "c"], ["d", "e", "f"]]}) == (
        f"`{name}` must hold plain numbers; got an array of dtype <U1. "
        "Convert it first, for example with `np.asarray(..., dtype='float32')`."
    )
    assert refusal(**{name: [[1, 2, 3], [1]]}) == (
        f"`{name}` must be rectangular: row 0 has 3 entries and row 1 has 1. Pad the shorter rows to one length and "
        "pass `lengths`."
    )
    assert refusal(**{name: np.full((2, 3), 2**64 - 100, np.uint64)}) == (
        f"`{name}` must fit in int64; got 18446744073709551516. A negative number was cast to unsigned."
    )


@pytest.mark.parametrize(("weight", "shown"), [(float("nan"), "nan"), (float("inf"), "inf"), (-float("inf"), "-inf")])
def test_batch_refuses_weights_that_are_not_finite(weight, shown):
    assert refusal(weights=[[1, 1, 1], [1, weight, 0]]) == (
        f"`weights` must be finite numbers; got {shown} at sequence 1, timestep 1. "
        "An additive attention mask (0 and -inf) becomes weights with `mask == 0`."
    )


def test_batch_refuses_weights_that_are_no_numbers():
    assert refusal(weights=np.zeros((2, 3), "S1")) == (
        "`weights` must hold plain numbers; got an array of dtype |S1. "
        "Convert it first, for example with `np.asarray(..., dtype='float32')`."
    )
    assert refusal(weights=np.zeros((2, 3), ml_dtypes.float8_e4m3fn)) == (
        "`weights` must be numbers or booleans; got float8_e4m3fn."
    )


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (2, "`lengths` must have shape (2,), one per sequence of `logits`; got ()."),
        ([1, 2, 3], "`lengths` must have shape (2,), one per sequence of `logits`; got (3,)."),
        (
            [[1], [2]],
            ("`lengths` must have shape (2,), one per sequence of `logits`; got (2, 1). Pass `lengths.reshape(-1)`."),
        ),
        ([True, False], "`lengths` must be numbers of timesteps; got bool."),
        ([1, float("nan")], "`lengths` must be finite numbers; got nan."),
        ([float("-inf"), 1], "`lengths` must be finite numbers; got -inf."),
        (
            np.array([1, 2**64 - 1], np.uint64),
            ("`lengths` must fit in int64; got 18446744073709551615. A negative number was cast to unsigned."),
        ),
        (
            [[1], [2, 3]],
            (
                "`lengths` must be rectangular: row 0 has 1 entry and row 1 has 2. Pad the shorter rows to "
                "one length and pass `lengths`."
            ),
        ),
    ],
)
def test_batch_refuses_lengths_with_a_way_out(lengths, message):
    assert refusal(lengths=lengths) == message


WANTED = "`vocabulary` must be a list of strings, one per class, in the order of their ids"


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        (
            ["a", "b", "c"],
            (
                "`vocabulary` must have 4 tokens, one per class of `logits`; got 3. "
                "Count the padding token and the special tokens too."
            ),
        ),
        ("abcd", f"{WANTED}; got a str."),
        (5, f"{WANTED}; got a int."),
        ({"a", "b", "c", "d"}, f"{WANTED}; got a set."),
        ({"a": 3, "b": 2, "c": 1, "d": 0}, f"{WANTED}; got a dict. Pass `sorted(vocabulary, key=vocabulary.get)`."),
        (["a", "b", None, "d"], f"{WANTED}; entry 2 is None. Pass `[str(token) for token in vocabulary]`."),
        ([1, 2, 3, 4], f"{WANTED}; entry 0 is 1. Pass `[str(token) for token in vocabulary]`."),
        ([b"a", b"b", b"c", b"d"], f"{WANTED}; entry 0 is b'a'. Pass `[str(token) for token in vocabulary]`."),
    ],
)
def test_batch_refuses_a_vocabulary_with_a_way_out(vocabulary, message):
    assert refusal(vocabulary=vocabulary) == message


def test_batch_refuses_an_input_vocabulary_with_a_way_out():
    wanted = "`input_vocabulary` must be a list of strings, one per id, in the order of their ids"
    assert refusal(input_vocabulary="ab") == f"{wanted}; got a str."
    assert refusal(input_vocabulary={"a": 0}) == (
        f"{wanted}; got a dict. Pass `sorted(input_vocabulary, key=input_vocabulary.get)`."
    )
    assert refusal(input_vocabulary=["a", 1]) == (
        f"{wanted}; entry 1 is 1. Pass `[str(token) for token in input_vocabulary]`."
    )


@pytest.mark.parametrize("reported", ["1.25 nats", "", True, [1.0, 2.0]])
def test_batch_refuses_a_reported_text(reported):
    assert refusal(reported=reported) == f"`reported` must be one number, as printed; got {reported!r}."


def test_batch_empty_still_has_a_shape():
    assert refusal(logits=np.zeros((2, 0, 4)), targets=np.zeros((0, 7), int)) == (
        f"`targets` must have shape (2, 0), {FIRST_TWO}; got (0, 7)."
    )


@pytest.mark.parametrize("name", ["pad_id", "eos_id", "ignore_id"])
@pytest.mark.parametrize("value", [0.0, True, "0", [0]])
def test_batch_refuses_an_id_that_is_no_integer(name, value):
    assert refusal(**{name: value}) == f"`{name}` must be an integer; got {value!r}."

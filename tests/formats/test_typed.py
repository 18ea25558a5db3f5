"""Typed sequences, pasted logits, and logits made to order."""

import json
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lossviz.errors import FormatError, InputError
from lossviz.formats import _common
from lossviz.formats.typed import KINDS, Typed, make_logits, pad, parse_logits, parse_sequences

LOGITS = hnp.arrays(np.float64, hnp.array_shapes(min_dims=3, max_dims=3, max_side=4), elements=st.floats())
TARGETS = np.array([[0, 1, 2], [2, 0, -100]])


def refused_logits(text: str, *hint: tuple[int, ...]) -> str:
    with pytest.raises(FormatError) as error:
        parse_logits(text, *hint)
    return str(error.value)


def refused_sequences(text: str, *vocabulary: list[str]) -> str:
    with pytest.raises(FormatError) as error:
        parse_sequences(text, *vocabulary)
    return str(error.value)


def test_parse_sequences_tokens_build_the_vocabulary_in_order() -> None:
    assert parse_sequences("b a b\r\n\n  \n<pad> c\n") == Typed(
        [[1, 2, 1], [0, 3]], [3, 2], ["<pad>", "b", "a", "c"], ids=False, left_out=(2, 3)
    )


def test_parse_sequences_ids_stay_as_they_are() -> None:
    assert parse_sequences("1 2 +3\n-100 4294967296") == Typed([[1, 2, 3], [-100, 2**32]], [3, 2], None, ids=True)
    assert parse_sequences("1 2", ["a", "b"]).vocabulary == ["a", "b"]


def test_parse_sequences_zeros_at_the_end_are_padding_where_nothing_else_is_zero() -> None:
    """They stay targets: the lengths leave them out."""
    typed = parse_sequences("3 1 2 4 0\n2 5 0 0 0")
    assert typed == Typed([[3, 1, 2, 4, 0], [2, 5, 0, 0, 0]], [4, 2], None, ids=True, zero_pads=True)
    assert parse_sequences("3 1 2 4 0 / 2 5 0 0 0") == typed
    assert parse_sequences("3 1 2 4 0\n2 5 0 0 0", zero_pads=False).lengths == [5, 5]
    for text in ("3 0 1 0\n2 5 0 0", "3 1 0\n2 0", "3 1 0", "0 0\n0 0", "3 1\n2 5", "0 1\n2 0"):
        read = parse_sequences(text)
        assert (read.zero_pads, read.lengths) == (False, [len(row) for row in read.targets])


def test_parse_sequences_reads_lists_of_ids() -> None:
    """As Python and NumPy print them; `[]` is a sequence of length 0, in a list and on a line."""
    assert parse_sequences("[[1, 2, 3], [4, 5]]") == Typed([[1, 2, 3], [4, 5]], [3, 2], None, ids=True)
    assert parse_sequences("[[1 2 3]\n [4 5 0]]").lengths == [3, 2]
    assert parse_sequences("[7, -100]").targets == [[7, -100]]
    assert parse_sequences("[[1, 2], []]").lengths == parse_sequences("a b\n[]").lengths == [2, 0]
    assert parse_sequences("[PAD] a").vocabulary == ["<pad>", "[PAD]", "a"]
    for text in ("[[1, 2], [3]", "[1, 2], [3", "[[1, 2], 3]"):
        assert refused_sequences(text) == (
            "The brackets do not match. Write a list of lists of ids, such as [[1, 2, 3], [4, 5]]."
        )


def test_parse_sequences_says_which_lines_it_left_out() -> None:
    assert parse_sequences("a\n\nb\n\n").left_out == (2,)


def test_parse_sequences_one_word_makes_all_of_them_tokens() -> None:
    assert parse_sequences("1 2\nx").targets == [[1, 2], [3]]


def test_parse_sequences_given_vocabulary_with_duplicates_takes_the_first() -> None:
    assert parse_sequences("b a", ["a", "b", "a"]).targets == [[1, 0]]


@pytest.mark.parametrize(
    "token", ["<script>", "<img src=x onerror=alert(1)>".replace(" ", "_"), "\u202eabc", "\u200b", "x" * 10_000]
)
def test_parse_sequences_keeps_odd_tokens(token: str) -> None:
    assert parse_sequences(f"a {token}").vocabulary == ["<pad>", "a", token]


def test_parse_sequences_says_where_it_is_wrong() -> None:
    assert refused_sequences(" \n") == (
        "No sequence was typed. Write one per line, its tokens or ids separated by spaces."
    )
    assert refused_sequences("the\n\nthe cat", ["<pad>", "the", "cats"]) == (
        "Line 3, token 2: `cat` is not among the 3 tokens of the vocabulary. Did you mean `cats`?"
    )
    assert refused_sequences("zzz", ["a"]) == (
        "Line 1, token 1: `zzz` is not among the 1 tokens of the vocabulary. Add it to the vocabulary."
    )
    assert refused_sequences("1 9999999999999999999") == "Line 1, id 2 must fit in 64 bits; got 9999999999999999999."


def test_typed_text_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.formats._pasted.LIMITS", _common.Limits(typed_characters=1_000))
    message = "The text has 1,001 characters; at most 1,000 are read. Open it as a file."
    assert refused_sequences("x" * 1_001) == message
    assert refused_logits("1" * 1_001) == message


def test_pad_fills_up_to_the_longest_or_to_t() -> None:
    assert pad([[1, 2], [3]], 9).tolist() == [[1, 2], [3, 9]]
    assert pad([[1]], 0, 3).tolist() == [[1, 0, 0]]
    assert pad([]).shape == (0, 0)


def test_pad_says_which_sequence_is_too_long_or_that_it_is_too_much() -> None:
    with pytest.raises(InputError) as error:
        pad([[1], [1, 2, 3]], 0, 2)
    assert str(error.value) == "`timesteps` must be at least 3; got 2, and sequence 1 is longer. Raise it."
    with pytest.raises(InputError) as error:
        pad([[1], [1]], 0, 10**9)
    assert str(error.value) == "2 × 1,000,000,000 timesteps are more than 20,000,000. Open them as a file."


@given(LOGITS)
def test_parse_logits_reads_back_json_and_numpy_and_lines(logits: np.ndarray) -> None:
    with np.printoptions(threshold=10**9, precision=17, floatmode="unique"):
        printed = [str(logits), repr(logits), f"np.{logits!r}", json.dumps(logits.tolist())]
    rows = logits.reshape(-1, logits.shape[-1]).tolist()
    lines = ["\n".join(joint.join(map(str, row)) for row in rows) for joint in (",", ", ", "; ", "\t", "  ")]
    for text in (*printed, *lines):
        np.testing.assert_array_equal(parse_logits(text, logits.shape[:2]), logits)


def test_parse_logits_reads_what_torch_and_tensorflow_print() -> None:
    torch = "tensor([[[1., 2.]]], dtype=torch.bfloat16, grad_fn=<AddBackward0>)"
    tensorflow = "tf.Tensor(\n[[[1. 2.]]], shape=(1, 1, 2), dtype=float32)"
    assert parse_logits(torch).dtype == ml_dtypes.bfloat16
    assert parse_logits(tensorflow).dtype == np.float32
    assert parse_logits("array([[[1., 2.]]], dtype=float16)").dtype == np.float16


def test_parse_logits_rank_2_is_a_list_of_timesteps() -> None:
    assert parse_logits("[[1, 2], [3, 4]]", (2, 1)).tolist() == [[[1, 2]], [[3, 4]]]
    assert parse_logits("1 2").tolist() == [[[1, 2]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No logits were pasted. Paste nested lists [B][T][V], or a line of V numbers per timestep."),
        (
            "[[1 2]\n [3 x]]",
            "Line 2, position 5: `x` is not a number. Write numbers with a decimal point, or nan, inf, -inf.",
        ),
        (
            "[[1, null]]",
            "Line 1, position 6: `null` is not a number. Write numbers with a decimal point, or nan, inf, -inf.",
        ),
        (
            "[[1. ... 2.]]",
            (
                "Line 1, position 6: `...` stands where NumPy left numbers out. Call "
                "`np.set_printoptions(threshold=sys.maxsize)` before you print them."
            ),
        ),
        (
            "1 2\n...\n3 4",
            (
                "Line 2, position 1: `...` stands where NumPy left numbers out. Call "
                "`np.set_printoptions(threshold=sys.maxsize)` before you print them."
            ),
        ),
        ("[1,,2]", "Line 1, position 4: a number is missing before the comma. Write nan where none is."),
        ("1,,2", "Line 1, position 3: a number is missing. Write nan where there is none."),
        ("[[[[1]]]]", "Line 1, position 4: a fourth `[` is open; logits have three levels, [B][T][V]."),
        ("[[1, 2]", "The text ends while 1 of the brackets are open. Paste it whole."),
        ("[1, 2]]", "Line 1, position 7: `]` is not a number. Write numbers with a decimal point, or nan, inf, -inf."),
        ("1 2\n3", "Line 2, position 1: 1 numbers, but the first line has 2. Give each timestep V numbers."),
        (
            "[[1, 2], [3]]",
            (
                "`logits[1]` has 1 entries, but the first list at that level has 2. Pad the lists to one length, "
                "and pass the "
                "real ones as `lengths`."
            ),
        ),
        (
            "__import__('os')",
            (
                "Line 1, position 1: `__import__('os')` is not a number. Write numbers with a decimal point, or "
                "nan, inf, -inf."
            ),
        ),
    ],
)
def test_parse_logits_says_where_it_is_wrong(text: str, message: str) -> None:
    assert refused_logits(text) == message


def test_parse_logits_says_which_shape_the_sequences_need() -> None:
    assert refused_logits("1 2\n3 4", (2, 3)) == (
        "The pasted logits have shape (2, 2); the sequences need 2×3×V. Paste one list of V numbers for each "
        "timestep, "
        "padding too."
    )
    assert refused_logits("[[[1, 2]]]", (1, 1, 3)) == (
        "The pasted logits have shape (1, 1, 2); the sequences need 1×1×3. Paste one list of V numbers for each "
        "timestep, "
        "padding too."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_make_logits_are_the_same_every_time(kind: str) -> None:
    first, second = (make_logits(kind, TARGETS, 4, seed=3, wrong=[(0, 1)]) for _ in range(2))
    assert (first.dtype, first.shape) == (np.float32, (2, 3, 4))
    np.testing.assert_array_equal(first, second)


def test_make_logits_put_the_peak_where_they_say() -> None:
    assert make_logits("uniform", TARGETS, 4).tolist() == np.zeros((2, 3, 4)).tolist()
    confident = make_logits("confident", TARGETS, 4, temperature=2)
    assert confident[0].tolist() == [[4, 0, 0, 0], [0, 4, 0, 0], [0, 0, 4, 0]]
    assert confident[1, 2].tolist() == [0, 0, 0, 0]
    wrong = make_logits("wrong", TARGETS, 3, wrong=[(0, 2), (1, 2)])
    assert wrong[0].tolist() == [[8, 0, 0], [0, 8, 0], [8, 0, 0]]
    assert wrong[1, 2].tolist() == [0, 0, 0]


def test_make_logits_random_depends_on_seed_and_temperature() -> None:
    one, other = (make_logits("random", TARGETS, 1000, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one, other)
    assert abs(float(one.std()) - 1) < 0.05
    np.testing.assert_allclose(make_logits("random", TARGETS, 1000, temperature=4), one / 4, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"kind": "confidant"},
            "`kind` must be confident, random, uniform or wrong; got `confidant`. Did you mean `confident`?",
        ),
        ({"targets": [1, 2]}, "`targets` must be whole numbers [B, T]; got shape (2,), int64. Pad them first."),
        (
            {"classes": 0},
            "`classes` must be at least 1, and 6 × V at most 20,000,000 logits; got 0. Open larger logits as a file.",
        ),
        (
            {"classes": 10**7},
            (
                "`classes` must be at least 1, and 6 × V at most 20,000,000 logits; got 10,000,000. Open larger "
                "logits as a file."
            ),
        ),
        (
            {"kind": "wrong", "classes": 1},
            "`classes` must be at least 2 for confidently wrong logits; got 1. Choose another kind.",
        ),
        ({"temperature": 0}, "`temperature` must be above 0; got 0. 1 leaves the logits as they are."),
        (
            {"kind": "wrong", "wrong": [(2, 0)]},
            "`wrong` must name cells of the targets (2, 3); got (2, 0). Count from 0.",
        ),
    ],
)
def test_make_logits_says_what_it_needs(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        make_logits(**{"kind": "uniform", "targets": TARGETS, "classes": 4, **options})
    assert str(error.value) == message

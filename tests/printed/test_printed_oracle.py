"""The oracle gives every golden number of spec/conventions.md and spec/padding-bugs.md, to the digits printed there."""

from dataclasses import replace

import numpy as np
import pytest

from tests.golden import FRACTIONAL, LENGTHS, LOSS, TARGETS, golden_logits
from tests.printed.given import Given, cross_entropy, log_softmax
from tests.printed.printed_oracle import (
    ACROSS,
    BUGS,
    CODE,
    CONVENTIONS,
    NEEDS,
    aliases,
    bfloat16,
    lagged,
    no_nan,
    not_from_logits,
    printed,
    random_given,
    ratio,
    significant,
)

TWO = ((0,), (1, 2))
PLAIN = Given(golden_logits(), TARGETS, LENGTHS, max_length=5, smoothing=0.1, groups=TWO, world_size=2)
WEIGHTED = replace(PLAIN, weights=FRACTIONAL)
EACH = replace(PLAIN, groups=((0,), (1,), (2,)))

# The last column of spec/conventions.md; C24, C25 and Z1 have no value there and are worked out by hand below.
GOLDEN_CONVENTIONS = {
    "C01": "13.8",
    "C02": "14.5",
    "C03": "1.2545",
    "C03e": "1.2545",
    "C03n": "1.2545",
    "C03z": "1.2545",
    "C04": "0.9667",
    "C05": "0.9200",
    "C05k": "1.2545",
    "C06": "4.6",
    "C06t": "1.2545",
    "C07": "1.42",
    "C07a": "1.42",
    "C07t": "1.2545",
    "C07g": "1.42",
    "C08": "2.76",
    "C08m": "3.45",
    "C09": "1.1300",
    "C10": "5.65",
    "C11": "1.8099",
    "C11s": "6.6364",
    "C12": "3.5062",
    "C13": "5.2308",
    "C14": "0.9857",
    "C14n": "1.2545",
    "C15": "1.7250",
    "C16": "0.2509",
    "C17": "0.92",
    "C17l": "4.6",
    "C18": "1.2545",
    "C18o": "1.2633",
    "C19": "1.1667",
    "C20": "4.6",
    "C21": "1.2633",
    "C22": "3.3455",  # 1.2545 · (11/3 − 1)
    "LS1": "1.3517",
    "LS2": "1.3712",
    "LS2b": "1.9782",
    "LS3": "0.8851",
    "LS4": "3.2455",
    "LS4n": "0.8851",
    "LS5": "9.2278",
    "language_model": "13.8",
    "encoder_decoder": "4.6",
    "at+ab": "1.2545",
    "st+sb": "1.2545",
    "mean": "1.2545",
}
GOLDEN_WEIGHTED = {"C03z": "1.0318", "C05w": "1.0810", "C23": "1.0318", "C23w": "1.0810"}
GOLDEN_BUGS = {
    "PAD01": "0.9667",
    "PAD02": "0.92",
    "PAD03": "1.3182",
    "PAD04": "1.2900",
    "PAD05": "1.575",
    "PAD06": "0.175",
    "PAD07": "0.8727",
    "PAD08-": "1.575",
    "PAD08+": "1.0846",
    "PAD17": "0.8667",
    "RED01": "1.2633",
    "RED02s": "2.5267",
    "RED03t": "1.0292",
    "RED04": "0.9857",
    "RED05": "1.42",
    "RED06": "0.2509",
    "RED06t": "2.76",
    "RED06m": "3.45",
    "RED07": "0.7089",
    "RED07s": "0.9667",
    "RED10": "1.4582",
    "RED11": "1.3517",
    "RED11b": "1.3712",
    "RED11c": "9.2278",
    "RED13": "2.3859",
    "RED13b": "1.8099",
    "RED13e": "6.1100",
    "RED16": "1.7250",
    "RED17": "1.1667",
    "SHF08": "2.0832",
    "SHF08m": "1.1818",
    "MOD01": "1.5300",
    "MOD02": "1.7918",
    "MOD02u": "1.7918",
    "MOD08": "0.9667",
}
GOLDEN_BUGS_WEIGHTED = {"RED08": "1.0810", "RED08z": "1.0318", "RED08b": "0.7567", "RED15": "0.9786"}
RANDOM = [random_given(seed, fractional=seed % 2 == 1) for seed in range(40)]


def as_printed(value, text):
    return f"{value:.{len(text.partition('.')[2])}f}"


def of_losses(loss, classes=6):
    """A Given whose per-timestep losses are these, every target class 2."""
    loss = np.asarray(loss, dtype=float)
    targets = np.full(loss.shape, 2)
    return Given(golden_logits(targets, loss, classes), targets)


@pytest.mark.parametrize(("key", "text"), GOLDEN_CONVENTIONS.items())
def test_oracle_conventions_give_the_last_column(key, text):
    assert as_printed(CONVENTIONS[key](PLAIN), text) == text


@pytest.mark.parametrize(("key", "text"), GOLDEN_WEIGHTED.items())
def test_oracle_conventions_give_the_last_column_of_the_fractional_weights(key, text):
    assert as_printed(CONVENTIONS[key](WEIGHTED), text) == text


@pytest.mark.parametrize(("key", "text"), GOLDEN_BUGS.items())
def test_oracle_bugs_give_the_tiny_values(key, text):
    assert as_printed(BUGS[key](PLAIN), text) == text


@pytest.mark.parametrize(("key", "text"), GOLDEN_BUGS_WEIGHTED.items())
def test_oracle_bugs_give_the_tiny_values_of_the_fractional_weights(key, text):
    assert as_printed(BUGS[key](WEIGHTED), text) == text


def test_oracle_reads_the_golden_losses_from_the_logits():
    np.testing.assert_allclose(PLAIN.CE, LOSS, rtol=1e-13)
    np.testing.assert_allclose(PLAIN.log_normalizer, 0, atol=1e-14)
    assert (PLAIN.N, WEIGHTED.N, WEIGHTED.nonzero) == (11, 10.5, 11)
    assert [round(v, 12) for v in (PLAIN.S, PLAIN.S_all, WEIGHTED.S)] == [13.8, 14.5, 11.35]


def test_oracle_split_into_single_rows_gives_the_other_values_of_red01_and_red02():
    assert [as_printed(BUGS[key](EACH), "1.42") for key in ("RED01", "RED02s")] == ["1.42", "4.26"]
    assert as_printed(BUGS["RED02"](PLAIN), "1.2345") == "2.5091"  # 2 · 13.8 / 11


def test_oracle_rows_of_the_logits_in_another_order():
    assert as_printed(BUGS["SHF10"](replace(PLAIN, permutation=(1, 2, 0))), "2.5747") == "2.5747"
    assert BUGS["SHF10"](PLAIN) == CONVENTIONS["C03"](PLAIN)  # the golden rows are longest first already


def test_oracle_accuracy_of_the_timesteps_that_count():
    right = PLAIN.log_p.argmax(-1) == TARGETS
    assert as_printed((right * PLAIN.W).sum() / PLAIN.N, "0.8182") == "0.8182"


def test_oracle_empty_row_divides_by_all_rows_or_by_the_filled_ones():
    given = Given(golden_logits()[[0, 1]], TARGETS[[0, 1]], np.array([5, 0]))
    assert [round(CONVENTIONS[key](given), 4) for key in ("C07", "C07a", "C07g")] == [0.68, 1.36, 0.68]


def test_oracle_nothing_supervised_is_nan_or_zero_as_in_the_libraries():
    given = replace(PLAIN, lengths=np.zeros(3, dtype=int))
    zero = ("C01", "C03e", "C03n", "C03z", "C05", "C05k", "C05w", "C06", "C07", "C07a", "C07t", "C23", "at+ab", "st+sb")
    assert {key: CONVENTIONS[key](given) for key in zero} == dict.fromkeys(zero, 0.0)
    assert all(np.isnan(CONVENTIONS[key](given)) for key in ("C03", "C06t", "C14n", "LS1"))


def test_oracle_class_weights_of_red09():
    given = replace(of_losses([[1.0, 3.0]]), targets=np.array([[2, 3]]), class_weights=np.array([9, 9, 1, 3, 9, 9.0]))
    logits = golden_logits(given.targets, np.array([[1.0, 3.0]]))
    given = replace(given, logits=logits)
    values = BUGS["RED09"](given), BUGS["RED09n"](given), CONVENTIONS["C24"](given), CONVENTIONS["C03"](given)
    assert [round(v, 12) for v in values] == [2.5, 5.0, 2.5, 2.0]


def test_oracle_bits_per_byte_counts_the_bytes_of_the_tokens_that_have_some():
    given = replace(PLAIN, bytes_per_token=np.array([0, 0, 2, 3, 1, 4]))
    losses = 0.7 + 1.5 + 3.5 + 1.0 + 0.1 + 0.9 + 4.0  # targets 2, 3, 4, 5; 3, 4; 4
    assert round(CONVENTIONS["C25"](given), 12) == round(losses / (np.log(2) * (2 + 3 + 1 + 4 + 3 + 1 + 1)), 12)


def test_oracle_z_loss_adds_the_squared_log_normalizer():
    given = replace(PLAIN, logits=PLAIN.logits + 2.0, z=0.01)  # ln Z = 2 everywhere
    assert round(CONVENTIONS["Z1"](given), 12) == round(13.8 / 11 + 0.01 * 4, 12)
    assert round(CONVENTIONS["Z1s"](given), 12) == round(13.8 + 0.01 * 4 * 11, 12)


def test_oracle_lags_of_the_two_shifts():
    """Logits of 4 for the token that comes next in 4 2 3 2 1: ln(e⁴ + 4) − 4 = 0.071 where it is right, else 4.071."""
    logits = np.zeros((1, 4, 5))
    logits[0, range(4), [2, 3, 2, 1]] = 4.0
    unshifted, twice = Given(logits, np.array([[4, 2, 3, 2]])), Given(logits, np.array([[3, 2, 1, 0]]))
    assert [round(lagged(unshifted, k), 3) for k in (-1, 0, 1)] == [2.737, 4.071, 0.071]
    assert [round(lagged(twice, k), 3) for k in (-1, 0, 1)] == [0.071, 4.071, 2.737]
    aligned = Given(logits, np.array([[2, 3, 2, 1]]), inputs=np.array([[4, 2, 3, 2]]))
    assert round(CONVENTIONS["C03"](aligned), 3) == 0.071
    assert [round(BUGS[key](aligned), 3) for key in ("SHF01", "SHF01x", "SHF02")] == [4.071] * 3
    assert CONVENTIONS["SH1"](unshifted) == lagged(unshifted, 1)


def test_oracle_evaluation_over_two_batches():
    nine, one = of_losses(np.full((3, 3), 1.0)), of_losses([[3.0]])
    values = {
        key: round(ACROSS[key]([nine, one]), 2) for key in ("C18", "C18o", "C21", "C21b", "RED12", "RED12e", "RED12p")
    }
    assert values == {"C18": 1.2, "C18o": 2, "C21": 2, "C21b": 1.5, "RED12": 2, "RED12e": 7.39, "RED12p": 11.4}
    assert round(float(np.exp(ACROSS["C14n"]([nine, one]))), 2) == 3.32


@pytest.mark.parametrize(("classes", "floor"), [(4, 0.7437), (6, 1.0436), (32000, 9.3735)])
def test_oracle_softmax_twice_has_a_floor(classes, floor):
    logits = np.full((1, 1, classes), -1e3)
    logits[0, 0, 2] = 0.0
    assert round(BUGS["MOD01"](Given(logits, np.array([[2]]))), 4) == floor


def test_oracle_logits_read_as_probabilities():
    given = Given(np.array([[[2.0, -1.0, 0.5]]]), np.array([[0]]))
    assert [round(f(given), 4) for f in (BUGS["MOD02"], CONVENTIONS["C03"])] == [0.4055, 0.2413]


def test_oracle_caps_of_clamped_probabilities():
    given = of_losses([[-np.log(1e-12)]])
    assert [round(f(given), 2) for f in (CONVENTIONS["C03"], BUGS["NUM08"], BUGS["NUM08k"])] == [27.63, 23.03, 16.12]
    assert [round(-np.log(p), 3) for p in (1e-10, 1e-7)] == [23.026, 16.118]


def test_oracle_bfloat16_has_eight_bits():
    np.testing.assert_array_equal(
        bfloat16([36.1, 1.0, 1.00390625, 1.01171875, -3.14159]), [36, 1, 1, 1.015625, -3.140625]
    )


def test_oracle_log_probabilities_as_logits_change_nothing():
    given = Given(np.array([[[2.0, 0.0]]]), np.array([[0]]))
    again = replace(given, logits=log_softmax(log_softmax(given.logits)))
    assert round(CONVENTIONS["C03"](given), 12) == round(CONVENTIONS["C03"](again), 12)


def test_oracle_classification_reads_the_last_timestep_only():
    logits, labels = np.array([[[9.0], [2.0], [9]], [[-1.0], [9], [9]]]), np.array([[0, 1, 0], [0, 1, 1]])
    value = CONVENTIONS["classification"](Given(logits, labels, np.array([2, 1])))
    assert round(value, 12) == round(float(np.log1p(np.exp(-2)) + np.log1p(np.exp(-1))), 12)


def test_oracle_masked_timesteps_say_nothing_whatever_they_hold():
    logits, targets = np.where(PLAIN.W[..., None] > 0, PLAIN.logits, np.nan), np.where(PLAIN.W > 0, TARGETS, -100)
    for key in ("C01", "C03", "C05", "C07", "C09", "C14", "LS1", "LS4", "Z1"):
        assert CONVENTIONS[key](replace(PLAIN, logits=logits, targets=targets)) == CONVENTIONS[key](PLAIN), key
    assert np.isnan(cross_entropy(np.zeros((1, 2, 3)), np.array([[3, -1]]))).all()


def test_oracle_divides_by_nothing_as_pytorch_and_as_tensorflow():
    assert (no_nan(1.0, 0.0), ratio(1.0, 0.0), ratio(-1.0, 0.0), no_nan(3.0, 2.0), ratio(3.0, 2.0)) == (
        0.0,
        np.inf,
        -np.inf,
        1.5,
        1.5,
    )
    assert np.isnan(ratio(0.0, 0.0))


def test_oracle_logits_as_probabilities_per_timestep():
    given = Given(np.array([[[2.0, -1.0, 0.5], [0.25, 0.5, 0.25]]]), np.array([[2, 1]]))
    np.testing.assert_allclose(not_from_logits(given), [[np.log(3), np.log(2)]], rtol=1e-6)


def test_oracle_has_every_row_and_entry_with_a_printed_number():
    numbers = [f"C{n:02}" for n in range(1, 26)] + [
        "C03e",
        "C03n",
        "C03z",
        "C05k",
        "C05p",
        "C05w",
        "C06t",
        "C07a",
        "C07t",
    ]
    numbers += ["C07g", "C11s", "C14n", "C17l", "LS1", "LS2", "LS3", "LS4", "LS5", "LS6", "Z1", "SH1"]
    five = ["language_model", "encoder_decoder", "classification", "at+ab", "st+sb", "mean"]
    assert {*numbers, *five} <= {CODE[key] for key in CONVENTIONS}
    entries = [f"PAD{n:02}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 17)] + [f"RED{n:02}" for n in range(1, 18) if n != 14]
    entries += ["SHF01", "SHF02", "SHF08", "SHF10", "MOD01", "MOD02", "MOD08", "NUM06", "NUM08"]
    assert set(entries) <= {CODE[key] for key in BUGS}
    assert set(NEEDS) <= set(CODE)


def test_random_given_is_a_batch_of_unequal_rows():
    for given in RANDOM:
        assert 2 <= given.B <= 6
        assert 3 <= given.T <= 9
        assert 4 <= given.V <= 12
        assert given.lengths.min() < given.lengths.max() == given.T
        assert {given.targets[b, n - 1] for b, n in enumerate(given.lengths)} == {given.eos_id}
        assert (given.targets[given.prefix(given.lengths) == 0] == given.pad_id).all()
        assert ((given.targets == given.pad_id) & (given.prefix(given.lengths) == 1)).sum() == 1
        assert given.B % given.accumulation_steps == given.B % given.world_size == 0
        assert ((given.W != 0) == (given.prefix(given.lengths) == 1)).all()


def test_random_given_is_the_same_for_the_same_seed():
    one, two = random_given(3, fractional=True), random_given(3, fractional=True)
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in ("logits", "targets", "weights"))
    assert one.accumulation_steps == two.accumulation_steps


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_random_given_tells_apart_what_is_not_the_same_formula(seed):
    """Except where k or c is B: then micro-batches are rows."""
    given = random_given(seed, fractional=True, surprise=True)
    same = aliases(given)
    apart = (
        "C01",
        "C02",
        "C03",
        "C03z",
        "C04",
        "C05",
        "C05k",
        "C06",
        "C07",
        "C08",
        "C08m",
        "C09",
        "C10",
        "C11",
        "C11s",
    )
    apart += (
        "C12",
        "C13",
        "C14",
        "C15",
        "C16",
        "C17",
        "C20p",
        "C22",
        "C24",
        "C25",
        "LS1",
        "LS2",
        "LS2b",
        "LS3",
        "LS3s",
    )
    apart += ("LS4", "LS5", "Z1", "Z1s", "PAD01", "PAD03", "PAD04", "PAD06", "PAD07", "PAD08-", "PAD08+", "RED03t")
    apart += ("RED10", "RED10b", "RED12p", "RED13", "RED13e", "RED15", "SHF01", "SHF01x", "SHF02", "SHF08", "SHF08m")
    apart += ("MOD01", "MOD02", "NUM06", "NUM08", "NUM08k")
    allowed = {frozenset({"C04", "PAD01"}), frozenset({"C03z", "C05k"})}
    allowed |= {frozenset({"C13", "RED12p"})} if given.accumulation_steps == given.B else set()
    for key in apart:
        others = same[key] & set(apart) - {key}
        assert all(frozenset({key, other}) in allowed for other in others), (key, others)


def test_oracle_prints_five_significant_digits():
    texts = printed(PLAIN)
    assert (texts["C01"], texts["C03"], texts["C16"]) == ("13.800", "1.2545", "0.25091")
    assert [significant(v, 5) for v in (0.0, 0.0123456, 9.99999, 123456.0)] == [
        "0.0000",
        "0.012346",
        "10.000",
        "123456",
    ]
    assert "classification" not in texts


def test_oracle_knows_the_aliases_of_the_golden_batch():
    same = aliases(PLAIN)
    assert {"PAD08-", "PAD05"} <= same["PAD05"]
    assert same["PAD01"] == {"PAD01", "RED07s", "C04", "MOD08"}
    assert same["C17"] == {"C17", "C05", "PAD02", "RED06b", "RED08b"}
    assert aliases(EACH)["RED01"] >= {"RED01", "C07g", "RED05"}

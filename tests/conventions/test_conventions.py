"""The table of conventions: its golden values, what it gives at 0 ÷ 0, the oracle's numbers, and its contract."""

import re

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze
from lossviz.conventions import CONVENTIONS, DIVISORS, LAWS, UNITS, User, convention_coded
from lossviz.errors import InputError, SettingsError
from lossviz.reductions import REDUCTIONS, Options
from lossviz.settings import MASKS
from tests.conventions.batches import OPTIONS, golden_analysis, random_analysis, value, weighted_analysis
from tests.printed.printed_oracle import CONVENTIONS as ORACLE


def each(rows):
    return pytest.mark.parametrize("convention", rows, ids=lambda convention: convention.code)


every = each(CONVENTIONS)
OF_MANY_CLASSES = [row for row in CONVENTIONS if row.code != "classification"]

# The last column of spec/conventions.md, in its digits.
GOLDEN = """
C01 13.8      C02 14.5      C03 1.2545    C03e 1.2545   C03n 1.2545   C03z 1.2545   C04 0.9667    C05 0.9200
C05k 1.2545   C05w 1.2545   C06 4.6       C06t 1.2545   C07 1.42      C07a 1.42     C07t 1.2545   C07g 1.42
C08 2.76      C08m 3.45     C09 1.1300    C10 5.65      C11 1.8099    C11s 6.6364   C12 3.5062    C13 5.2308
C14 0.9857    C14n 1.2545   C15 1.7250    C16 0.2509    C17 0.92      C17l 4.6      C18 1.2545    C18o 1.2633
C19 1.1667    C20 4.6       C21 1.2633    C23 1.2545    C23w 1.2545   LS1 1.3517    LS2 1.3712    LS2b 1.9782
LS3 0.8851    LS4 3.2455    LS4n 0.8851   LS5 9.2278    LS5n 0.8389   C05p 0.7667
language_model 13.8         encoder_decoder 4.6         sequence_loss 1.2545
"""
WEIGHTED = "C03z 1.0318  C03 1.0810  C05 0.7567  C05w 1.0810  C23 1.0318  C23w 1.0810  C05k 1.0318"


def by_code(text):
    words = text.split()
    return list(zip(words[::2], words[1::2], strict=True))


def rounded(number, printed):
    return f"{number:.{len(printed.partition('.')[2])}f}"


@pytest.mark.parametrize(("code", "printed"), by_code(GOLDEN))
def test_conventions_golden_batch(code, printed):
    assert rounded(value(code, golden_analysis(), OPTIONS), printed) == printed


@pytest.mark.parametrize(("code", "printed"), by_code(WEIGHTED))
def test_conventions_golden_batch_with_fractional_weights(code, printed):
    assert rounded(value(code, weighted_analysis(), OPTIONS), printed) == printed


def test_conventions_golden_rows_without_a_value_by_hand():
    """C22: mean length 11 / 3. C21b: means 1.36 and 7 / 6 of one and two sequences. T5X's LS3: no division."""
    golden = golden_analysis()
    assert value("C22", golden) == pytest.approx(13.8 / 11 * (11 / 3 - 1))
    assert value("C21b", golden, OPTIONS) == pytest.approx((1.36 + 2 * 7 / 6) / 3)
    assert value("LS3s", golden, OPTIONS) == pytest.approx(3 * value("LS4", golden, OPTIONS))
    assert value("C20p", golden) == pytest.approx(np.exp(0.92))
    assert value("C17", golden, Options(max_length=10)) == pytest.approx(0.46)
    # logsumexp is 0, so the z-loss of logits that are 3 larger is z · 9 at each of the 11 timesteps.
    assert value("Z1", golden, OPTIONS) == pytest.approx(13.8 / 11, rel=1e-6)
    larger = golden_analysis(logits=golden.batch.logits + 3.0)
    assert value("Z1", larger, OPTIONS) == pytest.approx(13.8 / 11 + 0.01 * 9)
    assert value("Z1s", larger, OPTIONS) == pytest.approx(13.8 + 11 * 0.01 * 9)


def test_conventions_class_weights_and_bytes_by_hand():
    """Two timesteps of loss ln 2: classes 0 and 1, weighing 1 and 3, of 2 and 0 bytes; a third is padding."""
    analysis = analyze(Batch.from_arrays(logits=np.zeros((1, 3, 2)), targets=[[0, 1, 0]], lengths=[2]))
    options = Options(class_weights=(1, 3), bytes_per_token=(2, 0))
    assert convention_coded("C24").numerator(analysis, options) == pytest.approx(4 * np.log(2))
    assert convention_coded("C24").divisor(analysis, options) == 4.0
    assert convention_coded("C25").numerator(analysis, options) == pytest.approx(1.0)
    assert convention_coded("C25").divisor(analysis, options) == 2.0
    assert value("C25", analysis, options) == pytest.approx(0.5)


def test_conventions_bytes_leave_out_labels_below_zero():
    analysis = analyze(Batch.from_arrays(logits=np.zeros((1, 2, 2)), targets=[[0, -1]], lengths=[2]))
    assert value("C25", analysis, Options(bytes_per_token=(2, 1))) == pytest.approx(0.5)
    assert np.isnan(value("C03", analysis))


def test_conventions_classification_is_of_one_logit():
    batch = Batch.from_arrays(logits=[[[1.0], [-2.0]], [[3.0], [9.0]]], targets=[[1, 0], [1, 1]], lengths=[2, 1])
    by_hand = np.log1p(np.exp(-2.0)) + np.log1p(np.exp(-3.0))
    for settings in (Settings(), Settings(reduction="classification")):
        assert value("classification", analyze(batch, settings)) == pytest.approx(by_hand)
    assert np.isnan(value("classification", golden_analysis()))


def test_conventions_shift_inside_by_hand():
    """The logits of timestep 0 against the target of timestep 1, and nothing else."""
    batch = Batch.from_arrays(logits=[[[2.0, 0.0], [5.0, 7.0]]], targets=[[0, 1]], lengths=[2])
    for code in ("SH1", "SH2"):
        quotient = convention_coded(code).quotient(analyze(batch))
        assert quotient.numerator == pytest.approx(2 + np.log1p(np.exp(-2)))
        assert (quotient.divisor, quotient.counts) == (1.0, "timesteps that count, each sequence's first left out")


def test_conventions_shift_keeps_the_digits_of_large_logits():
    batch = Batch.from_arrays(logits=[[[1e4, 1e4 - 20.0], [0.0, 0.0]]], targets=[[0, 0]])
    assert value("SH1", analyze(batch)) == pytest.approx(np.exp(-20.0), rel=1e-6)


NAN = "C03 C06t C11 C12 C13 C14 C14n C16 C18 C18o C19 C21 C21b C22 C24 C25 LS1 LS2 LS2b LS3 LS4n LS5n LS6 SH1 SH2 Z1"


def test_conventions_zero_over_zero_is_nan_or_zero_as_in_the_source():
    """PyTorch divides 0 by 0; TensorFlow, Keras 3 and AllenNLP take care not to. C20p is exp(0)."""
    nothing = golden_analysis(lengths=[0, 0, 0])
    values = {row.code: row.value(nothing, OPTIONS) for row in OF_MANY_CLASSES}
    assert " ".join(code for code, number in values.items() if np.isnan(number)) == NAN
    others = {code: number for code, number in values.items() if code not in NAN.split()}
    assert others == dict.fromkeys(others, 0.0) | {"C02": pytest.approx(14.5), "C04": pytest.approx(14.5 / 15)} | {
        "C20p": 1.0
    }


def test_conventions_empty_sequences():
    """B counts an empty sequence in C07 and not in C07a; its perplexity is 0 ÷ 0."""
    analysis = golden_analysis(lengths=[5, 4, 0])
    means = [6.8 / 5, 2.4 / 4]
    assert value("C07", analysis) == pytest.approx(sum(means) / 3)
    assert value("C07g", analysis) == pytest.approx(sum(means) / 3)
    assert value("C07a", analysis) == pytest.approx(sum(means) / 2)
    assert np.isnan(value("C13", analysis))
    each = Options(accumulation_steps=3)
    assert np.isnan([value(code, analysis, each) for code in ("C18o", "C19", "C21", "C21b")]).all()


def test_conventions_more_micro_batches_than_sequences():
    many = Options(accumulation_steps=5)
    assert np.isnan(value("C18o", golden_analysis(), many))
    assert value("C19", golden_analysis(), many) == pytest.approx(4.6 / 2)


def test_conventions_keras_mask_is_of_the_lengths_where_there_are_weights_too():
    analysis = golden_analysis(weights=np.where(np.arange(15).reshape(3, 5) == 0, 0.0, 1.0))
    assert convention_coded("C05k").divisor(analysis) == 11.0  # the weight of 0 inside the mask is counted
    assert value("C05k", analysis) == pytest.approx(13.1 / 11)
    ends = golden_analysis(lengths=None, weights=[[0, 1, 0, 1, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    assert convention_coded("C05k").divisor(ends) == 5.0  # up to the last weight that is not 0: 4, 1 and 0
    chosen = analyze(analysis.batch, Settings(mask="none"))
    assert convention_coded("C05k").divisor(chosen) == 15.0


def test_conventions_sequence_loss_follows_its_flags():
    sums = Options(flags=(False, False, True, True))
    assert value("sequence_loss", weighted_analysis(), sums) == pytest.approx(11.35 / 11)
    per_sequence = convention_coded("sequence_loss").quotient(golden_analysis(), Options(flags=(True,) + 3 * (False,)))
    assert np.isnan([per_sequence.value, per_sequence.numerator, per_sequence.divisor]).all()
    assert per_sequence.counts == "timesteps that count of each sequence"


def test_conventions_joeynmt_without_a_pad_id_takes_zero():
    assert value("LS5", golden_analysis(), OPTIONS) == value(
        "LS5", analyze(golden_analysis().batch.replace(pad_id=None)), OPTIONS
    )


def test_conventions_smoothing_of_zero_is_none():
    analysis, none = golden_analysis(), Options(smoothing=0.0)
    for code, plain in {"LS1": "C03", "LS2": "C03", "LS2b": "C11", "LS3": "C03", "LS3s": "C01", "LS4": "C06"}.items():
        assert value(code, analysis, none) == pytest.approx(value(plain, analysis))


@pytest.mark.parametrize("fractional", [False, True], ids=["mask", "weights"])
@pytest.mark.parametrize("seed", range(4))
def test_conventions_agree_with_the_oracle(seed, fractional):
    given, analysis, options = random_analysis(seed, fractional=fractional)
    ours = {row.code: row.value(analysis, options) for row in CONVENTIONS if row.code in ORACLE}
    theirs = {code: ORACLE[code](given) for code in ours}
    assert ours == pytest.approx(theirs, rel=1e-9, nan_ok=True)


def test_conventions_agree_with_the_oracle_where_logits_are_float32():
    given, analysis, options = random_analysis(1)
    narrow = analyze(analysis.batch.replace(logits=given.logits.astype(np.float32)))
    ours = {row.code: row.value(narrow, options) for row in CONVENTIONS if row.code in ORACLE}
    assert ours == pytest.approx({code: ORACLE[code](given) for code in ours}, rel=1e-6, nan_ok=True)


def test_conventions_every_number_of_the_oracle_has_a_row():
    codes = {row.code for row in CONVENTIONS}
    assert set(ORACLE) - codes == {"mean", "at+ab", "st+sb"}  # sequence_loss under its flags
    assert codes - set(ORACLE) == {"SH2", "sequence_loss"}


@every
def test_conventions_contract(convention):
    assert 0 < len(convention.name) <= 60
    assert convention.formula
    assert not set("|`$") & set(
        convention.formula + convention.name + convention.note.replace("`", "")
    )  # a cell of docs
    assert convention.unit in UNITS
    assert convention.group in DIVISORS
    assert convention.laws <= set(LAWS)
    assert set(convention.needs) <= set(Options.names())
    assert convention.reduction in {None, *(reduction.name for reduction in REDUCTIONS)}
    assert convention.mask in {None, *MASKS}
    assert convention.users
    assert all(isinstance(user, User) and user.library and user.what and user.source for user in convention.users)


@each([row for row in CONVENTIONS if row.needs])
def test_conventions_say_what_they_need(convention):
    with pytest.raises(SettingsError) as caught:
        convention.value(golden_analysis())
    assert str(caught.value) == f"{convention.code} ({convention.name}) needs `{convention.needs[0]}`; got None."


@each(OF_MANY_CLASSES)
def test_conventions_are_numerator_over_divisor_in_their_unit(convention):
    """A perplexity of a mean is its exponential; every other number is the quotient itself."""
    _, analysis, options = random_analysis(2, fractional=True)
    quotient = convention.quotient(analysis, options)
    assert quotient.counts
    number = quotient.numerator / quotient.divisor
    exponential = convention.unit == "perplexity" and convention.code != "C13"
    assert quotient.value == pytest.approx(np.exp(number) if exponential else number)


@each([row for row in OF_MANY_CLASSES if row.reduction])
def test_conventions_reduction_divides_likewise(convention):
    """Chosen as the reduction of the app, it gives the number itself, or what the unit is made of."""
    _, analysis, options = random_analysis(3)
    settings = Settings(
        mask=convention.mask,
        reduction=convention.reduction,
        accumulation_steps=options.accumulation_steps,
        max_length=options.max_length,
    )
    number = analysis.with_settings(settings).value
    printed = {"nats": number, "bits": number / np.log(2), "perplexity": np.exp(number)}[convention.unit]
    assert convention.value(analysis, options) == pytest.approx(printed)


def test_conventions_codes_are_one_each_and_sorted_naturally():
    codes = [row.code for row in CONVENTIONS]
    assert len(set(codes)) == len(codes)
    assert codes[:10] == ["C01", "C02", "C03", "C03e", "C03n", "C03z", "C04", "C05", "C05k", "C05p"]
    assert codes[-6:] == ["Z1", "Z1s", "classification", "encoder_decoder", "language_model", "sequence_loss"]
    assert len({row.name for row in CONVENTIONS}) == len(codes)


def test_conventions_name_each_library_one_way():
    """The page filters by library, so "Keras" beside "Keras 3" would hide half of its rows."""
    libraries = {user.library for row in CONVENTIONS for user in row.users}
    alike = {re.sub(r"[^a-z0-9]", "", library.lower()) for library in libraries}
    assert len(alike) == len(libraries)


def test_convention_coded_refuses_an_unknown_code():
    with pytest.raises(InputError) as caught:
        convention_coded("language_modell")
    assert str(caught.value) == "There is no convention `language_modell`. Did you mean `language_model`?"
    with pytest.raises(InputError) as caught:
        convention_coded("?")
    assert str(caught.value) == "There is no convention `?`."

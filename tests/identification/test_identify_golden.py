"""Every value of the two catalogues' golden columns, printed with four decimals, is answered by its code."""

import numpy as np
import pytest

from lossviz import Settings, analyze
from lossviz.identification import identify
from lossviz.reductions import Options
from tests.golden import FRACTIONAL, golden_batch

CLASS_WEIGHTS = (1.0, 0.5, 2.0, 1.5, 1.0, 0.25)

CONVENTIONS = [
    ("13.8000", "C01"),
    ("14.5000", "C02"),
    *[("1.2545", code) for code in ("C03", "C03e", "C03n", "C03z", "C05k", "C06t", "C07t", "C14n", "C18")],
    ("0.9667", "C04"),
    ("0.9200", "C05"),
    ("0.9200", "C17"),
    *[("4.6000", code) for code in ("C06", "C17l", "C20")],
    *[("1.4200", code) for code in ("C07", "C07a", "C07g")],
    ("2.7600", "C08"),
    ("3.4500", "C08"),
    ("1.1300", "C09"),
    ("5.6500", "C10"),
    ("1.8099", "C11"),
    ("6.6364", "C11s"),
    ("3.5062", "C12"),
    ("5.2308", "C13"),
    ("0.9857", "C14"),
    ("1.7250", "C15"),
    ("0.2509", "C16"),
    ("3.3455", "C22"),  # 1.2545… · (11/3 − 1)
]

BUGS = [
    ("0.9667", "PAD01"),
    ("0.9200", "PAD02"),
    ("1.3182", "PAD03"),
    ("1.2900", "PAD04"),
    ("1.5750", "PAD05"),
    ("0.1750", "PAD06"),
    ("0.8727", "PAD07"),
    ("1.5750", "PAD08"),
    ("1.0846", "PAD08"),
    ("0.8667", "PAD17"),
    ("1.4200", "RED05"),
    ("0.2509", "RED06"),
    ("2.7600", "RED06"),
    ("3.4500", "RED06"),
    ("0.7089", "RED07"),
    ("0.9667", "RED07"),
    ("1.8099", "RED13"),
    ("2.3859", "RED13"),
    ("6.1100", "RED13"),
    ("0.9857", "RED04"),
    ("1.7250", "RED16"),
    ("2.0832", "SHF08"),
    ("1.1818", "SHF08"),
    ("2.5747", "SHF10"),
    ("1.5300", "MOD01"),
    ("1.7918", "MOD02"),
    ("0.9667", "MOD08"),
]

SAID = [
    ("1.2633", "RED01", {"accumulation_steps": 2}),
    ("1.4200", "RED01", {"accumulation_steps": 3}),
    ("2.5267", "RED02", {"accumulation_steps": 2}),
    ("4.2600", "RED02", {"accumulation_steps": 3}),
    ("2.5091", "RED02", {"accumulation_steps": 2}),
    ("1.1667", "RED17", {"accumulation_steps": 2}),
    ("1.1667", "C19", {"accumulation_steps": 2}),
    ("1.2633", "C18", {"accumulation_steps": 2}),
    ("1.0292", "RED03", {"world_size": 2}),
    ("0.6273", "RED03", {"world_size": 2}),  # 1.2545… ÷ 2
    ("1.3517", "LS1", {"smoothing": 0.1}),
    ("1.3712", "LS2", {"smoothing": 0.1}),
    ("1.9782", "LS2b", {"smoothing": 0.1}),
    ("0.8851", "LS3", {"smoothing": 0.1}),
    ("3.2455", "LS4", {"smoothing": 0.1}),
    ("0.8851", "LS4", {"smoothing": 0.1}),
    ("9.2278", "LS5", {"smoothing": 0.1}),
    ("1.4582", "RED10", {"smoothing": 0.1}),
    ("1.3517", "RED11", {"smoothing": 0.1}),
    ("1.3712", "RED11", {"smoothing": 0.1}),
    ("9.2278", "RED11", {"smoothing": 0.1}),
]

WEIGHTED = [
    ("1.0810", "C05w"),
    ("1.0810", "C23w"),
    ("1.0318", "C03z"),
    ("1.0318", "C23"),
    ("0.7567", "C05"),
    ("1.0810", "RED08"),
    ("1.0318", "RED08"),
    ("0.7567", "RED08"),
    ("0.9786", "RED15"),
]


@pytest.fixture(scope="module")
def golden():
    return analyze(golden_batch(pad_id=0, eos_id=1))


@pytest.fixture(scope="module")
def weighted():
    return analyze(golden_batch(lengths=None, weights=FRACTIONAL))


def found(matches, code):
    """The match that answers with a code, by any of its names."""
    named = [match for match in matches if code in (match.code, *match.codes, *match.aliases)]
    assert named, f"{code} is not among {[match.code for match in matches]}"
    return named[0]


@pytest.mark.parametrize(("printed", "code"), CONVENTIONS + BUGS)
def test_identify_golden_number_is_answered_by_its_code(golden, printed, code):
    match = found(identify(golden, printed), code)
    assert match.rank <= 5
    assert abs(match.value - float(printed)) <= 0.5e-4 + 1e-5 * float(printed)
    assert not match.accidental


@pytest.mark.parametrize(("printed", "code", "said"), SAID)
def test_identify_golden_number_of_a_declared_loop(golden, printed, code, said):
    match = found(identify(golden, printed, **said), code)
    assert match.rank <= 5
    assert abs(match.value - float(printed)) <= 0.5e-4 + 1e-5 * float(printed)


@pytest.mark.parametrize(("printed", "code"), WEIGHTED)
def test_identify_golden_number_of_fractional_weights(weighted, printed, code):
    assert found(identify(weighted, printed), code).rank <= 5


@pytest.mark.parametrize("kind", ["C24", "RED09"])
def test_identify_class_weights_are_in_the_divisor_or_not(golden, kind):
    """Σ c·loss over Σ c, or over the 11 timesteps that count."""
    loss, mask, targets = golden.batch_loss, golden.mask, golden.batch.targets
    each = np.array(CLASS_WEIGHTS)[targets] * mask
    value = (each * loss).sum() / (each.sum() if kind == "C24" else 11)
    [match, *_] = identify(golden, f"{value:.4f}", class_weights=CLASS_WEIGHTS)
    assert kind in (match.code, *match.aliases)
    np.testing.assert_allclose((match.coefficients * loss).sum(), value, rtol=1e-12)


def test_identify_options_that_have_no_argument_of_their_own(golden):
    """13.8 ÷ (3 · 8), and the uneven micro-batches [0, 1] and [2]: (9.2/9 + 4.6/2) / 2."""
    assert identify(golden, "0.5750", options=Options(max_length=8))[0].code == "C17"
    said = golden.with_settings(Settings(max_length=8))
    assert identify(said, "0.5750")[0].code == "C17"
    groups = identify(golden, "1.6611", options=Options(groups=((0, 1), (2,))))
    assert found(groups, "RED01").rank == 1
    assert found(groups, "C18o").rank == 1


def test_identify_undeclared_splits_are_even_ones():
    """Two sequences twice: the means of (0, 1) and (2, 3), of which nobody said that there are two."""
    batch = golden_batch(
        logits=np.concatenate([golden_batch().logits, golden_batch().logits[:1] * 1.1]),
        targets=np.concatenate([golden_batch().targets, golden_batch().targets[:1]]),
        lengths=[5, 4, 2, 3],
    )
    analysis = analyze(batch)
    sums, counts = analysis.unpadded_loss.sum(1), np.array([5, 4, 2, 3])
    mean = (sums[:2].sum() / counts[:2].sum() + sums[2:].sum() / counts[2:].sum()) / 2
    match = found(identify(analysis, f"{mean:.5f}"), "RED01")
    assert match.title == "Mean of the means of 2 micro-batches"
    assert not match.accidental

"""The rules that judge by the printed number: one of them speaks, and none of a number that is right."""

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze, diagnose
from lossviz.rules import RULES
from lossviz.rules._core.speakers import SPEAKING
from lossviz.samples import SAMPLES, load_sample
from tests.golden import FRACTIONAL
from tests.printed.given import Given
from tests.printed.printed_oracle import BUGS
from tests.rules.asking import sample
from tests.rules.clean import CLEAN
from tests.rules.inject_printed import SAME, written
from tests.rules.mutations import clean_batch
from tests.rules.pad_cases import PASSED, cells_of, finding_of, golden_with, outcome_of

PRINTED = tuple(rule.code for rule in RULES if rule.check.__qualname__.startswith("printed_rule."))
JUDGING = ("PAD01", *PRINTED)


def said(batch, settings=None):
    """What the rules of the printed number find; none of them crashes."""
    diagnosis = diagnose(analyze(batch, settings), select=JUDGING)
    assert [outcome for outcome in diagnosis.outcomes if outcome.state == "crashed"] == []
    return [finding.code for finding in diagnosis.findings]


def test_printed_rules_are_those_of_the_catalogue_that_only_a_number_shows():
    assert set(PRINTED) == {"MOD02", "MOD08", "MOD09", "MOD10", "NUM08", "PAD02", "PAD03"} | {
        f"RED{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 15, 16, 17)
    }


@pytest.mark.parametrize("kind", CLEAN)
def test_printed_rules_are_silent_of_the_right_number_whatever_its_digits(kind):
    batch = clean_batch(kind, 0)
    for digits in (2, 4, 6):
        assert said(batch.replace(reported=written(analyze(batch).value, digits))) == [], digits


@pytest.mark.parametrize("code", PRINTED)
def test_printed_rules_need_a_number(code):
    assert outcome_of(code, golden_with()) == ("skipped", "Needs `reported`, which this batch does not have.")


def test_pad01_without_a_number_has_nothing_to_say_of_a_masked_batch():
    assert outcome_of("PAD01", golden_with()) == PASSED


@pytest.mark.parametrize("reported", ["nan", "inf", "-inf"])
def test_printed_rules_cannot_tell_from_a_number_that_is_not_finite(reported):
    assert outcome_of("PAD02", golden_with(reported=reported)) == (
        "skipped",
        f"The printed number is {reported}, which can't tell one formula from another.",
    )


def test_printed_rules_cannot_compare_with_a_mean_that_is_not_finite():
    assert outcome_of("PAD02", golden_with(reported="1.25", weights=np.zeros((3, 5)))) == (
        "skipped",
        "The mean over the timesteps that count is not finite, so there is nothing to compare the number with.",
    )


@pytest.mark.parametrize("reported", ["1.2545", "1.25", "1.254545454", "1.2312", "13.8000", "3.5062", "4.6000"])
def test_printed_rules_are_silent_of_the_mean_of_unknown_numbers_and_of_sums(reported):
    """S/N, a number of no formula, S, the perplexity, S/B."""
    assert said(golden_with(reported=reported)) == []


def test_pad01_names_the_unmasked_mean_where_there_is_a_mask():
    batch = golden_with(reported="0.9667")
    finding = finding_of("PAD01", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "Possible: the training loop that printed 0.9667 counts all 15 positions, 4 of them padding; "
        "the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 4), (2, 2), (2, 3), (2, 4))
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.fix["PyTorch"].startswith(
        "weights = (torch.arange(targets.shape[1], device=lengths.device) < lengths[:, None]).float()\n"
    )


def test_pad01_names_the_perplexity_of_the_unmasked_mean():
    assert said(golden_with(reported=f"{np.exp(14.5 / 15):.4f}")) == ["PAD01"]


def test_printed_rules_report_two_mistakes_at_once_by_the_first():
    batch = golden_with(reported=f"{14.5 / 5:.5f}")  # padding counts, and the width is the divisor
    assert said(batch) == ["PAD01"]
    finding = finding_of("PAD01", batch)
    assert (finding.severity, finding.loss_if_fixed) == ("error", pytest.approx(13.8 / 11))
    assert finding.message == (
        "Possible: the training loop that printed 2.90000 counts all 15 positions, 4 of them padding, and divides by "
        "the 5 timesteps of the padded width; the mean over the timesteps that count is 1.2545."
    )
    assert outcome_of("PAD01", batch.replace(reported="2.90")) == (
        "skipped",
        "2.90 has too few digits to tell the formulas apart. Print more of them.",
    )


def test_printed_rules_say_the_number_after_the_fix_in_the_printed_unit():
    finding = finding_of("PAD01", golden_with(reported=f"{np.exp(14.5 / 15):.5f}"))
    assert finding.loss_if_fixed == pytest.approx(np.exp(13.8 / 11))
    assert finding.message.endswith("the mean over the timesteps that count is 1.2545, a perplexity of 3.5062.")
    in_bits = finding_of("PAD01", golden_with(reported=f"{14.5 / 15 / np.log(2):.5f}"))
    assert in_bits.loss_if_fixed == pytest.approx(13.8 / 11 / np.log(2))
    assert in_bits.message.endswith("the mean over the timesteps that count is 1.2545, in bits 1.8099.")


def test_printed_rules_that_ask_the_number_may_report_two_mistakes():
    asking = {rule.code for rule in RULES if rule.checks_reported} | {"PAD01", *PRINTED}
    assert set(SPEAKING) == asking


BY_ID = "weights = (targets != 0).astype(jnp.float32)"


@pytest.mark.parametrize(
    ("mask", "tensorflow", "pytorch", "jax"),
    [
        ({"lengths": None}, "weights = tf.cast(targets != 0, tf.float32)", "weights = (targets != 0).float()", BY_ID),
        (
            {"weights": FRACTIONAL},
            (
                "loss = tf.reduce_sum(tf.where(weights != 0, losses * weights, 0.0)) "
                "/ tf.reduce_sum(weights)  # one division"
            ),
            "loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()  # one division",
            "loss = jnp.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()  # one division",
        ),
        (
            {"lengths": None, "ignore_id": 0, "pad_id": None},
            "weights = tf.cast(targets != 0, tf.float32)",
            "weights = (targets != 0).float()",
            BY_ID,
        ),
    ],
)
def test_fixes_start_with_the_mask_that_the_batch_has(mask, tensorflow, pytorch, jax):
    batch = golden_with(**mask)
    number = analyze(batch).unpadded_loss.sum() / 5
    fix = finding_of("RED06", batch.replace(reported=f"{number:.5f}")).fix
    assert fix["TensorFlow"].splitlines()[0] == tensorflow
    assert fix["PyTorch"].splitlines()[0] == pytorch
    assert fix["JAX"].splitlines()[0] == jax


def test_printed_rules_let_the_number_be_that_of_the_reduction_in_use():
    batch = golden_with(reported="0.9200")
    assert said(batch) == ["PAD02"]
    assert said(batch, Settings(reduction="positions")) == []


def test_printed_rules_let_a_half_precision_number_be():
    half = golden_with().replace(logits=golden_with().logits.astype(np.float16))
    assert said(half.replace(reported="1.2500")) == []


KEYS = [key for key in BUGS if key.startswith(("PAD", "RED", "MOD", "NUM"))]


@pytest.mark.parametrize("weights", [None, FRACTIONAL], ids=["lengths", "weights"])
@pytest.mark.parametrize("key", KEYS)
def test_one_rule_at_most_speaks_of_the_number_of_a_bug(key, weights):
    batch = golden_with(weights=weights)
    given = Given(
        batch.logits,
        batch.targets,
        lengths=batch.lengths,
        weights=weights,
        smoothing=0.1,
        class_weights=np.ones(6),
        groups=((0,), (1, 2)),
    )
    found = said(batch.replace(reported=written(float(BUGS[key](given)))))
    assert len(found) <= 1
    twins = {key[:5], *SAME.get(key[:5], ())} | {code for code, keys in SAME.items() if key in keys}
    assert set(found) <= twins | {"RED02", "RED03"} | COINCIDENCES.get((key, weights is None), set())


COINCIDENCES = {("RED01", True): {"MOD10"}, ("RED12", True): {"MOD10"}}
"""Both print 1.26333, and the golden batch's logits ÷ 0.6 have a mean of 1.263338: the same in float32."""


@pytest.mark.parametrize("name", [each.name for each in SAMPLES])
def test_printed_rules_never_crash_whatever_the_content(name):
    batch = Batch.from_arrays(**load_sample(name))
    for reported in ("1.2345", "0", "nan", "-3.5", "1e300"):
        said(batch.replace(reported=reported))


@pytest.mark.parametrize("root", ["PAD05", "PAD08", "PAD16"])
def test_printed_rules_are_silent_where_the_mask_itself_is_wrong(root):
    batch = sample(root)
    number = analyze(batch).batch_loss.mean()
    diagnosis = diagnose(batch.replace(reported=f"{number:.6f}"))
    assert [finding.code for finding in diagnosis.findings if finding.severity != "info"] == [root]
    assert diagnosis.outcome("PAD01").reason == f"{root} was found and explains the same timesteps."

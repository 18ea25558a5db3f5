"""`diagnose`: four outcomes, roots before what follows from them, and rules that can't disturb each other."""

import math
import pickle

import numpy as np
import pytest

from lossviz import Batch, analyze, diagnose
from lossviz.errors import InputError
from lossviz.rules import RULES, Finding, Found, Rule
from lossviz.rules._core.diagnosis import Raised
from lossviz.rules._core.examine import examine
from lossviz.rules._core.phases import PHASES, earlier, in_order
from lossviz.rules._core.rule import CannotTell
from lossviz.samples import load_sample
from lossviz.settings import MASKS, Settings


def batch_of(**more):
    logits = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("f4")
    return Batch.from_arrays(**{"logits": logits, "targets": [[1, 2, 3], [1, 2, 0]], "lengths": [3, 2]} | more)


def rule(code="AAA01", found=None, *, severity="error", needs=(), requires=(), check=None, phase=""):
    return Rule(
        code, code.lower(), severity, f"{code} is wrong.\n", check or (lambda _: found), needs, requires, phase=phase
    )


def found(**more):
    return Found(**{"message": "It is so.", "cells": np.ones((2, 3), bool)} | more)


def states(diagnosis):
    return [(outcome.code, outcome.state, outcome.reason) for outcome in diagnosis.outcomes]


def test_examine_gives_every_rule_one_of_four_outcomes():
    def unable(case):
        raise CannotTell("There is one class.")

    def broken(case):
        raise ZeroDivisionError("no divisor")

    rules = [
        rule("AAA01", found()),
        rule("AAA02"),
        rule("AAA03", check=unable),
        rule("AAA04", found(), needs=("inputs", "pad_id")),
        rule("AAA05", check=broken),
        rule("AAA06", found()),
    ]
    diagnosis = examine(analyze(batch_of()), rules)
    [*before, crashed, last] = states(diagnosis)
    assert before == [
        ("AAA01", "found", ""),
        ("AAA02", "passed", ""),
        ("AAA03", "skipped", "There is one class."),
        ("AAA04", "skipped", "Needs `inputs` and `pad_id`, which this batch does not have."),
    ]
    assert crashed[:2] == ("AAA05", "crashed")
    assert crashed[2].startswith("Traceback (most recent call last):\n")
    assert crashed[2].endswith("ZeroDivisionError: no divisor\n")
    assert last == ("AAA06", "found", "")
    assert [outcome.exception for outcome in diagnosis.outcomes] == [
        *[None] * 4,
        Raised("ZeroDivisionError", "no divisor"),
        None,
    ]
    assert repr(diagnosis) == "Diagnosis(2 errors in 6 rules, 2 skipped, 1 crashed: AAA01, AAA06)"


def test_examine_says_nothing_of_what_follows_from_a_root():
    rules = [rule("AAA01", found(), requires=("AAA02",)), rule("AAA02", found()), rule("AAA03", requires=("AAA01",))]
    diagnosis = examine(analyze(batch_of()), rules)
    assert states(diagnosis) == [
        ("AAA01", "skipped", "AAA02 was found and explains the same timesteps."),
        ("AAA02", "found", ""),
        ("AAA03", "passed", ""),
    ]


def test_examine_takes_no_info_for_a_root():
    rules = [rule("AAA01", found(severity="info")), rule("AAA02", found(), requires=("AAA01",))]
    assert [finding.code for finding in examine(analyze(batch_of()), rules).findings] == ["AAA02", "AAA01"]


def test_in_order_runs_roots_first_and_refuses_a_circle():
    rules = [rule("A", requires=("B",)), rule("B", requires=("C",)), rule("C")]
    assert [each.code for each in in_order(rules)] == ["C", "B", "A"]
    with pytest.raises(RuntimeError, match=r"^the rules A, B require each other$"):
        in_order([rule("A", requires=("B",)), rule("B", requires=("A",)), rule("C")])


def test_examine_says_nothing_after_a_finding_of_an_earlier_phase():
    """Over several steps, but not within a phase, nor beside one, nor where only an info was found."""
    rules = [
        rule("AAA01", found(), phase="side"),
        rule("AAA02", found(), phase="weights"),
        rule("AAA03", found(), phase="weights"),
        rule("AAA04", found(), phase="targets"),
        rule("AAA05", found()),
        rule("AAA06", found(severity="info"), phase="attention"),
        rule("AAA07", found(), phase="numbers"),
    ]
    diagnosis = examine(analyze(batch_of()), rules)
    assert [state for _, state, _ in states(diagnosis)] == ["skipped", *["found"] * 6]
    assert diagnosis.outcome("AAA01").reason == "AAA02 was found and explains the same timesteps."


def test_phases_follow_phases_that_exist_and_every_one_is_used():
    assert {before for phases in PHASES.values() for before in phases} <= set(PHASES)
    assert {each.phase for each in RULES} == {"", *PHASES}
    assert earlier("shape") == set(PHASES) - {"shape", "layout", "sequences", "stops", "attention", "numbers"}


@pytest.mark.parametrize(
    "array",
    [
        lambda case: case.batch.logits,
        lambda case: case.batch.targets,
        lambda case: case.loss,
        lambda case: case.mask,
        lambda case: case.analysis.mask,
        lambda case: case.analysis.weights,
        lambda case: case.is_pad,
        lambda case: case.within_length,
        lambda case: case.nothing,
        lambda case: case.analysis.logsumexp,
        lambda case: case.analysis.top_classes,
    ],
)
def test_examine_catches_a_rule_that_writes_to_what_others_see(array):
    def scribble(case):
        array(case)[...] = 0

    analysis = analyze(batch_of(pad_id=0))
    before = pickle.dumps([analysis.batch.logits, analysis.batch_loss, analysis.mask])
    diagnosis = examine(analysis, [rule("AAA01", check=scribble), rule("AAA02", found())])
    assert [outcome.state for outcome in diagnosis.outcomes] == ["crashed", "found"]
    assert "read-only" in diagnosis.outcomes[0].reason
    assert pickle.dumps([analysis.batch.logits, analysis.batch_loss, analysis.mask]) == before


def test_diagnose_leaves_the_arrays_it_was_given_writable():
    logits = np.zeros((1, 2, 3))
    diagnose(Batch.from_arrays(logits=logits, targets=[[1, 2]]))
    logits[0, 0, 0] = 1
    assert logits.flags.writeable


@pytest.mark.parametrize("cells", [np.ones((3, 2), bool), np.ones((2, 3)), np.ones((2, 3, 4), bool)])
def test_examine_refuses_cells_of_another_shape(cells):
    diagnosis = examine(analyze(batch_of()), [rule(found=found(cells=cells))])
    assert diagnosis.findings == ()
    assert f"cells must be (2, 3) bool; got {cells.shape} {cells.dtype}\n" in diagnosis.outcomes[0].reason


def test_examine_keeps_what_was_found_where_its_repair_crashes():
    diagnosis = examine(analyze(batch_of()), [rule(found=found(repaired=lambda: 1 / 0))])
    [finding] = diagnosis.findings
    assert (finding.message, finding.repaired, finding.loss_if_fixed) == ("It is so.", None, None)
    assert diagnosis.outcomes[0].state == "crashed"
    assert "ZeroDivisionError" in diagnosis.outcomes[0].reason


def test_finding_has_the_number_after_the_repair_and_the_given_logits():
    batch = batch_of()
    repaired = batch.replace(lengths=[1, 1])
    [finding] = examine(
        analyze(batch), [rule(check=lambda case: found(repaired=lambda: case.batch.replace(lengths=[1, 1])))]
    ).findings
    after, now = analyze(repaired).value, analyze(batch).value
    assert finding.loss_if_fixed == pytest.approx(float(after), rel=1e-12)
    assert finding.effect == pytest.approx(abs(after - now), rel=1e-12)
    assert finding.repaired.logits is batch.logits


def test_finding_of_other_weights_is_computed_with_them_whatever_the_mask_in_use():
    analysis = analyze(batch_of(), Settings(mask="lengths"))
    weights = np.array([[1, 0, 0], [0, 1, 0.0]])
    [finding] = examine(
        analysis, [rule(check=lambda case: found(repaired=lambda: case.batch.replace(weights=weights)))]
    ).findings
    assert finding.loss_if_fixed == pytest.approx(analysis.batch_loss[[0, 1], [0, 1]].mean(), rel=1e-12)


def test_finding_takes_the_number_that_its_rule_says():
    [finding] = examine(analyze(batch_of()), [rule(found=found(loss_if_fixed=0.5))]).findings
    assert finding.loss_if_fixed == 0.5
    assert finding.repaired is None


def test_findings_are_sorted_by_severity_then_by_effect_then_by_code():
    logits = np.zeros((2, 3, 4))
    rules = [
        rule("AAA01", found(loss_if_fixed=1.4), severity="warning"),
        rule("AAA02", found()),
        rule("AAA03", found(loss_if_fixed=9.0)),
        rule("AAA04", found(loss_if_fixed=2.0)),
        rule("AAA05", found()),
        rule("AAA06", found(loss_if_fixed=8.0, severity="info")),
    ]
    diagnosis = examine(analyze(batch_of(logits=logits)), rules)
    assert [finding.code for finding in diagnosis.findings] == ["AAA03", "AAA04", "AAA02", "AAA05", "AAA01", "AAA06"]
    assert diagnosis.worst == "error"
    assert diagnosis.summary == "4 errors, 1 warning, 1 info in 6 rules"


def test_finding_whose_repair_makes_the_number_finite_has_an_infinite_effect():
    batch = batch_of(logits=np.full((2, 3, 4), np.nan))
    rules = [
        rule("AAA01", found(loss_if_fixed=1.0)),
        rule("AAA02", found(loss_if_fixed=math.nan)),
        rule("AAA03", found()),
    ]
    effects = [(finding.code, finding.effect) for finding in examine(analyze(batch), rules).findings]
    assert effects[0] == ("AAA01", math.inf)
    assert [code for code, effect in effects if math.isnan(effect)] == ["AAA02", "AAA03"]


def test_finding_has_no_effect_where_there_are_several_numbers():
    analysis = analyze(
        batch_of(), Settings(None, "sequence_loss", average_across_timesteps=True, average_across_batch=False)
    )
    assert not analysis.is_scalar
    [finding] = examine(analysis, [rule(found=found(loss_if_fixed=1.0))]).findings
    assert math.isnan(finding.effect)


def test_diagnosis_without_findings_says_so():
    diagnosis = diagnose(batch_of(), select="NUM01")
    assert (diagnosis.worst, diagnosis.summary, diagnosis.findings) == (None, "no findings in 1 rule", ())
    assert repr(diagnosis) == "Diagnosis(no findings in 1 rule)"
    assert diagnosis.finding("NUM01") is None
    assert diagnosis.outcome("NUM01").state == "passed"
    assert diagnosis.outcome("PAD06") is None


def test_diagnosis_finds_by_code():
    diagnosis = diagnose(batch_of(weights=np.zeros((2, 3))))
    assert isinstance(diagnosis.finding("PAD11"), Finding)
    assert diagnosis.finding("PAD11") is diagnosis.findings[0]


def test_diagnosis_shows_itself_in_a_notebook_with_every_token_escaped():
    hurt = found(message="The end “<b>” is missing.", loss_if_fixed=1.5)
    html = examine(analyze(batch_of()), [rule(found=hurt)])._repr_html_()
    assert "<p><b>Diagnosis(1 error in 1 rule: AAA01)</b></p><table>" in html
    assert "<td>AAA01</td><td>error</td><td>The end “&lt;b&gt;” is missing.</td><td>6</td><td>1.5000</td>" in html
    assert "<table>" not in examine(analyze(batch_of()), [rule()])._repr_html_()


def test_diagnose_takes_a_batch_or_its_analysis():
    batch = batch_of(weights=np.zeros((2, 3)))
    analysis = analyze(batch, Settings(mask="lengths"))
    assert diagnose(batch, select="PAD11").findings
    assert not diagnose(analysis, select="PAD11").findings
    assert diagnose(analysis).analysis is analysis


def test_diagnose_runs_the_catalogue_in_its_order():
    assert [outcome.code for outcome in diagnose(batch_of()).outcomes] == [each.code for each in RULES]


@pytest.mark.parametrize(
    ("select", "ignore", "codes"),
    [
        ("NUM01", None, ["NUM01"]),
        ("num-01 NUM02", None, ["NUM01", "NUM02"]),
        (["NUM"], "NUM0", []),
        ("PAD05,NUM", ["NUM02", "NUM03", "NUM04", "NUM05", "NUM06", "NUM07", "NUM08", "NUM09"], ["NUM01", "PAD05"]),
    ],
)
def test_diagnose_runs_what_is_selected_and_not_what_is_ignored(select, ignore, codes):
    diagnosis = diagnose(batch_of(), select=select, ignore=ignore)
    assert [outcome.code for outcome in diagnosis.outcomes] == codes


@pytest.mark.parametrize("argument", ["select", "ignore"])
def test_diagnose_refuses_a_code_that_no_rule_has(argument):
    options = ", ".join(each.code for each in RULES)
    with pytest.raises(InputError) as caught:
        diagnose(batch_of(), **{argument: "NUM01, PAD99"})
    assert str(caught.value) == f"`{argument}` names no rule: 'PAD99'. Did you mean `PAD09`? There are {options}."


@pytest.mark.parametrize("nothing", ["", [], " , "])
def test_diagnose_refuses_to_run_no_rule(nothing):
    with pytest.raises(InputError) as caught:
        diagnose(batch_of(), select=nothing)
    assert str(caught.value) == "`select` is empty, so no rule would run. Leave it out to run every rule."
    assert diagnose(batch_of(), ignore=nothing).outcomes


def test_diagnose_makes_no_second_pass_over_sound_logits(monkeypatch):
    """The rules that compare alternatives ask for single logits, not for every class again."""
    random = np.random.default_rng(0)
    targets = random.integers(1, 50, (4, 12))
    logits = random.normal(size=(4, 12, 50)) + 6 * np.eye(50)[targets]
    analysis = analyze(Batch.from_arrays(logits=logits, targets=targets, inputs=np.roll(targets, 1, axis=1), pad_id=0))

    def second_pass(*_):
        raise AssertionError("a second pass over the logits")

    monkeypatch.setattr("lossviz.analysis._derived.alternatives_of", second_pass)
    monkeypatch.setattr("lossviz.analysis._analysis.measure", second_pass)
    diagnosis = diagnose(analysis)
    assert [outcome.reason for outcome in diagnosis.outcomes if outcome.state == "crashed"] == []


def test_diagnose_survives_numpy_warnings_in_a_rule():
    def divide(case):
        np.zeros(1) / np.zeros(1)

    assert examine(analyze(batch_of()), [rule(check=divide)]).outcomes[0].state == "passed"


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (1, 1, 1), (1, 1, 2), (3, 1, 5), (1, 7, 3)])
@pytest.mark.parametrize("value", [0.0, math.nan, -math.inf, math.inf])
def test_diagnose_has_no_crash_on_batches_of_any_size(shape, value):
    targets = np.zeros(shape[:2], int)
    for more in ({}, {"pad_id": 0}, {"inputs": targets, "pad_id": 0, "eos_id": 0, "ignore_id": 0, "reported": "nan"}):
        for mask in ({}, {"lengths": np.full(shape[0], shape[1])}, {"weights": np.zeros(shape[:2])}):
            batch = Batch.from_arrays(logits=np.full(shape, value), targets=targets, **more, **mask)
            assert [each.reason for each in diagnose(batch).outcomes if each.state == "crashed"] == []


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4)])
def test_diagnose_says_nothing_of_a_batch_without_timesteps(shape):
    batch = Batch.from_arrays(logits=np.zeros(shape), targets=np.zeros(shape[:2], int))
    assert {(outcome.state, outcome.reason) for outcome in diagnose(batch).outcomes} == {
        ("skipped", "The batch has no timestep.")
    }


@pytest.mark.parametrize("mask", MASKS)
def test_diagnose_has_no_crash_whatever_mask_is_in_use(mask):
    fields = load_sample("golden") | {"ignore_id": -100, "weights": np.ones((3, 5))}
    diagnosis = diagnose(analyze(Batch.from_arrays(**fields), Settings(mask=mask)))
    assert [each.reason for each in diagnosis.outcomes if each.state == "crashed"] == []


def test_diagnose_is_silent_about_a_classifier_with_one_logit():
    random = np.random.default_rng(0)
    targets = np.repeat(random.integers(0, 2, (4, 1)), 6, axis=1)
    batch = Batch.from_arrays(logits=random.normal(size=(4, 6, 1)), targets=targets, lengths=[6, 3, 2, 5])
    diagnosis = diagnose(analyze(batch, Settings(reduction="classification")))
    assert diagnosis.findings == ()
    assert [each.reason for each in diagnosis.outcomes if each.state == "crashed"] == []


def test_diagnose_reads_one_logit_a_timestep_as_a_sigmoid():
    diagnosis = diagnose(Batch.from_arrays(**load_sample("reviews-trained")))
    assert diagnosis.analysis.settings.reduction == "classification"
    assert [finding for finding in diagnosis.findings if finding.severity != "info"] == []


def test_diagnose_cannot_tell_labels_of_one_class():
    batch = Batch.from_arrays(**load_sample("reviews-trained"))
    outcome = diagnose(analyze(batch, Settings(reduction="mean"))).outcome("PAD13")
    assert (outcome.state, outcome.reason) == (
        "skipped",
        "There is only one class; the reduction classification reads one logit per timestep as a sigmoid's.",
    )

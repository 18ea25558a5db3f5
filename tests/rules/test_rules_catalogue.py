"""Every rule keeps the contract: its names, its prose, its samples, and a bad batch that only it speaks of."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from lossviz import Batch, analyze, diagnose
from lossviz.errors import InputError
from lossviz.rules import HEADINGS, RULES, SEVERITIES, load_rule_sample, page, rule_samples
from lossviz.rules._core.phases import in_order
from lossviz.rules._reference import FAMILIES, reference
from lossviz.samples import sample_folder
from tests.rules.inject_printed import INJECTORS as PRINTED
from tests.rules.mutations import INJECTORS

ROOT = Path(__file__).parents[2]
FOLDER = sample_folder() / "rules"
CODES = [rule.code for rule in RULES]
OPTIONAL = (
    "logits",
    "lengths",
    "weights",
    "inputs",
    "vocabulary",
    "pad_id",
    "eos_id",
    "ignore_id",
    "segment_ids",
    "reported",
)
TOO_LARGE = {"NUM07"}
"""2³¹ logits do not fit into a sample; its test says how it is tried."""
SHOWN = [rule for rule in RULES if rule.code not in TOO_LARGE]

every_rule = pytest.mark.parametrize("rule", RULES, ids=CODES)
every_shown = pytest.mark.parametrize("rule", SHOWN, ids=[rule.code for rule in SHOWN])


def load(rule, kind):
    return Batch.from_arrays(**load_rule_sample(rule.code, kind))


def snake(rule):
    return f"{rule.code.lower()}_{rule.name.replace('-', '_')}"


def test_rules_are_sorted_and_have_codes_and_names_of_their_own():
    assert sorted(set(CODES)) == CODES
    assert all(re.fullmatch(r"[A-Z]{3}\d\d", code) and code[:3] in FAMILIES for code in CODES)
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)


def test_rules_have_a_file_and_a_test_of_their_name():
    files = {path.stem for path in (ROOT / "lossviz" / "rules").glob("*/[a-z][a-z][a-z][0-9][0-9]_*.py")}
    assert files == {module_of(rule) for rule in RULES}
    tests = {path.stem for path in (ROOT / "tests" / "rules").glob("*/test_*.py")}
    assert {f"test_{module_of(rule)}" for rule in RULES} - tests == set()


def test_rule_is_in_the_folder_of_its_family_which_the_reference_names():
    folders = {(rule.code[:3], rule.check.__module__.split(".")[2]) for rule in RULES}
    assert sorted(folders) == [
        ("MOD", "model"),
        ("NUM", "numeric"),
        ("PAD", "padding"),
        ("RED", "reduction"),
        ("SHF", "shift"),
    ]


@pytest.mark.parametrize(
    ("code", "elsewhere"),
    [
        ("PAD18", set()),
        ("SHF04", set()),
        ("RED16", {"conventions/_sums.py", "fixes/_by_bug.py"}),  # its formula's row, and the lines that mend it
    ],
)
def test_adding_a_rule_touches_the_files_that_contributing_names(code, elsewhere):
    package = ROOT / "lossviz"
    named = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(rf"\b{code}\b", path.read_text(encoding="utf-8"))
    }
    [rule] = [rule for rule in RULES if rule.code == code]
    own = rule.check.__module__.removeprefix("lossviz.").replace(".", "/") + ".py"
    assert named == {own, "rules/_catalogue.py", *elsewhere}


def module_of(rule):
    return rule.check.__module__.rpartition(".")[2]


@every_rule
def test_rule_is_named_as_its_file(rule):
    assert module_of(rule).startswith(rule.code.lower() + "_")
    assert module_of(rule).replace("_", "") == snake(rule).replace("_", "")
    assert rule.severity in SEVERITIES


@every_rule
def test_rule_explains_itself_under_the_fixed_headings(rule):
    first, *rest = rule.doc.strip().split("\n")
    assert re.fullmatch(r"[A-Z].{5,110}\.", first)
    assert rest[0] == ""
    assert tuple(rule.sections) == HEADINGS
    assert all(len(text) > 10 for text in rule.sections.values())
    assert all(
        text.rstrip("`").endswith((".", ":", ";", "?"))
        for heading, text in rule.sections.items()
        if heading != "Threads"
    )
    assert re.search(r"[\w.-]+(#| PR#)\d+|source|[Nn]o thread", rule.sections["Threads"])


@every_rule
def test_rule_needs_what_a_batch_may_have_and_requires_rules_that_exist(rule):
    assert set(rule.needs) <= set(OPTIONAL)
    assert set(rule.requires) <= set(CODES) - {rule.code}


def test_rules_do_not_require_each_other_in_a_circle():
    assert sorted(rule.code for rule in in_order(RULES)) == CODES


@every_shown
def test_bad_sample_fires_its_own_rule_and_no_other(rule):
    diagnosis = diagnose(load(rule, "bad"))
    finding = diagnosis.finding(rule.code)
    assert finding is not None
    assert finding.severity == rule.severity
    loud = [each.code for each in diagnosis.findings if each.severity != "info" or each.code == rule.code]
    assert loud == [rule.code]
    assert [outcome for outcome in diagnosis.outcomes if outcome.state == "crashed"] == []


@every_shown
def test_good_sample_fires_nothing(rule):
    diagnosis = diagnose(load(rule, "good"))
    assert [each.code for each in diagnosis.findings if each.severity != "info" or each.code == rule.code] == []
    assert [outcome for outcome in diagnosis.outcomes if outcome.state == "crashed"] == []


@every_shown
def test_finding_shows_timesteps_numbers_and_a_fix_in_both_libraries(rule):
    batch = load(rule, "bad")
    finding = diagnose(batch).finding(rule.code)
    assert finding.cells.shape == batch.shape[:2]
    assert finding.cells.any()
    assert re.fullmatch(r"(?s)[A-Z0-9“`].*[.:]", finding.message)
    assert "\n" not in finding.message
    assert len(finding.message) <= 320
    assert finding.evidence
    assert all(isinstance(value, (int, float, str, np.integer, np.floating)) for value in finding.evidence.values())
    assert set(finding.fix) == {"TensorFlow", "PyTorch", "JAX"}
    assert all(fix.strip() for fix in finding.fix.values())


@every_shown
def test_finding_is_gone_after_its_repair_and_the_number_is_the_one_promised(rule):
    batch = load(rule, "bad")
    finding = diagnose(batch).finding(rule.code)
    if finding.repaired is None:
        assert rule.code in UNREPAIRABLE
        return
    after = diagnose(finding.repaired).finding(rule.code)
    assert after is None or after.severity == "info" != rule.severity
    assert finding.loss_if_fixed == pytest.approx(float(analyze(finding.repaired).value), rel=1e-9, nan_ok=True)


UNREPAIRABLE = {"MOD03", "NUM03", "NUM06", "NUM09", "PAD11", "PAD13", "PAD14", "PAD18", "SHF03", *PRINTED}
"""What is missing can't be made up from the arrays, and a printed number is mended in the loop."""


def test_samples_are_those_of_the_rules():
    there = {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*")}
    assert there == {sample.name for sample in rule_samples() if sample.rule.code not in TOO_LARGE}


def test_samples_are_part_of_the_package():
    with (ROOT / "pyproject.toml").open("rb") as file:
        patterns = tomllib.load(file)["tool"]["setuptools"]["package-data"]["lossviz._sample_data"]
    packed = {path for pattern in patterns for path in sample_folder().glob(pattern)}
    assert {sample.path for sample in rule_samples() if sample.rule.code not in TOO_LARGE} <= packed


@every_shown
def test_samples_are_small_enough_to_read_with_titles_of_their_own(rule):
    bad, good = load(rule, "bad"), load(rule, "good")
    for batch in (bad, good):
        assert batch.shape[0] <= 8
        assert batch.shape[1] <= 16
        assert batch.shape[2] <= 16
    assert bad.title
    assert good.title
    assert bad.title != good.title


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("NUM1", "bad", f"There is no rule `NUM1`. Did you mean `NUM01`? There are {', '.join(CODES)}."),
        ("NUM01", "baad", "`kind` must be one of 'bad', 'good'; got 'baad'. Did you mean 'bad'?"),
    ],
)
def test_load_rule_sample_refuses_what_there_is_not(code, kind, message):
    with pytest.raises(InputError) as caught:
        load_rule_sample(code, kind)
    assert str(caught.value) == message


@every_rule
def test_page_has_the_rule_under_its_headings(rule):
    lines = page(rule).splitlines()
    assert lines[0] == f"## {rule.code} {rule.name}"
    assert lines[2] == f"**{rule.title}.**"
    assert [line for line in lines if line.startswith("### ")] == [f"### {heading}" for heading in HEADINGS]
    assert page(rule, 3) in reference()


def test_every_rule_has_an_injector():
    assert set(CODES) - set(INJECTORS) == TOO_LARGE
    assert set(INJECTORS) - set(CODES) == set()

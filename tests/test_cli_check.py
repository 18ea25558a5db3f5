"""`lossviz check`: what it prints for a rule's sample, its exit status, and files that can't be checked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lossviz import Batch, diagnose, write
from lossviz.cli import main
from lossviz.layouts import Reading
from lossviz.rules import RULES, load_rule_sample
from tests.golden import golden_batch

CHECKOUT = Path(__file__).parents[1]
BAD = "sample_data/rules/NUM03-impossible-target/bad.json"
GOOD = "sample_data/rules/NUM03-impossible-target/good.json"
HEADLINE = "3 sequences × 6 timesteps × 8 classes, mask: lengths"
FOUND = """\
error NUM03 impossible-target: 1 target that counts has the logit −inf, first “on” at sequence 1, timestep 3.
  1 timestep: sequence 1, timestep 3
"""


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch):
    monkeypatch.chdir(CHECKOUT)


def check(capsys, *words):
    """(status, stdout, stderr) of the command."""
    status = main(["check", *words])
    return status, *capsys.readouterr()


def printed(capsys, *words, status=0):
    found, out, err = check(capsys, *words)
    assert (found, err) == (status, "")
    return out


def document(capsys, *words, status=0):
    return json.loads(printed(capsys, *words, "--format", "json", status=status), parse_constant=pytest.fail)


@pytest.fixture
def crashing(monkeypatch):
    """Let NUM01 fail."""

    def boom(_):
        raise ZeroDivisionError("of this rule\nand its {reason}")

    rules = tuple(replace(rule, check=boom) if rule.code == "NUM01" else rule for rule in RULES)
    monkeypatch.setattr("lossviz.rules._diagnose.RULES", rules)


def test_check_prints_the_finding_its_timesteps_and_the_count(capsys):
    out = printed(capsys, BAD, "--select", "NUM02,NUM03,NUM05,NUM06", status=1)
    assert (
        out
        == f"""\
{BAD}
The target is ruled out
{HEADLINE}

{FOUND}
1 error, 0 warnings; 2 rules passed, 1 could not tell or did not apply
"""
    )


def test_check_prints_the_fix_of_the_library_that_was_asked_for(capsys):
    out = printed(capsys, BAD, "--select", "NUM03", "--fix", "pytorch", status=1)
    assert out.endswith(
        f"""\
{FOUND}\
  PyTorch:
    keep = allowed | F.one_hot(targets, 8).bool()
    logits = logits.float().masked_fill(~keep, -1e9)

1 error, 0 warnings; 0 rules passed, 0 could not tell or did not apply
"""
    )


def test_check_says_what_the_number_is_after_the_fix(capsys):
    out = printed(capsys, "sample_data/rules/PAD05-eos-not-supervised/bad.json", "--select", "PAD05", status=1)
    [finding] = diagnose(Batch.from_arrays(**load_rule_sample("PAD05")), select="PAD05").findings
    assert out.splitlines()[-3] == f"  0.1798 now, {finding.loss_if_fixed:.4f} after the fix"


def test_check_says_what_the_loop_printed_where_it_is_the_loop_that_changes(capsys):
    """The number of the batch is right before and after: 1.42 is what goes away."""
    out = printed(capsys, "golden", "--reported", "1.42", "--select", "RED05")
    assert (
        out.split("\n\n", 1)[1]
        == """\
info RED05 sequence-means: The training loop that printed 1.42 averages the losses of each sequence, then averages the
  3 means, on purpose, as TensorFlow 1 does, or by mistake; the mean over the timesteps that count is 1.2545.
  11 timesteps: sequence 0, timesteps 0 to 4; sequence 1, timesteps 0 to 3; sequence 2, timesteps 0 to 1
  1.42 printed, 1.2545 after the fix

0 errors, 0 warnings, 1 info; 0 rules passed, 0 could not tell or did not apply
"""
    )


def test_check_asks_identify_of_a_printed_number_that_no_rule_speaks_of(capsys):
    """Two digits are too few for a rule."""
    out = printed(capsys, "golden", "--reported", "0.92", "--select", "PAD02")
    assert out.splitlines()[4:] == [
        "No rule is about the printed 0.92. To see which formulas give it:",
        "  lossviz identify golden 0.92",
        "",
        "0 errors, 0 warnings; 0 rules passed, 1 could not tell or did not apply",
    ]


@pytest.mark.parametrize("reported", ["1.25", "1.2545454"])
def test_check_says_that_the_loop_printed_the_loss_of_the_batch(capsys, reported):
    out = printed(capsys, "golden", "--reported", reported, "--select", "PAD02")
    assert out.splitlines()[4:6] == [f"The loop printed {reported}, which is the loss of this batch: 1.2545.", ""]


def test_check_says_that_the_loop_printed_the_number_of_a_fix(capsys):
    """The loop has the right lengths; the file has not."""
    path = "sample_data/rules/SHF05-mask-of-the-inputs/bad.json"
    out = printed(capsys, path, "--reported", "0.243", "--select", "SHF05", status=1)
    assert out.splitlines()[6:] == [
        "  2 timesteps: sequence 0, timestep 4; sequence 2, timestep 5",
        "  0.5457 now, 0.2434 after the fix",
        "",
        "The loop printed 0.243, which is the number after the fix of SHF05.",
        "",
        "1 error, 0 warnings; 0 rules passed, 0 could not tell or did not apply",
    ]


def test_check_verbose_says_why_rules_did_not_apply(capsys):
    out = printed(capsys, GOOD, "--select", "NUM02,NUM03", "--verbose")
    assert out.splitlines()[2:] == [
        HEADLINE,
        "",
        "could not tell or did not apply:",
        "  NUM02 Needs `reported`, which this batch does not have.",
        "",
        "0 errors, 0 warnings; 1 rule passed, 1 could not tell or did not apply",
    ]


def test_check_adds_several_files_up_and_the_worst_status_counts(capsys):
    assert check(capsys, GOOD, "nope.npz", BAD, "--select", "NUM03") == (
        2,
        f"""\
{GOOD}
The target is ruled out, repaired
{HEADLINE}

0 errors, 0 warnings; 1 rule passed, 0 could not tell or did not apply

{BAD}
The target is ruled out
{HEADLINE}

{FOUND}
1 error, 0 warnings; 0 rules passed, 0 could not tell or did not apply

3 files: 1 error, 0 warnings; 1 could not be checked
""",
        "lossviz: nope.npz: There is no file `nope.npz`.\n",
    )


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ([GOOD, BAD], 1),
        ([BAD, GOOD], 1),
        ([GOOD, GOOD], 0),
        ([BAD, "--ignore", "NUM03"], 0),
        ([BAD, "--fail-on", "info"], 1),
        (["golden", "--select", "PAD04"], 0),
        (["golden", "--select", "PAD04", "--fail-on", "warning"], 0),
        (["golden", "--select", "PAD04", "--fail-on", "info"], 1),
        (["sample_data/rules/PAD15-odd-weights/good.json", "--fail-on", "warning"], 0),
    ],
)
def test_check_ends_with_the_status_of_the_worst_finding(capsys, words, status):
    printed(capsys, *words, status=status)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["", "--select", "NUM"], "lossviz: : `.` is a folder. Open one of its files: it holds none."),
        ([BAD, "--reported", "abc"], f"lossviz: {BAD}: `reported` must be one number, as printed; got 'abc'."),
        (
            [BAD, GOOD, "--reported", "1"],
            "lossviz: `--reported` is the number of one FILE; got 2. Check one at a time.",
        ),
        (["golden", "--names", "targets"], "lossviz: `--names` must be pairs such as targets=labels; got `targets`."),
        (["nope.npz", "--select", "nom"], "lossviz: `select` names no rule: 'nom'."),
        (
            ["nope.npz", "--select", "PAD", "--ignore", "PAD"],
            "lossviz: `--select` and `--ignore` leave no rule to run. Leave one of them out, or name fewer codes.",
        ),
        (["goldne"], "lossviz: goldne: "),
    ],
)
def test_check_refuses_in_one_sentence(capsys, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path) if words[0] == "" else None
    status, out, err = check(capsys, *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(sentence)


def test_check_reads_arrays_by_the_names_that_are_given(capsys, tmp_path):
    fields = golden_batch().fields()
    np.savez(tmp_path / "a.npz", output=fields["logits"], labels=fields["targets"], lengths=fields["lengths"])
    name = str(tmp_path / "a.npz")
    out = printed(capsys, name, "--names", "logits=output", "targets=labels")
    assert out.splitlines()[:2] == [name, "3 sequences × 5 timesteps × 6 classes, mask: lengths"]


def test_check_reported_is_what_the_rules_are_told(capsys):
    before = document(capsys, "golden", "--select", "NUM02")["files"][0]["outcomes"]
    after = document(capsys, "golden", "--select", "NUM02", "--reported", "-1e-3")["files"][0]["outcomes"]
    assert before == [
        {"code": "NUM02", "state": "skipped", "reason": "Needs `reported`, which this batch does not have."}
    ]
    assert [outcome["state"] for outcome in after] == ["passed"]


def test_check_json_holds_every_number(capsys):
    found = document(capsys, BAD, "--select", "NUM02,NUM03", status=1)
    fix = found["files"][0]["findings"][0].pop("fix")
    assert sorted(fix) == ["JAX", "PyTorch", "TensorFlow"]
    assert found == {
        "lossviz": "0.1.0",
        "status": 1,
        "counts": {"error": 1, "warning": 0, "info": 0},
        "files": [
            {
                "file": BAD,
                "status": 1,
                "problem": None,
                "title": "The target is ruled out",
                "shape": [3, 6, 8],
                "mask": "lengths",
                "value": "Infinity",
                "findings": [
                    {
                        "code": "NUM03",
                        "name": "impossible-target",
                        "title": next(rule.title for rule in RULES if rule.code == "NUM03"),
                        "severity": "error",
                        "message": "1 target that counts has the logit −inf, first “on” at sequence 1, timestep 3.",
                        "timesteps": 1,
                        "cells": [{"sequence": 1, "first": 3, "last": 3}],
                        "evidence": {
                            "timesteps": 1,
                            "infinite losses": 1,
                            "largest loss": "Infinity",
                            "mean loss without them": pytest.approx(0.2500977),
                        },
                        "loss_if_fixed": None,
                        "effect": "NaN",
                    }
                ],
                "outcomes": [
                    {
                        "code": "NUM02",
                        "state": "skipped",
                        "reason": "Needs `reported`, which this batch does not have.",
                    },
                    {"code": "NUM03", "state": "found", "reason": None},
                ],
            }
        ],
    }


def test_check_json_has_the_same_keys_for_a_file_that_could_not_be_read(capsys):
    status, out, err = check(capsys, "nope.npz", BAD, "--format", "json")
    unread, read = json.loads(out)["files"]
    assert (status, err) == (2, "lossviz: nope.npz: There is no file `nope.npz`.\n")
    assert list(unread) == list(read)
    assert unread == {
        "file": "nope.npz",
        "status": 2,
        "problem": "There is no file `nope.npz`.",
        "title": None,
        "shape": None,
        "mask": None,
        "value": None,
        "findings": [],
        "outcomes": [],
    }


def test_check_of_a_rule_that_crashes_goes_on_and_ends_with_2(capsys, crashing):
    status, out, err = check(capsys, BAD, "--select", "NUM01,NUM03", "--verbose")
    assert status == 2
    assert err == (
        f"lossviz: {BAD}: The rule NUM01 crashed: ZeroDivisionError: of this rule\\nand its {{reason}}. "
        "`--ignore NUM01` leaves it out, `--verbose` shows where.\n"
    )
    text, traceback = out.split("crashed:\n  NUM01\n    Traceback (most recent call last):\n")
    assert text == f"{BAD}\nThe target is ruled out\n{HEADLINE}\n\n{FOUND}\n"
    assert traceback.endswith(
        """\
    ZeroDivisionError: of this rule
    and its {reason}

1 error, 0 warnings; 0 rules passed, 0 could not tell or did not apply, 1 crashed
"""
    )


def test_check_without_the_rule_that_crashes_is_clean(capsys, crashing):
    assert check(capsys, GOOD, "--select", "NUM01,NUM03")[0] == 2
    assert check(capsys, GOOD, "--select", "NUM01,NUM03", "--ignore", "NUM01")[::2] == (0, "")


def test_check_json_holds_the_traceback_of_a_crash(capsys, crashing):
    status, out, _ = check(capsys, GOOD, "--select", "NUM01", "--format", "json")
    [outcome] = json.loads(out)["files"][0]["outcomes"]
    assert (status, outcome["code"], outcome["state"]) == (2, "NUM01", "crashed")
    assert outcome["reason"].startswith("Traceback (most recent call last):\n")


def test_check_prints_each_file_before_it_reads_the_next(capsys, monkeypatch):
    said = []

    def read(file, *_):
        said.append((file, capsys.readouterr().out.splitlines()[:1]))
        return Reading(golden_batch().fields())

    monkeypatch.setattr("lossviz.cli._check.open_reading", read)
    assert main(["check", "golden", "golden-weights", "--select", "NUM03"]) == 0
    assert said == [("golden", []), ("golden-weights", ["golden"])]


def test_check_stopped_by_ctrl_c_ends_with_130(capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lossviz.cli._check.open_reading", stop)
    assert check(capsys, "golden") == (130, "", "lossviz: stopped\n")


def test_check_without_memory_goes_on_with_the_next_file(capsys, monkeypatch):
    def full(file, *_):
        if file == "large.npz":
            raise MemoryError
        return Reading(golden_batch().fields())

    monkeypatch.setattr("lossviz.cli._check.open_reading", full)
    status, out, err = check(capsys, "large.npz", "golden", "--select", "NUM03")
    assert (status, err) == (2, "lossviz: large.npz: there is not enough memory for this batch.\n")
    assert out.splitlines()[0] == "golden"


def test_check_text_cannot_steer_a_terminal(capsys, tmp_path):
    folder = tmp_path / "a\x1b[31m\nb"
    folder.mkdir()
    vocabulary = ["\x1b]0;t\x07", "b", "c"]
    batch = Batch.from_arrays(
        logits=[[[float("-inf"), 0.0, 0.0]]], targets=[[0]], vocabulary=vocabulary, title="\x1b[2J\u202etitle"
    )
    write(batch.fields(), folder / "x.npz")
    status, out, err = check(capsys, str(folder / "x.npz"), str(folder / "no.npz"), "--select", "NUM03")
    assert status == 2
    assert [letter for letter in out + err if not letter.isprintable() and letter != "\n"] == []
    assert "\\x1b[31m\\nb/x.npz\n\\x1b[2J\\u202etitle\n" in out
    assert "first “\\x1b]0;t\\x07”" in out
    assert err.count("\n") == 1


def test_check_reads_probabilities_as_such_and_says_how_the_second_softmax_is_found(capsys):
    bad = "sample_data/rules/MOD01-softmax-twice/bad.json"
    assert printed(capsys, bad).splitlines()[2:7] == [
        HEADLINE,
        (
            "read as Probabilities: logits holds probabilities (in [0, 1], each row adds up to 1), of which the "
            "logarithms are"
        ),
        "  taken, so that a second softmax in the loop (MOD01) shows in the printed number only",
        "to change that: --layout plain",
        "",
    ]
    assert "error MOD01 softmax-twice: " in printed(capsys, bad, "--layout", "plain", status=1)

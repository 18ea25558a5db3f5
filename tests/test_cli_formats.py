"""What `lossviz check` writes for other programs: SARIF that is valid, annotations that GitHub's runner reads back."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossviz.cli import main
from lossviz.cli._app import _existing
from lossviz.cli.check_formats._checked import Checked, places, runs
from lossviz.cli.check_formats._github import as_github
from lossviz.cli.check_formats._json import as_json
from lossviz.cli.check_formats._sarif import FINGERPRINT, as_sarif
from lossviz.cli.check_formats._text import as_text
from lossviz.errors import FormatError
from lossviz.formats import READABLE
from lossviz.rules import RULES, Finding, Outcome, Raised, page, rule_samples
from tests.layouts.oracle_layouts import causal
from tests.sarif_schema import sarif_errors

CHECKOUT = Path(__file__).parents[1]
BAD = "sample_data/rules/NUM03-impossible-target/bad.json"
MESSAGE = "1 target that counts has the logit −inf, first “on” at sequence 1, timestep 3."
TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\nKeyError: (1, 2)\n'


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch):
    monkeypatch.chdir(CHECKOUT)


def finding(**changes):
    given = {
        "code": "NUM03",
        "name": "impossible-target",
        "title": "Ruled out",
        "severity": "error",
        "message": "1 target is ruled out.",
        "cells": np.array([[False, True], [False, False]]),
        "evidence": {"least": -np.inf, "count": 1, "dtype": "float16", "mean": np.float32(0.5)},
        "fix": {"TensorFlow": "tf", "PyTorch": "torch"},
    }
    return Finding(**given | changes)


def a_file(name="a.npz", **changes):
    given = {"status": 1, "title": "A", "shape": (2, 2, 3), "mask": "none", "value": 1.5, "findings": (finding(),)}
    outcomes = (Outcome("NUM01", "passed"), Outcome("NUM03", "found"))
    return Checked(name, CHECKOUT / name, **given | {"outcomes": outcomes} | changes)


def sarif(*files):
    """The one run of a valid log."""
    [text] = as_sarif(files)
    document = json.loads(text, parse_constant=pytest.fail)
    assert sarif_errors(document) == []
    [run] = document["runs"]
    return run


def location(uri, *where):
    physical = {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}
    logical = [{"fullyQualifiedName": place, "kind": "element"} for place in where]
    return {"physicalLocation": physical} | ({"logicalLocations": logical} if logical else {})


def read_as_the_runner_does(line):
    """(command, properties, message) as ActionCommand.TryParseV2 of actions/runner takes a line apart."""
    line = line.lstrip()
    assert line.startswith("::")
    end = line.index("::", 2)
    command, _, rest = line[2:end].partition(" ")
    pairs = [pair.split("=", 1) for pair in rest.split(",") if pair]
    return command, {key: unescape(value, ":,") for key, value in pairs}, unescape(line[end + 2 :], "")


def unescape(text, more):
    for letter in f"\r\n{more}%":
        text = text.replace(f"%{ord(letter):02X}", letter)
    return text


def annotations(*files):
    lines = "".join(as_github(files))
    assert lines == "" or lines.endswith("\n")
    return [read_as_the_runner_does(line) for line in lines.split("\n")[:-1]]


def test_runs_are_the_timesteps_that_follow_each_other():
    cells = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [0, 1, 1, 1]], bool)
    assert [(run.sequence, run.first, run.last) for run in runs(cells)] == [(0, 0, 1), (0, 3, 3), (2, 1, 3)]
    assert places(cells) == (
        "6 timesteps: sequence 0, timesteps 0 to 1; sequence 0, timestep 3; sequence 2, timesteps 1 to 3"
    )
    assert places(~cells, most=1) == "6 timesteps: sequence 0, timestep 2; …"
    assert (places(np.zeros((2, 0), bool)), runs(np.zeros((0, 3), bool))) == ("", ())


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), max_size=4))
def test_runs_hold_every_cell_once(rows):
    cells = np.array(rows, bool).reshape(len(rows), 4)
    again = np.zeros(cells.shape, int)
    for run in runs(cells):
        again[run.sequence, run.first : run.last + 1] += 1
    assert again.tolist() == cells.astype(int).tolist()


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (("version",), "2.1"),
        (("runs", 0, "result"), []),
        (("runs", 0, "results", 0, "ruleID"), "NUM03"),
        (("runs", 0, "results", 0, "level"), "info"),
        (("runs", 0, "results", 0, "message", "text"), "the class {0}"),
        (("runs", 0, "results", 0, "message", "text"), "[a](b)"),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "region"), {}),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uri"), "a b.npz"),
        (("runs", 0, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uri"), "a:b.npz"),
        (("runs", 0, "tool", "driver", "rules", 0, "help"), "NUM01"),
    ],
)
def test_sarif_schemas_refuse_what_the_standard_refuses(place, wrong):
    document = json.loads("".join(as_sarif([a_file()])))
    assert sarif_errors(document) == []
    *path, last = place
    inner = document
    for step in path:
        inner = inner[step]
    inner[last] = wrong
    assert sarif_errors(document) != []


def test_sarif_of_a_sample_holds_rule_result_and_place(capsys):
    assert main(["check", BAD, "--select", "NUM01,NUM03", "--format", "sarif"]) == 1
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert sarif_errors(document) == []
    assert sorted(document) == ["$schema", "runs", "version"]
    [run] = document["runs"]
    [result] = run["results"]
    assert result.pop("properties")["evidence"]["largest loss"] == "Infinity"
    assert [*result.pop("partialFingerprints")] == [FINGERPRINT]
    assert result == {
        "ruleId": "NUM03",
        "ruleIndex": 1,
        "level": "error",
        "message": {"text": MESSAGE},
        "locations": [location(BAD, "sequence 1, timestep 3")],
    }
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 1, "toolExecutionNotifications": []}]
    assert run["tool"]["driver"]["name"] == "lossviz"


def test_sarif_describes_the_rules_that_ran():
    rules = {rule.code: rule for rule in RULES}
    driver = sarif(a_file(outcomes=(Outcome("PAD18", "passed"), Outcome("NUM03", "found"))))["tool"]["driver"]
    help_texts = [rule.pop("help") for rule in driver["rules"]]
    assert [text["markdown"] for text in help_texts] == [page(rules["NUM03"]), page(rules["PAD18"])]
    assert help_texts[0]["text"].startswith("NUM03 impossible-target\n\nThe model rules out the correct answer")
    assert "\n\nWhat it checks\nWhether " in help_texts[0]["text"]
    assert driver["rules"][1] == {
        "id": "PAD18",
        "name": rules["PAD18"].name,
        "shortDescription": {"text": f"{rules['PAD18'].title}."},
        "fullDescription": {"text": " ".join(rules["PAD18"].sections["What it checks"].split())},
        "defaultConfiguration": {
            "level": {"error": "error", "warning": "warning", "info": "note"}[rules["PAD18"].severity]
        },
        "properties": {"tags": ["PAD"]},
    }


@pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])
def test_sarif_of_every_rule_is_valid_and_without_html(rule):
    run = sarif(a_file(findings=(finding(code=rule.code),), outcomes=(Outcome(rule.code, "found"),)))
    markdown = run["tool"]["driver"]["rules"][0]["help"]["markdown"]
    assert re.findall(r"<[a-z/!|]", re.sub(r"`[^`]*`", "", markdown)) == []


def test_sarif_of_every_sample_is_valid(capsys):
    samples = [sample for sample in rule_samples() if sample.path.exists()]
    assert len(samples) >= 60
    assert main(["check", *(str(sample.path) for sample in samples), "--format", "sarif", "--layout", "plain"]) == 1
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert sarif_errors(document) == []
    assert {result["ruleId"] for result in document["runs"][0]["results"]} >= {sample.rule.code for sample in samples}


@pytest.mark.parametrize(("severity", "level"), [("error", "error"), ("warning", "warning"), ("info", "note")])
def test_sarif_levels_are_those_of_the_findings(severity, level):
    [result] = sarif(a_file(findings=(finding(severity=severity),)))["results"]
    assert result["level"] == level


def test_sarif_properties_hold_the_numbers_and_the_fix():
    [result] = sarif(a_file(findings=(finding(loss_if_fixed=float("nan")),)))["results"]
    assert result["properties"] == {
        "timesteps": 1,
        "evidence": {"least": "-Infinity", "count": 1, "dtype": "float16", "mean": 0.5},
        "fix": {"TensorFlow": "tf", "PyTorch": "torch"},
        "lossIfFixed": "NaN",
    }


def test_sarif_names_the_first_twenty_places():
    every_other = np.tile([True, False], (2, 20))
    [result] = sarif(a_file(findings=(finding(cells=every_other),)))["results"]
    assert result["locations"] == [location("a.npz", *(f"sequence 0, timestep {2 * t}" for t in range(20)))]
    [result] = sarif(a_file(findings=(finding(cells=np.zeros((2, 2), bool)),)))["results"]
    assert result["locations"] == [location("a.npz")]


def test_sarif_says_what_could_not_run():
    crashed = a_file(
        status=2,
        findings=(),
        outcomes=(Outcome("NUM01", "passed"), Outcome("NUM03", "crashed", TRACEBACK, Raised("KeyError", "(1, 2)"))),
    )
    unread = Checked("b.npz", CHECKOUT / "b.npz", 2, problem="`b.npz` is {cut}.")
    assert sarif(crashed, unread)["invocations"] == [
        {
            "executionSuccessful": False,
            "exitCode": 2,
            "toolExecutionNotifications": [
                {"level": "error", "message": {"text": "`b.npz` is {{cut}}."}, "locations": [location("b.npz")]},
                {
                    "level": "error",
                    "message": {"text": "The rule NUM03 crashed: KeyError: (1, 2)."},
                    "locations": [location("a.npz")],
                    "associatedRule": {"id": "NUM03", "index": 1},
                    "exception": {"kind": "KeyError", "message": "(1, 2)"},
                },
            ],
        }
    ]


def test_sarif_without_a_file_that_could_be_read_is_valid():
    run = sarif(Checked("b.npz", CHECKOUT / "b.npz", 2, problem="There is no file."))
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def test_sarif_fingerprints_tell_rules_and_timesteps_apart_but_not_words():
    def prints(**changes):
        [result] = sarif(a_file(findings=(finding(**changes),)))["results"]
        return result["partialFingerprints"][FINGERPRINT]

    other = np.array([[True, False], [False, False]])
    assert prints() == prints(message="Otherwise said.", severity="info", evidence={})
    assert len({prints(), prints(code="NUM01"), prints(cells=other), prints(cells=np.array([[False, True]]))}) == 4


HOSTILE = [
    ("a b.npz", "a%20b.npz"),
    ("c:d.npz", "c%3Ad.npz"),
    ("100%,é?#.npz", "100%25%2C%C3%A9%3F%23.npz"),
    ('"quoted"\\.npz', "%22quoted%22%5C.npz"),
    ("::error::\n.npz", "%3A%3Aerror%3A%3A%0A.npz"),
]


@pytest.mark.parametrize(("name", "uri"), HOSTILE)
def test_sarif_writes_any_file_name_as_a_uri(name, uri):
    [result] = sarif(a_file(f"folder/{name}"))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": f"folder/{uri}"}


def test_sarif_writes_names_that_are_no_text_as_their_bytes():
    [result] = sarif(a_file(os.fsdecode(b"\xff.npz")))["results"]
    assert result["locations"] == [location("%FF.npz", "sequence 0, timestep 1")]


def test_sarif_writes_files_elsewhere_with_their_whole_path(tmp_path):
    [result] = sarif(replace(a_file(), path=tmp_path / "a b.npz"))["results"]
    assert result["locations"] == [location(f"file://{tmp_path}/a%20b.npz", "sequence 0, timestep 1")]


@given(st.text())
def test_sarif_messages_hold_any_text_without_placeholders_or_links(text):
    [result] = sarif(a_file(findings=(finding(message=f"“{text}”"),)))["results"]
    shown = result["message"]["text"].replace("{{", "{").replace("}}", "}")
    assert shown == f"“{text}”".replace("](", "] (")


def test_sarif_message_with_half_a_character_is_written_as_an_escape():
    [result] = sarif(a_file(findings=(finding(message="\udc80 [x](http://y) {0}"),)))["results"]
    assert result["message"] == {"text": "\\udc80 [x] (http://y) {{0}}"}


def test_github_annotates_a_sample(capsys):
    assert main(["check", BAD, "--select", "NUM03", "--format", "github"]) == 1
    assert capsys.readouterr().out == (
        f"::error file={BAD},title=NUM03 impossible-target::{MESSAGE}%0A1 timestep: sequence 1, timestep 3\n"
    )


def test_github_says_nothing_of_a_clean_file(capsys):
    assert main(["check", "golden", "--select", "NUM", "--format", "github"]) == 0
    assert capsys.readouterr() == ("", "")


def test_github_annotates_findings_crashes_and_unread_files():
    outcomes = (Outcome("NUM01", "crashed", TRACEBACK, Raised("KeyError", "(1, 2)")), Outcome("NUM03", "found"))
    severe = [finding(severity=severity, cells=np.zeros((2, 2), bool)) for severity in ("error", "warning", "info")]
    unread = Checked("b.npz", CHECKOUT / "b.npz", 2, problem="There is no file `b.npz`.")
    rule = {"file": "a.npz", "title": "NUM03 impossible-target"}
    assert annotations(a_file(findings=tuple(severe), outcomes=outcomes), unread) == [
        ("error", {"file": "a.npz", "title": "NUM01 crashed"}, "The rule NUM01 crashed: KeyError: (1, 2)."),
        ("error", rule, "1 target is ruled out."),
        ("warning", rule, "1 target is ruled out."),
        ("notice", rule, "1 target is ruled out."),
        ("error", {"file": "b.npz", "title": "lossviz"}, "There is no file `b.npz`."),
    ]


def test_github_escapes_what_would_end_a_property_or_a_line():
    [text] = as_github([a_file("a,b:c%.npz", findings=(finding(message="50 %: a, b\n::error::c", name="x,y"),))])
    assert text == (
        "::error file=a%2Cb%3Ac%25.npz,title=NUM03 x%2Cy::50 %25: a, b%0A::error::c%0A"
        "1 timestep: sequence 0, timestep 1\n"
    )


PRINTABLE = st.text(st.characters(codec="utf-8").filter(lambda letter: letter.isprintable() or letter == "\n"))


@given(name=PRINTABLE.filter(lambda name: name.strip("/.\n ")), message=PRINTABLE)
def test_github_reads_back_any_printable_name_and_message(name, message):
    one = replace(a_file(findings=(finding(message=f"m{message}"),)), path=CHECKOUT / name.replace("/", "|"))
    [(command, properties, text)] = annotations(one)
    assert (command, properties["file"]) == ("error", name.replace("/", "|"))
    assert text == f"m{message}\n1 timestep: sequence 0, timestep 1"


@given(st.text())
def test_github_lines_cannot_steer_a_terminal(text):
    out = "".join(as_github([a_file(findings=(finding(message=text),))]))
    assert [letter for letter in out if not letter.isprintable()] == ["\n"]


def test_json_is_one_document_without_nan():
    [text] = as_json([a_file(value=float("nan"), findings=(finding(effect=float("inf"), loss_if_fixed=0.5),))])
    [one] = json.loads(text, parse_constant=pytest.fail)["files"]
    assert (one["value"], one["findings"][0]["effect"], one["findings"][0]["loss_if_fixed"]) == ("NaN", "Infinity", 0.5)
    assert one["findings"][0]["evidence"] == {"least": "-Infinity", "count": 1, "dtype": "float16", "mean": 0.5}


def test_text_of_a_finding_without_places_or_numbers_is_its_sentence():
    bare = finding(cells=np.zeros((2, 2), bool), loss_if_fixed=0.5, fix={"PyTorch": "torch"})
    [text] = as_text([a_file(value=None, findings=(bare,))], fix="tensorflow")
    assert (
        text
        == """\
a.npz
A
2 sequences × 2 timesteps × 3 classes, mask: none

error NUM03 impossible-target: 1 target is ruled out.

1 error, 0 warnings; 1 rule passed, 0 could not tell or did not apply
"""
    )


def test_text_wraps_long_sentences_and_counts_infos():
    long = finding(severity="info", message="word " * 30)
    [text] = as_text([a_file(findings=(long, replace(long, severity="warning")))])
    lines = text.splitlines()
    assert lines[4:6] == [
        f"info NUM03 impossible-target: {'word ' * 16}word",
        f"  {'word ' * 12}word",
    ]
    assert lines[-1] == "0 errors, 1 warning, 1 info; 1 rule passed, 0 could not tell or did not apply"


def test_readme_shows_what_the_command_prints_of_a_hugging_face_file(tmp_path, capsys):
    np.savez(tmp_path / "batch.npz", **causal())
    assert main(["analyze", str(tmp_path / "batch.npz")]) == 0
    said = capsys.readouterr().out.split("\n\n")[0].splitlines()[2:]
    assert said[0].startswith("read as Hugging Face: ")
    assert "\n".join(said) in Path("README.md").read_text("utf-8")


def test_app_takes_every_file_that_is_read(tmp_path):
    for suffix in READABLE:
        path = tmp_path / f"run{suffix}"
        path.touch()
        assert _existing(str(path)) == path
    (tmp_path / "run.txt").touch()
    with pytest.raises(FormatError, match=r"has the suffix `\.txt`"):
        _existing(str(tmp_path / "run.txt"))

"""`lossviz rule`: the list, a family, a page, and codes that don't exist."""

import pytest

from lossviz.cli import main
from lossviz.cli._rule import text_of
from lossviz.rules import HEADINGS, RULES, page


def printed(capsys, *words):
    assert main(["rule", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_rule_without_a_code_lists_every_rule_with_its_severity(capsys):
    assert printed(capsys).splitlines() == [f"{rule.code}  {rule.severity:<7}  {rule.title}" for rule in RULES]


@pytest.mark.parametrize("word", ["NUM", "num", "NUM0", "num-0"])
def test_rule_of_a_family_lists_it(capsys, word):
    lines = printed(capsys, word).splitlines()
    assert [line[:5] for line in lines] == [rule.code for rule in RULES if rule.code.startswith("NUM")]


@pytest.mark.parametrize("word", ["NUM03", "num03", "NUM-03", " num-03 "])
def test_rule_prints_the_page_of_a_code(capsys, word):
    assert (
        printed(capsys, word)
        == """\
NUM03 impossible-target

The model rules out the correct answer: the target's logit is -inf, or nearly so.

Severity: error.

What it checks
  Whether the loss of a timestep that counts is infinite, or above 88 nats, where exp(-loss) is 0 in float32. If every
  such loss is below 1,000 nats, it is only an info: masks fill in -1e4 or less, which would give larger losses.

Why it matters
  A single such timestep makes the mean infinite, or outweighs all others, and its gradient is as large as possible. The
  cause is a mask over classes, or constrained decoding, that excludes the label.

Example
  Logits [-inf, 0, 0] with target 0: the loss is inf.

How to fix
  Never mask out the target's class.

When it is a false alarm
  A mask that excludes the label is always a bug. A model that is confident and wrong, or whose initial logits are too
  large, reaches losses of a few hundred nats without any mask; that is the info.

Threads
  annotated-transformer#109, annotated-transformer#39
"""
    )


@pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])
def test_rule_pages_fit_a_terminal_and_hold_every_section(capsys, rule):
    lines = printed(capsys, rule.code).splitlines()
    assert max(map(len, lines)) <= 122
    assert [line for line in lines if line in HEADINGS] == list(HEADINGS)
    assert [line for line in lines if line.startswith("#") or "**" in line] == []
    words = " ".join(lines).split()
    assert words == page(rule).replace("### ", "").replace("## ", "").replace("**", "").split()


def test_rule_text_wraps_the_lines_of_the_head():
    assert text_of(f"## A b\n\n**{'word ' * 30}end.**\n\nSeverity: info.\n\n### Example\n\n{'x' * 130}") == (
        f"A b\n\n{'word ' * 22}word\n{'word ' * 7}end.\n\nSeverity: info.\n\nExample\n  {'x' * 130}"
    )


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("PDA05", "There is no rule `PDA05`. Did you mean `PAD05`? `lossviz rule` lists them all."),
        ("xyz", "There is no rule `xyz`. `lossviz rule` lists them all."),
        ("\x1b[2J", "There is no rule `\\x1b[2J`. `lossviz rule` lists them all."),
    ],
)
def test_rule_refuses_a_code_that_does_not_exist(capsys, word, sentence):
    assert main(["rule", word]) == 2
    assert capsys.readouterr() == ("", f"lossviz: {sentence}\n")

"""The rules as Markdown, one page each, for `lossviz rule CODE` and docs/rules.md."""

from lossviz.rules._catalogue import RULES
from lossviz.rules._core.phases import roots_of
from lossviz.rules._core.rule import Rule
from lossviz.rules._samples import KINDS

__all__ = ["FAMILIES", "page", "reference"]

FAMILIES = {
    "MOD": "Models",
    "NUM": "Numbers",
    "PAD": "Padding and masks",
    "RED": "Reductions",
    "SHF": "Shifts and alignment",
}
"""The prefix of each family's codes, with the family's title."""


def page(rule: Rule, level: int = 2) -> str:
    """A rule's page in Markdown: code, name, title and severity, then its sections under headings.

    >>> print(page(RULES[0]).splitlines()[0])
    ## MOD01 softmax-twice
    """
    mark = "#" * level
    head = f"{mark} {rule.code} {rule.name}\n\n**{rule.title}.**\n\n{_facts(rule)}"
    return "\n\n".join([head, *(f"{mark}# {heading}\n\n{text}" for heading, text in rule.sections.items())])


def reference() -> str:
    """A table of all rules, then their pages."""
    head = "| code | severity | what is wrong |\n|---|---|---|"
    rows = "\n".join(
        f"| [{rule.code}](#{rule.code.lower()}-{rule.name}) | {rule.severity} | {rule.title} |" for rule in RULES
    )
    parts = [f"## Every rule\n\n{head}\n{rows}"]
    for family, about in FAMILIES.items():
        rules = [rule for rule in RULES if rule.code.startswith(family)]
        parts += [f"## {about}", *(f"{page(rule, 3)}\n\n{_samples(rule)}" for rule in rules)] if rules else []
    return "\n\n".join(parts)


def _facts(rule: Rule) -> str:
    facts = [f"Severity: {rule.severity}."]
    if rule.needed:
        facts.append(f"Needs {rule.needed}.")
    roots = roots_of(rule, RULES)
    if roots:
        facts.append(f"Skipped if {' or '.join(roots)} was found, since that explains the same timesteps.")
    return " ".join(facts)


def _samples(rule: Rule) -> str:
    links = [f"[{kind}](../sample_data/rules/{rule.code}-{rule.name}/{kind}.json)" for kind in KINDS]
    return f"Samples: {', '.join(links)}."

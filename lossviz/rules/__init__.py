"""The padding doctor: one file a rule; `diagnose(batch)` runs them."""

from lossviz.rules._catalogue import RULES
from lossviz.rules._diagnose import diagnose
from lossviz.rules._diagnosis import STATES, Diagnosis, Finding, Outcome
from lossviz.rules._reference import page
from lossviz.rules._rule import HEADINGS, SEVERITIES, Found, Rule
from lossviz.rules._samples import RuleSample, load_rule_sample, rule_samples
from lossviz.rules._select import chosen

__all__ = [
    "HEADINGS",
    "RULES",
    "SEVERITIES",
    "STATES",
    "Diagnosis",
    "Finding",
    "Found",
    "Outcome",
    "Rule",
    "RuleSample",
    "chosen",
    "diagnose",
    "load_rule_sample",
    "page",
    "rule_samples",
]

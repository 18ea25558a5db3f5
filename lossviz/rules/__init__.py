"""The padding doctor: one file per rule, in the folder of its family; `diagnose(batch)` runs them.

`padding/` judges masks, `shift/` alignment, `reduction/` printed numbers, `numeric/` NaN and precision, `model/` the
last layer. `_core/` holds what they share; no family imports from another.
"""

from lossviz.rules._catalogue import RULES
from lossviz.rules._core.diagnosis import STATES, Diagnosis, Finding, Outcome, Raised
from lossviz.rules._core.rule import HEADINGS, SEVERITIES, Found, Rule
from lossviz.rules._diagnose import diagnose
from lossviz.rules._reference import FAMILIES, page
from lossviz.rules._samples import RuleSample, load_rule_sample, rule_samples
from lossviz.rules._select import chosen

__all__ = [
    "FAMILIES",
    "HEADINGS",
    "RULES",
    "SEVERITIES",
    "STATES",
    "Diagnosis",
    "Finding",
    "Found",
    "Outcome",
    "Raised",
    "Rule",
    "RuleSample",
    "chosen",
    "diagnose",
    "load_rule_sample",
    "page",
    "rule_samples",
]

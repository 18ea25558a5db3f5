"""The rules' samples as entries of the door Sample."""

from collections.abc import Mapping
from types import MappingProxyType

import streamlit as st

from lossviz.batch import Batch
from lossviz.rules import FAMILIES as RULE_FAMILIES
from lossviz.rules import RuleSample, load_rule_sample, rule_samples
from lossviz.samples import GROUPS, SAMPLES, Sample, load_sample

__all__ = ["DOOR_SAMPLES", "FAMILIES", "sample_batch"]


def _entry(sample: RuleSample) -> Sample:
    rule = sample.rule
    if sample.kind == "bad":
        lesson = f"{rule.title}. The page Doctor shows where, and what to write instead."
    else:
        lesson = f"A batch like the bad one of {rule.code}, without the bug: the doctor finds nothing in it."
    return Sample(sample.name, f"{rule.code}, {sample.kind}: {rule.title}", lesson, _family(rule.code))


def _family(code: str) -> str:
    return f"Rules {code[:3]}: {RULE_FAMILIES[code[:3]].lower()}"


def _group(sample: Sample) -> int:
    return GROUPS.index(sample.group)


# A rule about batches larger than a repository has none.
_OF_RULES = {sample.name: sample for sample in rule_samples() if sample.path.is_file()}
DOOR_SAMPLES: Mapping[str, Sample] = MappingProxyType(
    {sample.name: sample for sample in (*sorted(SAMPLES, key=_group), *map(_entry, _OF_RULES.values()))}
)
"""Every sample of the door, by name: the recorded and worked ones, then the bad and the good one of each rule."""

FAMILIES = tuple(map(_family, RULE_FAMILIES))
"""The groups of the rules' samples."""


@st.cache_resource(show_spinner=False)
def sample_batch(name: str) -> Batch:
    """A sample of the door, read once."""
    of_rule = _OF_RULES.get(name)
    fields = load_sample(name) if of_rule is None else load_rule_sample(of_rule.rule.code, of_rule.kind)
    return Batch.from_arrays(**fields)

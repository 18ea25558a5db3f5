"""For each rule, a batch with its bug and one without, in `sample_data/rules/CODE-name/`."""

from dataclasses import dataclass
from pathlib import Path

from lossviz.errors import InputError, did_you_mean, not_one_of
from lossviz.formats import Fields, read
from lossviz.rules._catalogue import RULES
from lossviz.rules._core.rule import Rule
from lossviz.samples import sample_folder

__all__ = ["KINDS", "RuleSample", "load_rule_sample", "rule_samples"]

KINDS = ("bad", "good")


@dataclass(frozen=True)
class RuleSample:
    """A batch that shows a rule.

    Attributes:
        rule: the rule.
        kind: "bad", where this rule fires and no other of its severity or above does, or "good", where none does.
    """

    rule: Rule
    kind: str

    @property
    def name(self) -> str:
        """Folder and kind: "PAD05-eos-not-supervised/bad"."""
        return f"{self.rule.code}-{self.rule.name}/{self.kind}"

    @property
    def path(self) -> Path:
        """The path of its file, in a checkout or in an installed package."""
        return sample_folder() / "rules" / f"{self.name}.json"


def rule_samples() -> tuple[RuleSample, ...]:
    """The samples of all rules, the bad one before the good one.

    >>> [sample.name for sample in rule_samples()][:2]
    ['MOD01-softmax-twice/bad', 'MOD01-softmax-twice/good']
    """
    return tuple(RuleSample(rule, kind) for rule in RULES for kind in KINDS)


def load_rule_sample(code: str, kind: str = "bad") -> Fields:
    """Read a rule's sample as the arguments of `Batch.from_arrays`.

    Raises:
        InputError: if there is no such rule or kind.

    >>> import numpy as np
    >>> fields = load_rule_sample("NUM01", "good")
    >>> bool(np.isfinite(fields["logits"]).all())
    True
    """
    rules = {rule.code: rule for rule in RULES}
    if code not in rules:
        raise InputError(f"There is no rule `{code}`.{did_you_mean(code, rules)} There are {', '.join(rules)}.")
    if kind not in KINDS:
        raise InputError(not_one_of("kind", kind, KINDS))
    return read(RuleSample(rules[code], kind).path)

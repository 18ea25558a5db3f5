"""The rules, sorted by code. Adding one: its module, its line here, its folder in `sample_data/rules/`."""

from lossviz.rules._rule import Rule
from lossviz.rules.num01_nonfinite_under_mask import RULE as NUM01

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = (NUM01,)

"""The rules, sorted by code. Adding one: its module, its line here, its folder in `sample_data/rules/`."""

from lossviz.rules._rule import Rule
from lossviz.rules.num01_nonfinite_under_mask import RULE as NUM01
from lossviz.rules.num02_gradient_through_where import RULE as NUM02
from lossviz.rules.num03_impossible_target import RULE as NUM03
from lossviz.rules.num04_minus_infinity_and_soft_labels import RULE as NUM04
from lossviz.rules.num05_fully_masked_attention import RULE as NUM05
from lossviz.rules.num06_half_precision import RULE as NUM06
from lossviz.rules.num07_more_than_32_bits import RULE as NUM07

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = (
    NUM01,
    NUM02,
    NUM03,
    NUM04,
    NUM05,
    NUM06,
    NUM07,
)

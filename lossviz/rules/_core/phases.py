"""The order in which rules run, and which findings explain what later rules would find.

A phase is a question that must be settled before the next one makes sense: whether the mask is inverted comes before
where it ends. A rule names its phase and is skipped if a rule of any earlier phase, direct or indirect, found
something: one root cause gives one finding. Rules of the same phase, and rules without a phase, don't suppress each
other; a rule's own `requires` covers the remaining cases.
"""

from collections.abc import Iterable
from functools import cache
from graphlib import CycleError, TopologicalSorter

from lossviz.rules._core.rule import Rule

__all__ = ["PHASES", "earlier", "in_order", "roots_of"]

PHASES: dict[str, tuple[str, ...]] = {
    "values": (),  # are the lengths valid?
    "weights": (),  # are the weights valid?
    "supervision": ("weights",),  # does anything count?
    "inversion": ("supervision",),  # does the padding count instead of the sequences?
    "ids": ("inversion",),  # are labels with an ignore id really ignored?
    "side": ("values", "ids"),  # is the mask on the same side as the sequences?
    "targets": (),  # are the targets the inputs?
    "shifts": ("targets",),  # are the targets shifted exactly once?
    "layout": ("shifts",),  # are logits and inputs laid out like the targets?
    "alignment": ("shifts",),  # do logits and mask fit their timestep's targets?
    "sequences": ("side",),  # which sequences are empty, and which pad ids are real tokens?
    "ends": ("side", "alignment"),  # does the mask end with the sequence?
    "stops": ("ends",),  # do the sequences end with an end token?
    "agreement": ("ends",),  # do all masks agree?
    "shape": ("agreement",),  # what else is notable about a correct mask?
    "attention": (),  # is all padding nothing but NaN?
    "numbers": ("attention",),  # if not, where do NaN and infinity come from?
}
"""Each phase with its direct predecessors."""


@cache
def earlier(phase: str) -> frozenset[str]:
    """All phases before this one, direct or indirect.

    >>> sorted(earlier("ids"))
    ['inversion', 'supervision', 'weights']
    """
    before = PHASES[phase] if phase else ()
    return frozenset(before).union(*map(earlier, before))


def roots_of(rule: Rule, rules: Iterable[Rule]) -> tuple[str, ...]:
    """The codes of the rules whose findings would explain this rule's finding, in the given order."""
    before = earlier(rule.phase)
    return tuple(other.code for other in rules if other.phase in before or other.code in rule.requires)


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """Sort the rules so that each comes after its roots.

    Raises:
        RuntimeError: if rules require each other.
    """
    by_code = {rule.code: rule for rule in rules}
    sorter = TopologicalSorter({code: roots_of(rule, by_code.values()) for code, rule in by_code.items()})
    try:
        return [by_code[code] for code in sorter.static_order()]
    except CycleError as error:
        raise RuntimeError(f"the rules {', '.join(sorted(set(error.args[1])))} require each other") from None

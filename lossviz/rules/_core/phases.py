"""The order in which rules run, and which findings explain what later rules would find.

A phase is a question that must be settled before the next one makes sense: whether the mask is inverted comes before
where it ends. A rule names its phase and is silent where a rule of an earlier phase, over any number of steps, found
something: one root cause gives one finding. Rules of one phase, and rules without a phase, do not silence each other;
what remains is a rule's own `requires`.
"""

from collections.abc import Iterable
from functools import cache
from graphlib import CycleError, TopologicalSorter

from lossviz.rules._core.rule import Rule

__all__ = ["PHASES", "earlier", "in_order", "roots_of"]

PHASES: dict[str, tuple[str, ...]] = {
    "values": (),  # lengths that are lengths
    "weights": (),  # weights that are weights
    "supervision": ("weights",),  # does anything count?
    "inversion": ("supervision",),  # does the padding count instead of the sequences?
    "ids": ("inversion",),  # are ignored labels ignored?
    "side": ("values", "ids"),  # is the mask on the side of the sequences?
    "targets": (),  # are the targets the inputs?
    "shifts": ("targets",),  # are they shifted once?
    "layout": ("shifts",),  # do logits and inputs stand where the targets do?
    "alignment": ("shifts",),  # do logits and mask fit the targets of their timestep?
    "sequences": ("side",),  # which sequences are empty, which pad ids are words?
    "ends": ("side", "alignment"),  # does the mask end with the sequence?
    "stops": ("ends",),  # does the sequence say that it ends?
    "agreement": ("ends",),  # do all masks say the same?
    "shape": ("agreement",),  # what is left to say about a mask that is right
    "attention": (),  # is NaN all there is, in all padding?
    "numbers": ("attention",),  # else, where do NaN and infinity come from?
}
"""Each phase with those that come right before it."""


@cache
def earlier(phase: str) -> frozenset[str]:
    """The phases before this one, over any number of steps.

    >>> sorted(earlier("ids"))
    ['inversion', 'supervision', 'weights']
    """
    before = PHASES[phase] if phase else ()
    return frozenset(before).union(*map(earlier, before))


def roots_of(rule: Rule, rules: Iterable[Rule]) -> tuple[str, ...]:
    """The codes of those rules whose finding explains what this one would find, in their order."""
    before = earlier(rule.phase)
    return tuple(other.code for other in rules if other.phase in before or other.code in rule.requires)


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """The rules so that each comes after its roots.

    Raises:
        RuntimeError: if rules require each other.
    """
    by_code = {rule.code: rule for rule in rules}
    sorter = TopologicalSorter({code: roots_of(rule, by_code.values()) for code, rule in by_code.items()})
    try:
        return [by_code[code] for code in sorter.static_order()]
    except CycleError as error:
        raise RuntimeError(f"the rules {', '.join(sorted(set(error.args[1])))} require each other") from None

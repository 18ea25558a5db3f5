"""The conventions as hypotheses: each row of `CONVENTIONS` under the mask that it uses."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lossviz.conventions import CONVENTIONS, Convention, Quotient
from lossviz.conventions._terms import terms_of
from lossviz.identify._facts import Facts, amount
from lossviz.identify._hypothesis import BUG, KNOWN, Combination, Hypothesis, Steps, arrays_of, parts_of
from lossviz.identify._losses import SMOOTHING
from lossviz.identify._ways import CODES
from lossviz.reductions import Options

__all__ = ["TWINS", "known"]

TWINS = {
    "C02": ("PAD01",),
    "C03z": ("RED08",),
    "C04": ("PAD01",),
    "C05": ("PAD02", "RED06", "RED08"),
    "C05w": ("RED08",),
    "C07": ("RED05",),
    "C07a": ("RED05",),
    "C07g": ("RED05",),
    "C08": ("RED06",),
    "C08m": ("RED06", "C08"),
    "C11": ("RED13",),
    "C14": ("RED04",),
    "C15": ("RED16",),
    "C16": ("RED06",),
    "C18o": ("RED01", "C18"),
    "C19": ("RED17",),
    "C20p": ("C20",),
    "C21": ("RED12",),
    "C21b": ("RED12", "C21"),
    "C23": ("RED08",),
    "C23w": ("C23",),
    "C24": ("RED09",),
    "LS1": ("RED11",),
    "LS2": ("RED11",),
    "LS2b": ("LS2",),
    "LS3s": ("LS3",),
    "LS4n": ("LS4",),
    "LS5": ("RED11",),
    "SH1": ("SHF02",),
    "SH2": ("SHF02",),
    "Z1s": ("Z1",),
}
"""By a convention's code, the bug that has the same formula, whose fix is shown, and the row that it is a part of."""

UNITS = {"nats": "", "bits": ", and prints bits", "perplexity": ", and prints e to the power of that"}


def known(facts: Facts, steps: Steps) -> Iterator[Hypothesis]:
    """Every convention whose options are known; label smoothing with each usual ε where none was said."""
    terms = terms_of(facts.analysis)
    for convention in CONVENTIONS:
        for options, is_said in _options(convention, facts.options):
            with np.errstate(all="ignore"):
                quotient = convention.evaluate(terms, options)
            if not np.isnan(quotient.divisor):  # else it has no one number on this batch
                yield _hypothesis(convention, quotient, facts, steps, None if is_said else options.smoothing)


def _options(convention: Convention, options: Options) -> Iterator[tuple[Options, bool]]:
    lacks = options.lacks(convention.needs)
    if not lacks or (lacks == ("accumulation_steps",) and options.groups is not None):
        yield options, True
    elif lacks == ("smoothing",):
        for epsilon in SMOOTHING:
            yield replace(options, smoothing=epsilon), False


def _hypothesis(
    convention: Convention, quotient: Quotient, facts: Facts, steps: Steps, guessed: float | None
) -> Hypothesis:
    unmasked = convention.mask == "none" and facts.padding > 0
    twins = TWINS.get(convention.code, ()) if facts.counting else ("PAD11",)
    return Hypothesis(
        code=convention.code,
        title=convention.name if guessed is None else f"{convention.name}, ε = {guessed:g}",
        values=np.array([quotient.value]),
        kind="bug" if unmasked else "convention" if convention.unit == "nats" else "unit",
        tier=BUG if unmasked or guessed is not None else KNOWN,
        cost=_cost(convention, facts) + (0 if guessed is None else 20) + 2 * unmasked,
        sentence=_sentence(convention, quotient, facts, steps, guessed),
        formula=convention.formula,
        arrays=lambda: arrays_of(_combination(convention, steps)),
        is_sure=not unmasked,
        is_guess=guessed is not None,
        aliases=twins,
        bugs=twins,
        parts=_parts(convention, steps, guessed),
        convention=convention,
    )


def _parts(convention: Convention, steps: Steps, guessed: float | None) -> frozenset[str]:
    own = {f"{convention.code} {'' if guessed is None else f'{guessed:g}'}"}
    is_row = convention.reduction in CODES and not convention.needs
    return parts_of(_combination(convention, steps)) if is_row else frozenset(own)


def _cost(convention: Convention, facts: Facts) -> float:
    """The mean first, then other numbers in nats, then other units; a classifier's own sum before them."""
    own = not convention.code[:1].isupper()
    if convention.code == "classification" == facts.analysis.settings.reduction:
        return -1.0
    return 2.0 * (convention.unit != "nats") + (convention.reduction != "mean" or bool(convention.needs)) + 0.5 * own


def _combination(convention: Convention, steps: Steps) -> Combination:
    """What the formula multiplies the plain losses by: the reduction that divides as it does."""
    losses, masks, ways, units = steps
    mask = masks[0]
    if convention.mask == "none":
        mask = next(m for m in masks if m.code == "PAD01")
    way = next((way for way in ways if way.key == convention.reduction), ways[0])
    return losses[0], mask, way, units[list(UNITS).index(convention.unit)]


def _sentence(convention: Convention, quotient: Quotient, facts: Facts, steps: Steps, guessed: float | None) -> str:
    _, mask, way, _ = _combination(convention, steps)
    smoothing = f"smooths the labels with ε = {guessed or facts.options.smoothing or 0:g}, then "
    start = smoothing if "smoothing" in convention.needs else ""
    if convention.mask == "none":
        return mask.clause if quotient.divisor != 1 else f"{mask.clause}; it adds them up and divides by nothing"
    if way.key == convention.reduction and not convention.needs:
        return way.clause + UNITS[convention.unit]
    if quotient.counts.startswith("nothing"):
        return f"{start}adds up {amount(quotient.numerator)} and divides by nothing{UNITS[convention.unit]}"
    by = f"{amount(quotient.divisor)}, the {quotient.counts}"
    return f"{start}divides {amount(quotient.numerator)} by {by}{UNITS[convention.unit]}"

"""The conventions as hypotheses: each row of `CONVENTIONS` under the mask that it uses."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from lossviz.conventions import CONVENTIONS, Convention, Quotient, terms_of
from lossviz.identification._components import Component
from lossviz.identification._context import Context, amount
from lossviz.identification._hypothesis import BUG, KNOWN, Combination, Components, Hypothesis, arrays_of, parts_of
from lossviz.identification.candidates._losses import SMOOTHING
from lossviz.identification.candidates._one_off import (
    bits_per_byte_arrays,
    decoder_length_arrays,
    keras_arrays,
    mean_perplexity_arrays,
)
from lossviz.identification.candidates._reductions import CODES
from lossviz.reductions import Options

__all__ = ["TWINS", "known_conventions"]

Array = np.ndarray

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
    "C20p": ("C20", "PAD02"),
    "C21": ("RED12",),
    "C21b": ("RED12", "C21"),
    "C23": ("RED08",),
    "C23w": ("C23",),
    "C24": ("RED09",),
    "LS1": ("RED11",),
    "LS2": ("RED11",),
    "LS2b": ("LS2",),
    "LS3s": ("LS3",),
    "LS4n": ("LS4", "LS3"),
    "LS5": ("RED11",),
    "SH1": ("SHF02",),
    "SH2": ("SHF02",),
    "Z1s": ("Z1",),
}
"""By a convention's code, the bug that has the same formula, whose fix is shown, and the row that it is a part of."""

STEPS = {
    "C18o": ("", "RED01"),
    "C19": ("", "RED17"),
    "C21": ("", "RED01"),
    "C21b": ("", "RED12"),
    "C24": ("", "C24"),
    "LS1": ("LS1", "mean"),
    "LS2": ("LS2", "mean"),
    "LS2b": ("LS2", "mean"),
    "LS3": ("LS3", "mean"),
    "LS3s": ("LS3", "language_model"),
    "LS4": ("LS3", "encoder_decoder"),
    "LS4n": ("LS3", "mean"),
    "SH1": ("SHF02", "mean"),
    "SH2": ("SHF02", "mean"),
}
"""The loss and the way of the conventions that are no row of `REDUCTIONS`: codes, or a reduction's name."""

FIRST_ORDER = {"LS5": ("", "language_model"), "Z1": ("", "mean"), "Z1s": ("", "language_model")}
"""What multiplies the plain loss in those that add something to it."""

COUNTING = "timesteps that count"
Kind = TypeVar("Kind", bound=Component)
UNITS = {"nats": "", "bits": ", and prints bits", "perplexity": ", and prints e to the power of that"}


def known_conventions(context: Context, components: Components) -> Iterator[Hypothesis]:
    """Every convention whose options are known; label smoothing with each usual ε where none was said."""
    terms = terms_of(context.analysis)
    for convention in CONVENTIONS:
        for options, is_given in _options(convention, context.options):
            with np.errstate(all="ignore"):
                quotient = convention.evaluate(terms, options)
            is_made = is_given or np.isfinite(quotient.numerator) or not np.isfinite(context.total)
            if is_made and not np.isnan(quotient.divisor):  # else it has no one number on this batch
                yield _hypothesis(convention, quotient, context, components, None if is_given else options.smoothing)


def _options(convention: Convention, options: Options) -> Iterator[tuple[Options, bool]]:
    lacks = options.missing(convention.needs)
    if not lacks or (lacks == ("accumulation_steps",) and options.groups is not None):
        yield options, True
    elif lacks == ("smoothing",):
        for epsilon in SMOOTHING:
            yield replace(options, smoothing=epsilon), False


def _hypothesis(
    convention: Convention, quotient: Quotient, context: Context, components: Components, guessed: float | None
) -> Hypothesis:
    unmasked = convention.mask == "none" and context.padding > 0
    twins = TWINS.get(convention.code, ()) if context.counting else ("PAD11",)
    return Hypothesis(
        code=convention.code,
        title=convention.name if guessed is None else f"{convention.name}, ε = {guessed:g}",
        values=np.array([quotient.value]),
        kind="bug" if unmasked else "convention" if convention.unit == "nats" else "unit",
        tier=BUG if unmasked or guessed is not None else KNOWN,
        cost=_cost(convention, context) + (0 if guessed is None else 20) + 2 * unmasked,
        sentence=_sentence(convention, quotient, context, components, guessed),
        formula=convention.formula,
        arrays=lambda: _arrays(convention, context, components, guessed),
        is_sure=not unmasked,
        is_guess=guessed is not None,
        aliases=twins,
        bugs=twins,
        parts=_parts(convention, context, components, guessed),
        convention=convention,
    )


def _arrays(
    convention: Convention, context: Context, components: Components, guessed: float | None
) -> tuple[Array, Array]:
    if convention.code == "C13":
        return mean_perplexity_arrays(context)
    if convention.code == "C22":
        return decoder_length_arrays(context)
    if convention.code == "C25":
        return bits_per_byte_arrays(context)
    if convention.code == "C05k":
        return keras_arrays(context)
    return arrays_of(_combination(convention, components, guessed))


def _parts(convention: Convention, context: Context, components: Components, guessed: float | None) -> frozenset[str]:
    by_default = convention.reduction == "sequence_loss" and context.options.flags == Options().flags
    as_reduction = convention.reduction in CODES and not convention.needs and convention.code != "C05k"
    if convention.code in STEPS or as_reduction or by_default:
        return parts_of(_combination(convention, components, guessed))
    return frozenset({f"{convention.code} {'' if guessed is None else f'{guessed:g}'}"})


def _cost(convention: Convention, context: Context) -> float:
    """The mean first, then other numbers in nats, then other units; a classifier's own sum before them."""
    own = not convention.code[:1].isupper()
    if convention.code == "classification" == context.analysis.settings.reduction:
        return -1.0
    return 2.0 * (convention.unit != "nats") + (convention.reduction != "mean" or bool(convention.needs)) + 0.5 * own


def _combination(convention: Convention, components: Components, guessed: float | None = None) -> Combination:
    """What the formula multiplies the losses by: the steps that do as it does, the mean where none does."""
    losses, masks, reductions, units = components
    loss, reduction = (STEPS | FIRST_ORDER).get(convention.code, ("", convention.reduction or ""))
    key = {} if guessed is None else {"key": f"{guessed:g}"}
    return (
        _first(losses, code=loss, **key) if loss else losses[0],
        _first(masks, code="PAD01" if convention.mask == "none" else ""),
        _first(reductions, code=reduction) if reduction[:1].isupper() else _first(reductions, key=reduction),
        units[list(UNITS).index(convention.unit)],
    )


def _first(components: Sequence[Kind], **wanted: str) -> Kind:
    """The first step of that code and key, or the one that is as declared."""
    for component in components:
        if all(getattr(component, name) == value for name, value in wanted.items()):
            return component
    return next((component for component in components if wanted.get("code", "-") in component.aliases), components[0])


def _sentence(
    convention: Convention, quotient: Quotient, context: Context, components: Components, guessed: float | None
) -> str:
    _, mask, reduction, _ = _combination(convention, components)
    start = _first_of_all(convention, context, guessed)
    if convention.mask == "none":
        return mask.clause if quotient.divisor != 1 else f"{mask.clause}; it adds them up and divides by nothing"
    if reduction.key == convention.reduction and not convention.needs and convention.code != "C05k":
        return reduction.clause + UNITS[convention.unit]
    if quotient.counts.startswith("nothing"):
        return f"{start}adds up {amount(quotient.numerator)} and divides by nothing{UNITS[convention.unit]}"
    counts = quotient.counts if context.has_binary_weights else quotient.counts.replace(COUNTING, "sum of the weights")
    by = f"{amount(quotient.divisor)}, the {counts.removeprefix('the ')}"
    unit = "" if convention.code == "C13" else UNITS[convention.unit]  # its numerator holds perplexities already
    return f"{start}divides {amount(quotient.numerator)} by {by}{unit}"


def _first_of_all(convention: Convention, context: Context, guessed: float | None) -> str:
    """What a convention does to the losses before it divides, or ""."""
    if "smoothing" in convention.needs:
        return f"smooths the labels with ε = {guessed or context.options.smoothing or 0:g}, then "
    if "z_loss" in convention.needs:
        return f"adds {context.options.z_loss or 0:g} · logsumexp² to each loss, then "
    return "compares each timestep's logits with the next target, then " if convention.code[:2] == "SH" else ""

"""The conventions as hypotheses: each row of `CONVENTIONS` under its own mask."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from lossviz.conventions import CONVENTIONS, Convention, Quotient, terms_of
from lossviz.errors import NoLogitsError
from lossviz.identification._components import CandidateReduction, Component
from lossviz.identification._context import Context, amount
from lossviz.identification._hypothesis import BUG, KNOWN, Combination, Components, Hypothesis, arrays_of, parts_of
from lossviz.identification.candidates._losses import SMOOTHING
from lossviz.reductions import Options, reduction_named

__all__ = ["known_conventions"]

Array = np.ndarray

COUNTING = "timesteps that count"
SHIFTED = ("SH1", "mean")
Kind = TypeVar("Kind", bound=Component)
UNITS = {"nats": "", "bits": ", and prints bits", "perplexity": ", and prints e to the power of that"}


def known_conventions(context: Context, components: Components) -> Iterator[Hypothesis]:
    """Every convention whose options are known; label smoothing with each usual ε if none was given."""
    terms = terms_of(context.analysis)
    for convention in CONVENTIONS:
        for options, is_given in _options(convention, context.options):
            try:
                with np.errstate(all="ignore"):
                    quotient = convention.evaluate(terms, options)
            except NoLogitsError:
                continue
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
    twins = convention.bugs if context.counting else ("PAD11",)
    if twins == ("SHF02",) and context.fits_as_given:
        return _second_shift(convention, quotient, context, components)
    if convention.searched_as == SHIFTED and context.is_shifted_inside:
        twins = ()
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
        divided_by=_divided_by(convention, components),
        guessed="" if guessed is None else "smoothing",
        aliases=twins,
        bugs=twins,
        parts=_parts(convention, context, components, guessed),
        convention=convention,
    )


def _second_shift(convention: Convention, quotient: Quotient, context: Context, components: Components) -> Hypothesis:
    """A shift of targets that the logits fit as they are: a mistake, although some library shifts unshifted ones so."""
    return Hypothesis(
        code="SHF02",
        title="Targets shifted twice",
        values=np.array([quotient.value]),
        kind="bug",
        tier=BUG,
        cost=_cost(convention, context),
        sentence=f"shifts once more, although the logits fit the targets as they are: it "
        f"{_sentence(convention, quotient, context, components, None)}",
        formula=convention.formula,
        arrays=lambda: _arrays(convention, context, components, None),
        is_sure=True,
        aliases=(convention.code,),
        bugs=("SHF02",),
        parts=_parts(convention, context, components, None),
        convention=convention,
    )


def _arrays(
    convention: Convention, context: Context, components: Components, guessed: float | None
) -> tuple[Array, Array]:
    if convention.coefficients is not None:
        return convention.coefficients(terms_of(context.analysis), context.options)
    return arrays_of(_combination(convention, components, guessed))


def _parts(convention: Convention, context: Context, components: Components, guessed: float | None) -> frozenset[str]:
    by_default = convention.reduction == "sequence_loss" and context.options.flags == Options().flags
    if convention.is_product and (convention.searched_as or _is_candidate(convention) or by_default):
        return parts_of(_combination(convention, components, guessed))
    return frozenset({f"{convention.code} {'' if guessed is None else f'{guessed:g}'}"})


def _is_candidate(convention: Convention) -> bool:
    """Whether it is a candidate reduction under another name."""
    named = convention.reduction is not None and not convention.needs
    return named and reduction_named(convention.reduction or "").code is not None


def _cost(convention: Convention, context: Context) -> float:
    """The mean first, then other numbers in nats, then other units; a classifier's own sum before all of them."""
    own = convention.code == convention.reduction
    if own and convention.reduction == "classification" == context.analysis.settings.reduction:
        return -1.0
    return 2.0 * (convention.unit != "nats") + (convention.reduction != "mean" or bool(convention.needs)) + 0.5 * own


def _combination(convention: Convention, components: Components, guessed: float | None = None) -> Combination:
    """The components with the formula's coefficients; those of the mean where no candidate has them."""
    losses, masks, reductions, units = components
    loss, reduction = convention.searched_as or ("", convention.reduction or "")
    key = {} if guessed is None else {"key": f"{guessed:g}"}
    return (
        _first(losses, code=loss, **key) if loss else losses[0],
        _first(masks, code="PAD01" if convention.mask == "none" else ""),
        _first(reductions, code=reduction) if reduction[:1].isupper() else _first(reductions, key=reduction),
        units[list(UNITS).index(convention.unit)],
    )


def _first(components: Sequence[Kind], **wanted: str) -> Kind:
    """The first component with that code and key, or else the declared one."""
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
        return mask.clause if quotient.divisor != 1 else f"{mask.clause}, and divides their sum by nothing"
    if _is_reduction(convention, reduction):
        return reduction.clause + UNITS[convention.unit]
    if not quotient.divides:
        return f"{start}adds up {amount(quotient.numerator)} and divides by nothing{UNITS[convention.unit]}"
    counts = quotient.counts if context.has_binary_weights else quotient.counts.replace(COUNTING, "sum of the weights")
    by = f"{amount(quotient.divisor)}, the {counts.removeprefix('the ')}"
    of_perplexities = convention.unit == "perplexity" and convention.reduction is None  # in the numerator already
    unit = "" if of_perplexities else UNITS[convention.unit]
    return f"{start}divides {amount(quotient.numerator)} by {by}{unit}"


def _divided_by(convention: Convention, components: Components) -> str:
    """The divisor of a convention that only divides, in words; else ""."""
    reduction = _combination(convention, components)[2]
    is_division = convention.mask is None and convention.unit == "nats" and _is_reduction(convention, reduction)
    return reduction.divided_by if is_division else ""


def _is_reduction(convention: Convention, reduction: CandidateReduction) -> bool:
    """Whether the convention is the candidate under another name, up to its unit."""
    return reduction.key == convention.reduction and not convention.needs and convention.is_product


def _first_of_all(convention: Convention, context: Context, guessed: float | None) -> str:
    """What a convention does to the losses before dividing, or ""."""
    options = context.options
    known = {"smoothing": guessed or options.smoothing or 0.0, "z_loss": options.z_loss or 0.0}
    return f"{convention.first.format(**known)}, then " if convention.first else ""

"""What the loss of a timestep may be other than the cross entropy of the logits (MOD, NUM, label smoothing)."""

from collections.abc import Iterator

import numpy as np

from lossviz.conventions import smoothed_without_pad, terms_of
from lossviz.identification._components import Loss
from lossviz.identification._context import Context, amount

__all__ = ["SMOOTHING", "losses", "smoothed"]

Array = np.ndarray
SMOOTHING = (0.05, 0.1, 0.15, 0.2)
"""The values of ε tried when none was given (RED-11)."""

OVER_ALL = r"\mathrm{loss} \to (1-\varepsilon)\,\mathrm{loss} + \varepsilon\operatorname{mean}_v(-\log p_v),"
OVER_ALL += r"\ \varepsilon = EPSILON"
OVER_OTHERS = r"\mathrm{loss} \to (1-\varepsilon-i)\,\mathrm{loss} + i\textstyle\sum_v(-\log p_v),"
OVER_OTHERS += r"\ \varepsilon = EPSILON,\ i = \frac{\varepsilon}{V-1}"
WITHOUT_PAD = r"\mathrm{loss} \to \textstyle\sum_{v \ne \mathrm{pad}} -q_v \log p_v,"
WITHOUT_PAD += r"\ q_y = 1-\varepsilon,\ q_v = \frac{\varepsilon}{V-2},\ \varepsilon = EPSILON"
CAPS = ((1e-10, "10^{-10}", "Sockeye"), (1e-7, "10^{-7}", "Keras with from_logits=False"))


def losses(context: Context) -> tuple[Loss, ...]:
    """The cross entropy, then what mistakes and label smoothing make of it."""
    plain = Loss(values=context.loss, cost=0)
    if not context.analysis.has_logits:
        return (plain, *_capped(context), *_truncated(context))
    mistaken = (*_softmaxes(context), *_nll(context), *_halves(context), *_capped(context), *_truncated(context))
    return (plain, *smoothed(context), *mistaken)


def smoothed(context: Context) -> Iterator[Loss]:
    """Label smoothing over V and V − 1 classes, the latter also minus its entropy; every usual ε if none was given."""
    given = context.options.smoothing
    for epsilon in (given,) if given is not None else SMOOTHING:
        if epsilon:
            yield from _smoothed_by(context, epsilon, given is not None)


def _smoothed_by(context: Context, epsilon: float, is_given: bool) -> Iterator[Loss]:
    clause = f"smooths the labels with ε = {epsilon:g}"
    with np.errstate(invalid="ignore"):
        over_all = (1 - epsilon) * context.loss + epsilon * context.alternatives.uniform_loss
    yield _smoothing(
        "LS1",
        epsilon,
        is_given,
        title=f"Label smoothing {epsilon:g} over V",
        clause=f"{clause}, ε/V for each class",
        formula=OVER_ALL.replace("EPSILON", f"{epsilon:g}"),
        values=over_all,
    )
    yield _over_all_less_entropy(context, epsilon, is_given, clause, over_all)
    if context.classes > 2:
        yield from _without_pad(context, epsilon, is_given, f"{clause}, ε/(V − 2) for each other class but the pad id")
    if context.classes > 1:
        yield from _over_others(context, epsilon, is_given, f"{clause}, ε/(V − 1) for each other class")


def _over_all_less_entropy(context: Context, epsilon: float, is_given: bool, clause: str, over_all: Array) -> Loss:
    """`kl_div` to targets that were smoothed over all classes."""
    each = epsilon / context.classes
    least = -((1 - epsilon + each) * np.log(1 - epsilon + each) + (context.classes - 1) * each * np.log(each))
    return _smoothing(
        "LS3",
        epsilon,
        is_given,
        title=f"Label smoothing {epsilon:g} over V, less its entropy",
        clause=f"{clause}, ε/V for each class, and subtracts their entropy H = {amount(least)}",
        formula=OVER_ALL.replace("EPSILON", f"{epsilon:g}") + r",\ \text{less}\ H",
        values=over_all - least,
        key=f"{epsilon:g} over V",
    )


def _over_others(context: Context, epsilon: float, is_given: bool, clause: str) -> Iterator[Loss]:
    each = epsilon / (context.classes - 1)
    with np.errstate(invalid="ignore"):
        others = (1 - epsilon - each) * context.loss + each * context.classes * context.alternatives.uniform_loss
    least = -((1 - epsilon) * np.log(1 - epsilon) + epsilon * np.log(each + 1e-20))
    formula = OVER_OTHERS.replace("EPSILON", f"{epsilon:g}")
    yield _smoothing(
        "LS2",
        epsilon,
        is_given,
        title=f"Label smoothing {epsilon:g} over V − 1",
        clause=clause,
        formula=formula,
        values=others,
    )
    yield _smoothing(
        "LS3",
        epsilon,
        is_given,
        title=f"Label smoothing {epsilon:g} over V − 1, less its entropy",
        clause=f"{clause}, and subtracts their entropy H = {amount(least)}",
        formula=formula + r",\ \text{less}\ H",
        values=others - least,
    )


def _without_pad(context: Context, epsilon: float, is_given: bool, clause: str) -> Iterator[Loss]:
    with np.errstate(invalid="ignore"):
        crossed, divergence = smoothed_without_pad(terms_of(context.analysis), epsilon)
    for code, what, formula, values in (
        ("LS6", "", WITHOUT_PAD, crossed),
        ("LS5", ", and subtracts their entropy", WITHOUT_PAD + r",\ \text{less}\ H", divergence),
    ):
        yield _smoothing(
            code,
            epsilon,
            is_given,
            title=f"Label smoothing {epsilon:g} over V − 2{', less its entropy' if what else ''}",
            clause=f"{clause}{what}",
            formula=formula.replace("EPSILON", f"{epsilon:g}"),
            values=values,
        )


def _smoothing(
    code: str, epsilon: float, is_given: bool, *, title: str, clause: str, formula: str, values: Array, key: str = ""
) -> Loss:
    return Loss(
        code=code,
        title=title,
        clause=clause,
        formula=formula,
        is_bug=False,
        is_sure=is_given,
        guessed="" if is_given else "smoothing",
        cost=2 if is_given else 20,
        key=key or f"{epsilon:g}",
        values=values,
    )


def _softmaxes(context: Context) -> Iterator[Loss]:
    twice, as_probabilities = _sigmoids(context) if context.is_classifier else _of_softmax(context)
    yield Loss(
        code="MOD01",
        title="Softmax applied twice",
        clause="gives probabilities to a loss that applies softmax again",
        formula=r"\mathrm{loss} = -\log \operatorname{softmax}(\operatorname{softmax}(z))_y",
        cost=4,
        values=twice,
    )
    yield Loss(
        code="MOD02",
        title="Logits read as probabilities",
        clause="gives logits to a loss that expects probabilities (from_logits=False)",
        formula=r"\mathrm{loss} = -\log \frac{\operatorname{clip}(z)_y}{\sum_v \operatorname{clip}(z)_v}",
        cost=4,
        values=as_probabilities,
    )


def _of_softmax(context: Context) -> tuple[Array, Array]:
    return context.alternatives.twice, context.alternatives.as_probabilities


def _sigmoids(context: Context) -> tuple[Array, Array]:
    """For one logit x: the sigmoid applied twice, and x clipped and read as the probability of class 1."""
    x = context.analysis.batch.logits[..., 0].astype(np.float64)
    is_one, is_class = context.targets == 1, np.isin(context.targets, (0, 1))
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-x))
        clipped = np.clip(x, 1e-7, 1 - 1e-7)
        twice = np.log1p(np.exp(np.where(is_one, -p, p)))
        as_probabilities = -np.log(np.where(is_one, clipped, 1 - clipped))
    return np.where(is_class, twice, np.nan), np.where(is_class, as_probabilities, np.nan)


def _nll(context: Context) -> Iterator[Loss]:
    """What a loss that expects log-probabilities, as NLLLoss does, makes of logits and of probabilities."""
    with np.errstate(all="ignore"):
        logits, probabilities = context.loss - context.analysis.logsumexp, -np.exp(-context.loss)
    for code, what, values in (("MOD02", "logits", logits), ("MOD01", "probabilities", probabilities)):
        yield Loss(
            code=code,
            title=f"{what.capitalize()} read as log-probabilities",
            clause=f"gives {what} to a loss that expects log-probabilities, as NLLLoss does",
            formula=r"\mathrm{loss} = -" + ("z_y" if what == "logits" else "p_y"),
            cost=4,
            key="nll",
            values=values,
        )


def _halves(context: Context) -> Iterator[Loss]:
    other, dtype = context.alternatives, context.analysis.batch.logits.dtype.name
    for name, values in (("bfloat16", other.in_bfloat16), ("float16", other.in_float16)):
        yield Loss(
            code="NUM06",
            title=f"Logits rounded to {name}",
            clause=f"takes the loss of logits that were rounded to {name}",
            formula=rf"z \to \mathrm{{{name}}}(z)",
            cost=6,
            is_sure=dtype == name,
            key=name,
            values=values,
        )


def _capped(context: Context) -> Iterator[Loss]:
    for least, latex, who in CAPS:
        cap = -np.log(least)
        above = int(((context.loss > cap) & (context.weights != 0)).sum())
        capped = "1 loss is" if above == 1 else f"{above:,} losses are"
        yield Loss(
            code="NUM08",
            title=f"Losses capped at {amount(cap)}",
            clause=f"never lets a probability fall below {least:g}, as {who} does: {capped} capped",
            formula=rf"\mathrm{{loss}} \to \min(\mathrm{{loss}}, -\log {latex})",
            cost=5,
            is_sure=above > 0,
            key=f"{least:g}",
            values=np.minimum(context.loss, cap),
        )


def _truncated(context: Context) -> Iterator[Loss]:
    """TensorFlow 2.21: float * bool casts both to whole numbers, multiplies, and casts to bool."""
    if context.has_binary_weights:
        with np.errstate(over="ignore"):
            from_one_on = context.loss.astype(np.float32) >= 1  # as the loop has them
        above = int((from_one_on & (context.weights != 0)).sum())
        yield Loss(
            code="NUM10",
            title="Losses cut to whole numbers",
            clause="multiplies the losses by a boolean mask, which in TensorFlow makes 1 of every loss from 1 on and "
            f"0 of the others: {above:,} of those that count are 1 or more",
            formula=r"\mathrm{loss} \to [\mathrm{loss} \ge 1]",
            cost=9,
            values=np.where(np.isnan(context.loss), np.nan, from_one_on.astype(float)),
        )

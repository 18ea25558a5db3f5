"""A row of `REDUCTIONS`, and the functions to build one from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lossviz.reductions._flags import reduce_sequence_loss, sum_of_weights
from lossviz.reductions._options import Options
from lossviz.reductions._reduced import Reduced

__all__ = ["Reduce", "Reduction", "by_flags", "counted", "decoder", "mean", "over", "summed"]

Array = np.ndarray
Reduce = Callable[[Array, Array, Options], Reduced]


@dataclass(frozen=True)
class Reduction:
    """Everything that the app knows about one reduction.

    Attributes:
        name: its name in `Settings`.
        title: its title on screen.
        formula: LaTeX.
        source: where it comes from.
        reduce: (loss, weights, options) → Reduced; the loss [B, T] is 0 where the weight is 0.
        needs: the options that it cannot do without.
        may_take: the options that have a default.
        unit: of the number.
        group: its divisor, a key of `lossviz.conventions.DIVISORS`.
        code: the code under which `identify` reports it; "" for the mean, None where it is not tried by itself.
        divided_by: the divisor in the explanations of `identify`; {…} are the names of `lossviz.identification`'s
            `Context.words`.
        clause: what the training loop does, if it does more than divide; "divides by …" if left out.
        symbol: the divisor in a sentence, such as "N − B", to explain why two divisors coincide.
        parts: what its inner means are taken over, "sequences" or "timesteps"; "" without inner means, or where options
            say it.
        script: the divisor as an expression of `lossviz.reproduce`; {…} are the names of its `_divisors`.
    """

    name: str
    title: str
    formula: str
    source: str
    reduce: Reduce
    needs: tuple[str, ...] = ()
    may_take: tuple[str, ...] = ()
    unit: str = "nats"
    group: str = "other"
    code: str | None = None
    divided_by: str = ""
    clause: str = ""
    symbol: str = ""
    script: str = ""
    parts: str = ""

    def divisors(self, weights: Array, options: Options) -> Array:
        """What each weighted loss is divided by, broadcastable to [B, T], without the losses."""
        if isinstance(self.reduce, over):  # three passes over [B, T] less
            return np.full((1, 1), float(self.reduce.divisor(weights, options)))
        return self.reduce(np.broadcast_to(0.0, weights.shape), weights, options).effective_divisor


@dataclass(frozen=True)
class over:  # noqa: N801 - a function of its divisor
    """Σ w·loss over a divisor; in `counts`, {weights} stands for what Σ w counts."""

    divisor: Callable[[Array, Options], float]
    counts: str

    def __call__(self, loss: Array, weights: Array, options: Options) -> Reduced:
        """The reduction."""
        numerator = (weights * loss).sum(keepdims=True)
        words = self.counts.format(weights=sum_of_weights(weights))
        return Reduced(numerator, np.full((1, 1), float(self.divisor(weights, options))), words)


def mean(loss: Array, weights: Array, _: Options) -> Reduced:
    """Σ w·loss ÷ Σ w."""
    return reduce_sequence_loss(loss, weights, (True, True, False, False))


def counted(loss: Array, weights: Array, _: Options) -> Reduced:
    """Σ w·loss ÷ count(w ≠ 0)."""
    return reduce_sequence_loss(loss, weights, (False, False, True, True))


def by_flags(loss: Array, weights: Array, options: Options) -> Reduced:
    """The reduction that the four flags of `sequence_loss` select."""
    return reduce_sequence_loss(loss, weights, options.flags)


def decoder(loss: Array, weights: Array, _: Options) -> Reduced:
    """The mean times the mean length less 1; the length of a sequence is its weight."""
    weight = weights.sum(keepdims=True)
    longer = weight / max(len(weights), 1) - 1  # mean length − 1
    each = np.divide(weight, longer, out=np.zeros_like(weight), where=longer != 0)
    counts = f"{sum_of_weights(weights)}, over the mean length less 1"
    return Reduced((weights * loss).sum(keepdims=True), each, counts)


def summed(loss: Array, weights: Array, _: Options) -> Reduced:
    """Σ w·loss, without a division."""
    numerator = (weights * loss).sum(keepdims=True)
    return Reduced(numerator, np.ones((1, 1)), "nothing: the losses are summed", divides=False)

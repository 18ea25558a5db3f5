"""What lossviz should say, derived again: 320-digit decimals and plain loops, and nothing of lossviz in it."""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

PER_TIMESTEP = ("batch_loss", "probability", "entropy", "gradient_norm")


def distribution(logits: Iterable[float]) -> list[Decimal]:
    """The softmax of one row of finite logits, to 320 digits."""
    with localcontext() as context:
        context.prec = 320
        z = [Decimal(float(v)) for v in logits]
        largest = max(z)
        e = [(v - largest).exp() for v in z]
        total = sum(e)
        return [v / total for v in e]


def timestep(logits: Iterable[float], target: int) -> dict[str, float]:
    """Loss, probability, entropy, ‖softmax − onehot‖₂ and rank of one row of finite logits."""
    logits = [float(v) for v in logits]
    with localcontext() as context:
        context.prec = 320
        p = distribution(logits)
        difference = [v - (1 if c == target else 0) for c, v in enumerate(p)]
        return {
            "batch_loss": float(-p[target].ln()),
            "probability": float(p[target]),
            "entropy": float(-sum(v * v.ln() for v in p)),
            "gradient_norm": float(sum(d * d for d in difference).sqrt()),
            "rank": 1 + sum(v > logits[target] for v in logits),
        }


def losses(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """−ln p of every target, [B, T]: `timestep` without the rest, which takes V logarithms."""
    with localcontext() as context:
        context.prec = 320
        rows = zip(logits, targets, strict=True)
        return np.array([[float(-distribution(z)[y].ln()) for z, y in zip(*row, strict=True)] for row in rows])


def timesteps(logits: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
    """`timestep` of every cell, as arrays [B, T]; `gradient_norm` not yet times weight / divisor."""
    rows, columns = targets.shape
    cells = [[timestep(logits[b, t], targets[b, t]) for t in range(columns)] for b in range(rows)]
    names = (*PER_TIMESTEP, "rank")
    return {name: np.array([[cell[name] for cell in row] for row in cells]) for name in names}


def top_five(logits: Iterable[float]) -> list[tuple[int, float]]:
    """(class, probability) of the five largest logits, the lowest class first in a tie."""
    values = [float(v) for v in logits]
    p = distribution(values)
    order = sorted(range(len(values)), key=lambda v: (-values[v], v))[:5]
    return [(v, float(p[v])) for v in order]


def reduced(loss: np.ndarray, weights: np.ndarray, rule: str) -> tuple[Any, Any, Any]:
    """(numerator, divisor, value) of a rule: a reduction's name, or flags such as "at+ab", "st" or "none".

    "micro_batch_means" cuts the sequences in two, and "max_length_7" has L_max = 7.
    """
    rows, columns = loss.shape
    cells = [[(b, t) for t in range(columns)] for b in range(rows)]
    everything = [cell for row in cells for cell in row]
    total, weight, _ = _one(loss, weights, everything)
    divisors = {
        "language_model": 1.0,
        "encoder_decoder": rows,
        "positions": rows * columns,
        "positions_with_start": rows * (columns + 1),
        "max_length": rows * columns,
        "max_length_7": rows * 7,
        "timesteps": columns,
        "timesteps_less_one": columns - 1,
        "with_first_labels": weight + sum(1 for b in range(rows) if weights[b, 0] != 0),
        "without_stops": weight - rows,
        "timesteps_twice": columns * weight,
    }
    if rule in divisors:
        return _one(loss, weights, everything, divisor=float(divisors[rule]))
    if rule == "decoder_length":
        longer = weight / rows - 1
        return total, weight / longer if longer else 0.0, total / weight * longer if weight else 0.0
    columnwise = list(zip(*cells, strict=True))
    middle = (rows + 1) // 2
    halves = [[cell for row in half for cell in row] for half in (cells[:middle], cells[middle:])]
    groups: list[Any] | None = {"sequence": cells, "filled": cells, "timestep": columnwise, "micro": halves}.get(
        rule.split("_")[0]
    )
    if groups and "_means" in rule:
        means = [_one(loss, weights, group) for group in groups]
        filled = sum(1 for _, own, _ in means if own != 0)
        divisor = filled if rule.startswith("filled") else 1 if rule.endswith("_sum") else len(groups)
        numerator = sum(mean for _, _, mean in means)
        return numerator, float(divisor), numerator / divisor if divisor else 0.0
    if rule == "none":
        return weights * loss, np.ones(loss.shape), weights * loss
    nonzero = rule == "counted" or "s" in rule.replace("mean", "")
    if rule in ("mean", "counted", "at+ab", "st+sb"):
        return _one(loss, weights, everything, nonzero=nonzero)
    groups = cells if rule in ("at", "st") else columnwise
    parts = [_one(loss, weights, group, nonzero=nonzero) for group in groups]
    numerators, divisors, values = zip(*parts, strict=True)
    return np.array(numerators), np.array(divisors), np.array(values)


def coefficients(weights: np.ndarray, rule: str) -> np.ndarray:
    """What each loss is multiplied by on its way into its number: the number of a loss of 1 there and 0 elsewhere."""
    found = np.zeros(weights.shape)
    for cell in np.ndindex(*weights.shape):
        unit = np.zeros(weights.shape)
        unit[cell] = 1.0
        found[cell] = np.sum(reduced(unit, weights, rule)[2])
    return found


def _one(
    loss: np.ndarray,
    weights: np.ndarray,
    group: Iterable[tuple[int, int]],
    divisor: float | None = None,
    *,
    nonzero: bool = False,
) -> tuple[float, float, float]:
    counting = [(b, t) for b, t in group if weights[b, t] != 0]
    numerator = sum(float(weights[b, t]) * float(loss[b, t]) for b, t in counting)
    if divisor is None:
        divisor = float(len(counting)) if nonzero else sum(float(weights[b, t]) for b, t in counting)
    return numerator, divisor, numerator / divisor if divisor else 0.0

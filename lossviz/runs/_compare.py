"""Two batches of the same sequences: how much of the difference comes from losses, from the mask, from the divisor."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.digits import number
from lossviz.errors import InputError, not_one_of, require
from lossviz.runs._alignment import aligned
from lossviz.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COMPARED_BY", "MOST_RANK", "Comparison", "compare"]

Array = np.ndarray
MOST_RANK = 50
"""Ranks beyond are as good as each other."""
COMPARED_BY = ("token", "position", "length")
"""What a comparison can be grouped by."""


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What changed from batch a to batch b; arrays are [B, T], in nats, and 0 where neither counts the timestep.

    A number is Σ loss · weight ÷ divisor. Each of the three changes from a to b; what a change of one of them makes is
    counted with the mean of the other two, before and after, so that the three parts add up to the difference exactly,
    and comparing b with a gives the same parts with the other sign.

    Attributes:
        a: the analysis of the first batch; `b`: of the second, its sequences in the order of `a`. Where the two hold
            other sequences too, these are left out of both.
        rows: which sequence of the first batch each row is, [B].
        shared: what was left out, in a sentence, or "".
        from_losses: the part of the difference that the losses make.
        from_mask: the part of which timesteps count, and by how much.
        from_divisor: the part of what the sum is divided by.
        cells: what each timestep adds to the difference; their sum is the difference.

    >>> a, b = (Batch.from_arrays(losses=[losses], targets=[[1, 2]]) for losses in ([1.0, 3.0], [2.0, 3.0]))
    >>> compare(a, b)
    Comparison(2.0000 → 2.5000 nats: +0.5000 = 0.5000 from losses + 0.0000 from the mask + 0.0000 from the divisor)
    """

    a: Analysis
    b: Analysis
    rows: Array
    shared: str
    from_losses: float
    from_mask: float
    from_divisor: float
    cells: Array

    @property
    def difference(self) -> float:
        """The number of b less the number of a."""
        return float(self.b.value) - float(self.a.value)

    @cached_property
    def counts(self) -> Array:
        """Where a timestep counts in a or in b, [B, T] bool."""
        counts: Array = self.a.mask | self.b.mask
        return counts

    @cached_property
    def losses(self) -> Array:
        """The loss in b less the loss in a, [B, T]; NaN where one of them is not known or neither counts."""
        with np.errstate(invalid="ignore"):
            return np.where(self.counts, self.b.batch_loss - self.a.batch_loss, np.nan)

    @cached_property
    def ranks(self) -> Array:
        """The rank of the target in b less that in a, both at most `MOST_RANK`, [B, T]; NaN where not known."""
        known = self.counts & (self.a.rank > 0) & (self.b.rank > 0)
        ranks = [np.minimum(one.rank.astype(float), MOST_RANK) for one in (self.a, self.b)]
        return np.where(known, ranks[1] - ranks[0], np.nan)

    def tokens(self) -> "pd.DataFrame":
        """One row a target, what got worse most first; columns as in `by`, with its `token`."""
        return self.by("token")

    def by(self, name: str) -> "pd.DataFrame":
        """The difference, grouped.

        Columns: the name ("token": the class is in `target`); `count`, how many timesteps; `mean_a` and `mean_b`, the
        mean of their losses; `change`, mean_b − mean_a; `worse`, how many cost more in b; `difference`, what they add
        to the difference of the two numbers: its sum is the difference.

        Args:
            name: "token" (largest difference first), "position", or "length" (how many timesteps of the sequence count
                in a or b).

        Raises:
            InputError: if there is no such grouping.
        """
        if name not in COMPARED_BY:
            raise InputError(not_one_of("name", name, COMPARED_BY))
        pandas = require("pandas", "Comparing batches", "'lossviz[runs]'")
        keys = {
            "token": self.a.batch.targets,
            "position": np.broadcast_to(np.arange(self.counts.shape[1]), self.counts.shape),
            "length": np.broadcast_to(self.counts.sum(axis=1, keepdims=True), self.counts.shape),
        }[name]
        where = self.counts
        column = "target" if name == "token" else name
        frame = pandas.DataFrame(
            {
                column: keys[where],
                "mean_a": self.a.batch_loss[where],
                "mean_b": self.b.batch_loss[where],
                "worse": self.losses[where] > 0,
                "difference": self.cells[where],
            }
        )
        groups = frame.groupby(column)
        table: pd.DataFrame = groups.agg({"mean_a": "mean", "mean_b": "mean", "worse": "sum", "difference": "sum"})
        table.insert(0, "count", groups.size())
        table.insert(3, "change", table["mean_b"] - table["mean_a"])
        table = table.reset_index()
        if name == "token":
            table = table.sort_values(["difference", "target"], ascending=[False, True], ignore_index=True)
            table.insert(0, "token", [self.a.batch.token(int(target)) for target in table["target"]])
        return table

    @property
    def sentence(self) -> str:
        """The difference of the two numbers, in words."""
        a, b = float(self.a.value), float(self.b.value)
        parts = (self.from_losses, self.from_mask, self.from_divisor)
        names = ("the losses", "the mask", "the divisor")
        named = [f"{_signed(part)} from {name}" for part, name in zip(parts, names, strict=True) if abs(part) > 5e-13]
        if not named:
            return f"Both numbers are {number(a)} nats: nothing that counts has changed."
        return f"{number(a)} → {number(b)} nats, {_signed(self.difference)}: {', '.join(named)}."

    def __repr__(self) -> str:
        a, b = float(self.a.value), float(self.b.value)
        parts = f"{self.from_losses:.4f} from losses + {self.from_mask:.4f} from the mask"
        return (
            f"Comparison({a:.4f} → {b:.4f} nats: {self.difference:+.4f} = {parts} + "
            f"{self.from_divisor:.4f} from the divisor)"
        )


def compare(a: Batch | Analysis, b: Batch | Analysis, settings: Settings | None = None) -> Comparison:
    """Compare two batches of the same sequences: two steps, two checkpoints, two runs, or two masks of one batch.

    Args:
        a: the first, a batch or an analysis of it.
        b: the second; its sequences may stand in another order, and some may be missing.
        settings: the mask and the reduction for batches; by default what each declares, and the mean.

    Raises:
        InputError: if they share no sequence, their vocabularies differ, or one of them has several numbers.

    >>> batch = Batch.from_arrays(losses=[[1.0, 3.0]], targets=[[1, 2]], lengths=[2])
    >>> compare(analyze(batch), analyze(batch, Settings(mask="none"))).difference
    0.0
    """
    first, second = (one if isinstance(one, Analysis) else analyze(one, settings) for one in (a, b))
    sizes = [len(one.batch.targets) for one in (first, second)]
    first, second, rows = aligned(first, second)
    for name, one in (("a", first), ("b", second)):
        if not one.is_scalar:
            raise InputError(f"`{name}` must have one number; its reduction gives {np.size(one.value)}. Use the mean.")
    losses, mask, divisor = _parts(first, second)
    sums = float(losses.sum()), float(mask.sum()), float(divisor.sum())
    return Comparison(first, second, rows, _left_out(len(rows), *sizes), *sums, cells=losses + mask + divisor)


def _parts(a: Analysis, b: Analysis) -> tuple[Array, Array, Array]:
    """What the change of losses, of weights and of divisors each makes, [B, T].

    With ⟨x⟩ the mean of x in a and in b, and Δx its change, Δ(xy) = ⟨y⟩Δx + ⟨x⟩Δy exactly. For c = weight ÷ divisor:
    Δ(loss · c) = ⟨c⟩ Δloss + ⟨loss⟩ Δc, and Δc = ⟨1/divisor⟩ Δweight + ⟨weight⟩ Δ(1/divisor).
    """
    (loss_a, weight_a, share_a), (loss_b, weight_b, share_b) = _factors(a), _factors(b)
    # A timestep that only one of them counts has the loss of that one: the other may never have computed it.
    only_a, only_b = a.mask & ~b.mask, b.mask & ~a.mask
    loss_b, loss_a = np.where(only_a, loss_a, loss_b), np.where(only_b, loss_b, loss_a)
    coefficient = (weight_a * share_a + weight_b * share_b) / 2
    mean, counts = (loss_a + loss_b) / 2, a.mask | b.mask
    with np.errstate(invalid="ignore"):
        return (
            np.where(counts, coefficient * (loss_b - loss_a), 0.0),
            np.where(counts, mean * (share_a + share_b) / 2 * (weight_b - weight_a), 0.0),
            np.where(counts, mean * (weight_a + weight_b) / 2 * (share_b - share_a), 0.0),
        )


def _factors(analysis: Analysis) -> tuple[Array, Array, Array]:
    """Loss, weight, and 1 ÷ divisor of each timestep; the last is what the reduction multiplies a weighted loss by."""
    loss = np.where(analysis.mask, analysis.batch_loss, 0.0)
    with np.errstate(all="ignore"):
        share = np.where(analysis.mask, analysis.coefficients / analysis.weights, np.nan)
    if np.isnan(share).all():
        return loss, analysis.weights, np.zeros_like(loss)
    # Where a timestep does not count its weight is 0; the divisor is that of its neighbours.
    return loss, analysis.weights, np.where(np.isnan(share), np.nanmean(share), share)


def _left_out(shared: int, a: int, b: int) -> str:
    """How many sequences only one of the batches has, in words.

    >>> _left_out(7, 8, 9)
    'Only the 7 sequences that both hold are compared: A has 1 more, B 2.'
    """
    if shared == a == b:
        return ""
    held = "the one sequence that both hold is" if shared == 1 else f"the {shared:,} sequences that both hold are"
    return f"Only {held} compared: A has {a - shared:,} more, B {b - shared:,}."


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else ''}{number(value)}"

"""The arithmetic of one timestep whose loss was recorded, without logits."""

import numpy as np

from lossviz.analysis._derived import Derived
from lossviz.explanation import ClassStep, Explanation
from lossviz.reductions import Reduced

__all__ = ["explain_recorded", "recorded_cell"]


def recorded_cell(analysis: Derived, sequence: int, timestep: int, reduced: Reduced) -> Explanation:
    """One timestep of an analysis of recorded losses."""
    here = np.index_exp[sequence, timestep]
    target = int(analysis.batch.targets[here])
    return explain_recorded(
        float(analysis.batch_loss[here]),
        target,
        sequence=sequence,
        timestep=timestep,
        token=str(target) if analysis.is_classifier else analysis.batch.token(target),
        weight=float(analysis.weights[here]),
        rank=float(analysis.rank[here]),
        entropy=float(analysis.entropy[here]),
        classes=_classes(analysis, sequence, timestep),
        impossible=any(problem.kind == "length" and problem.cells[here] for problem in analysis.problems),
        **reduced.at(sequence, timestep),
    )


def explain_recorded(
    loss: float,
    target: int,
    *,
    sequence: int,
    timestep: int,
    token: str,
    weight: float,
    rank: float,
    entropy: float,
    divisor: float,
    number: float,
    own: float = 1.0,
    group: str = "",
    impossible: bool = False,
    classes: tuple[ClassStep, ...] = (),
) -> Explanation:
    """Work out a timestep from its recorded loss, without logits: what needs logits is NaN.

    Args:
        loss: −log p of the target in nats, or NaN where it was not recorded.
        target: its class.
        sequence: the row b, for the record, like `timestep`.
        timestep: the column t.
        token: the target's word.
        weight: the timestep's weight.
        rank: of the target, or NaN.
        entropy: of the distribution, or NaN.
        divisor: the divisor of the number that the timestep is part of.
        number: that number, for the share.
        own: in a mean of means, what the losses of the timestep's own group are divided by.
        group: what the means are of, as in `GROUPS`, or "".
        impossible: whether the length of the sequence makes its loss undefined.
        classes: the top classes, where they were recorded, and the target.

    >>> e = explain_recorded(1.5, 0, sequence=0, timestep=0, token="a", weight=1.0, rank=1.0, entropy=0.7, divisor=3.0,
    ...                      number=1.0)
    >>> [(name, round(value, 4)) for name, _, value in e.steps][-1]
    ('adds to the number', 0.5)
    """
    each = own * divisor
    weighted = 0.0 if weight == 0 else (np.nan if impossible or target < 0 else weight * loss)
    contribution = weighted / each if each != 0 else 0.0
    unknown = dict.fromkeys(("maximum", "shifted", "total", "log_total"), float("nan"))
    note = f"The target {target} is not a class, so this timestep has no loss." if target < 0 else ""
    if not note and np.isnan(loss):
        note = "The loss of this timestep was not recorded."
    if not note and impossible:
        note = "The length of this sequence is impossible, so it is unknown whether this timestep counts."
    return Explanation(
        sequence=sequence,
        timestep=timestep,
        target=target,
        token=token,
        probability=float(np.exp(-loss)),
        loss=loss,
        weight=weight,
        weighted=float(weighted),
        divisor=divisor,
        contribution=float(contribution),
        share=float(contribution / number) if number and weight else 0.0,
        rank=0 if np.isnan(rank) else int(rank),
        entropy=entropy,
        gradient_norm=0.0 if weight == 0 else float("nan"),
        classes=classes,
        note=note,
        group=group,
        own=own,
        has_logits=False,
        **unknown,
    )


def _classes(analysis: Derived, sequence: int, timestep: int) -> tuple[ClassStep, ...]:
    """The recorded top classes of a timestep and its target, likeliest first; none where none was recorded."""
    here = np.index_exp[sequence, timestep]
    top = zip(analysis.top_classes[here].tolist(), analysis.top_probabilities[here].tolist(), strict=True)
    found = {int(v): float(p) for v, p in top if v >= 0 and p == p}
    target, probability = int(analysis.batch.targets[here]), float(analysis.probability[here])
    if found and target >= 0 and probability == probability:
        found[target] = probability
    unknown = dict.fromkeys(("logit", "shifted", "exponential", "gradient"), float("nan"))
    word = str if analysis.is_classifier else analysis.batch.token
    return tuple(
        ClassStep(class_id=v, token=word(v), probability=found[v], is_target=v == target, **unknown)
        for v in sorted(found, key=lambda v: (-found[v], v))
    )

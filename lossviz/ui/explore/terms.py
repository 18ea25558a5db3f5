"""The arithmetic of the selected timestep in one line, over the picture: each term lights what it stands for there."""

from typing import Any

from lossviz.explanation import GROUPS, Explanation

__all__ = ["terms_of"]

Term = dict[str, Any]


def terms_of(cell: Explanation, *, has_number: bool) -> Term:
    """The terms from the logits to the number: what stands before each value, its name, and what it is a part of.

    >>> from lossviz.explanation import explain_timestep
    >>> cell = explain_timestep([0.0, 0.0], 1, sequence=0, timestep=2, tokens={}, top=[], weight=1.0, divisor=4.0,
    ...                         number=1.0)
    >>> line = terms_of(cell, has_number=True)
    >>> " ".join(f"{term['sign']} {term['value']:.2f}{term['after']}" for term in line["terms"])
    'log Σ 0.69 − (z 0.00 − max 0.00) = loss 0.69 × weight 1.00 = 0.69 ÷ 4.00 = 0.17'
    >>> line["cell"], line["terms"][-1]["part"], terms_of(cell, has_number=False)["terms"][-1]["part"]
    ([0, 2], 'number', 'kept')
    """
    kept = [
        _term("= loss" if cell.has_logits else "loss", cell.loss, "loss, in nats", "loss"),
        _term("× weight", cell.weight, "weight: the mask", "weight"),
        _term("=", cell.weighted, "what is left under the mask", "kept"),
    ]
    return {
        "cell": [cell.sequence, cell.timestep],
        "word": cell.token[:40],
        "terms": [*_before(cell), *kept, *(_result(cell) if has_number else ())],
    }


def _before(cell: Explanation) -> list[Term]:
    """What comes before the loss: nothing where the loss itself was recorded."""
    if not cell.has_logits:
        return []
    if cell.sigmoid is not None:
        return [
            _term("z", cell.sigmoid, "the only logit: double click to edit it", "logit"),
            _term("σ, p =", cell.probability, "probability of the label", "probability"),
        ]
    return [
        _term("log Σ", cell.log_total, "logarithm of Σ exp(z − max) over the classes", "total"),
        _term("− (z", _logit(cell), "logit of the target: double click to edit it", "logit"),
        _term("− max", cell.maximum, "largest logit", "largest", after=")"),
    ]


def _logit(cell: Explanation) -> float | None:
    """That of the target; None, of which there is nothing to edit, where the target is no class."""
    return next((step.logit for step in cell.classes if step.is_target), None)


def _result(cell: Explanation) -> list[Term]:
    own = [_term("÷", cell.own, f"the weights of its own {GROUPS[cell.group][0]}", "own")] if cell.group else []
    return [
        *own,
        _term("÷", cell.divisor, "divisor", "divisor"),
        _term("=", cell.contribution, "what it adds to the number", "number"),
    ]


def _term(sign: str, value: float | None, name: str, part: str, after: str = "") -> Term:
    return {"sign": sign, "value": value, "after": after, "name": name, "part": part}

"""Messages and evidence of the rules that judge the printed number."""

import numpy as np

from lossviz.conventions import CONVENTIONS
from lossviz.identification import Match, Printed
from lossviz.rules._core.case import Case

__all__ = ["evidence_of", "in_its_unit", "mean_of", "message_of"]

NAMED = 3
"""The most libraries that a message names."""


def mean_of(case: Case) -> float:
    """Σ w·loss ÷ Σ w, regardless of the reduction in use."""
    weights = case.analysis.weights
    return float(np.where(weights != 0, weights * case.loss, 0.0).sum() / np.float64(weights.sum()))


def message_of(printed: Printed, match: Match, case: Case) -> str:
    """One sentence: what the training loop did, whether that may be intended, and the mean it should print."""
    possible = "Possible: " if match.possible or match.accidental else ""
    mean = mean_of(case)
    right = f"the mean over the timesteps that count is {mean:.5g}"
    unit = _unit(match)
    if unit and match.code != "C11":
        right += f", {'a perplexity of' if unit == 'perplexity' else 'in bits'} {in_its_unit(match, mean):.5g}"
    loop = f"{'the' if possible else 'The'} training loop that printed {printed.text}"
    chance = ", perhaps by chance" if match.accidental else ""
    return f"{possible}{loop} {_clause(match, case)}{_on_purpose(match)}{chance}; {right}."


def in_its_unit(match: Match, mean: float) -> float:
    """A mean in nats as the loop would print it: e to the power of it, or in bits, where the match does so.

    >>> in_its_unit(Match("C12", "", 0.0, 0.0, "", "unit", "", codes=("PAD01", "C12")), 0.0)
    1.0
    """
    unit = _unit(match)
    with np.errstate(over="ignore"):
        return float(np.exp(mean)) if unit == "perplexity" else mean / float(np.log(2)) if unit == "bits" else mean


def _unit(match: Match) -> str:
    """The unit that one of the match's formulas prints, "" for nats."""
    units = {row.code: row.unit for row in CONVENTIONS if row.unit != "nats"}
    return next((units[code] for code in (match.code, *match.codes) if code in units), "")


def _clause(match: Match, case: Case) -> str:
    """What the training loop does, in `identify`'s words, as a clause."""
    if match.code == "C05k":
        divisor = mean_of(case) * float(case.analysis.weights.sum()) / match.value
        return f"divides by {divisor:,.0f} timesteps instead of the sum of their weights"
    return match.clause


def _on_purpose(match: Match) -> str:
    """The libraries that print this number on purpose, as a clause."""
    users = next((row.users for row in CONVENTIONS if row.code == match.code), ())
    names = list(dict.fromkeys(user.library for user in users if user.library != "lossviz"))[:NAMED]
    if not names or match.kind == "bug":
        return ""
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f", on purpose, as {listed} {'do' if len(names) > 1 else 'does'}, or by mistake"


def evidence_of(printed: Printed, match: Match, case: Case) -> dict[str, float | int | str]:
    """The numbers compared, and how many timesteps count."""
    return {
        "printed": printed.text,
        "by this formula": match.value,
        "mean of what counts": mean_of(case),
        "timesteps that count": int(case.mask.sum()),
        "timesteps": case.mask.size,
    }

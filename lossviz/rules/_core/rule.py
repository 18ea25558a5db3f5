"""The definition of a rule: a check on a batch, and the prose that explains it."""

import ast
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lossviz.batch import Batch

if TYPE_CHECKING:
    from lossviz.rules._core.case import Case

__all__ = ["HEADINGS", "SEVERITIES", "CannotTell", "Found", "Rule"]

SEVERITIES = ("error", "warning", "info")
"""Most serious first. An error trains or reports the wrong thing, a warning probably does, an info is worth knowing."""

HEADINGS = ("What it checks", "Why it matters", "Example", "How to fix", "When it is a false alarm", "Threads")
"""The headings in every rule's docstring, in order, each on a line `## heading`."""


class CannotTell(Exception):
    """Raised by a check with the reason why this batch is inconclusive; the outcome is "skipped" with that reason."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a check found.

    Attributes:
        message: one sentence with this batch's numbers.
        cells: [B, T] bool, the affected timesteps.
        evidence: named numbers, in reading order.
        fix: the code to write instead, by library: "TensorFlow" (with Keras), "PyTorch" and "JAX" (with optax).
        repaired: builds the corrected batch, or None if changing the arrays can't fix it.
        loss_if_fixed: the number that should be printed, where `repaired` does not give it.
        severity: overrides the rule's where this case is milder or worse.
        printed: the number that the training loop printed, where the finding rests on it, else "".
    """

    message: str
    cells: np.ndarray
    evidence: Mapping[str, float | int | str] = field(default_factory=dict)
    fix: Mapping[str, str] = field(default_factory=dict)
    repaired: Callable[[], Batch] | None = None
    loss_if_fixed: float | None = None
    severity: str | None = None
    printed: str = ""


@dataclass(frozen=True, eq=False)
class Rule:
    """One bug that a batch can show.

    Attributes:
        code: as in the catalogue, without the dash: PAD05.
        name: what is wrong, in kebab case: `eos-not-supervised`.
        severity: one of `SEVERITIES`.
        doc: the module's docstring: a first line, then `HEADINGS`.
        check: maps a Case to a Found, or None if all is well; may raise `CannotTell`.
        needs: the optional fields of a batch without which the rule is skipped: "inputs", "pad_id" …
        requires: codes of rules, in addition to those of earlier phases, whose findings explain this one's: if one of
            them found something worse than an info, this rule is skipped.
        phase: the question it answers, a key of `PHASES`, or "" if it stands alone.
        checks_reported: whether the printed number can reveal the bug where the arrays don't.
    """

    code: str
    name: str
    severity: str
    doc: str
    check: "Callable[[Case], Found | None]"
    needs: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    checks_reported: bool = False
    phase: str = ""

    def __post_init__(self) -> None:
        if not self.doc:
            object.__setattr__(self, "doc", _docstring(self.check.__module__))

    @property
    def title(self) -> str:
        """The first line of the docstring, without the full stop."""
        return (self.doc.strip() or self.name).splitlines()[0].rstrip(".")

    @property
    def needed(self) -> str:
        """What the rule needs from a batch, in words.

        >>> Rule("X", "x", "info", "One.", lambda case: None, needs=("inputs", "eos_id"), checks_reported=True).needed
        '`inputs` and `eos_id`, or `reported`'
        """
        names = " and ".join(f"`{name}`" for name in self.needs if name != "logits")
        return f"{names}, or `reported`" if names and self.checks_reported else names

    @property
    def sections(self) -> dict[str, str]:
        r"""The text under each heading.

        >>> Rule("X", "x", "info", "One.\n\n## What it checks\nThat.", lambda case: None).sections
        {'What it checks': 'That.'}
        """
        parts = self.doc.split("\n## ")[1:]
        return {heading: text.strip() for heading, _, text in (part.partition("\n") for part in parts)}


def _docstring(module: str) -> str:
    """A module's docstring by its source: `python -OO` leaves it out, and with it the words of a finding."""
    try:
        return ast.get_docstring(ast.parse(inspect.getsource(sys.modules[module])), clean=False) or ""
    except (OSError, TypeError, KeyError, SyntaxError):  # there is no source
        return ""

"""What a rule is: a check of a batch, and the prose that explains it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from lossviz.batch import Batch

if TYPE_CHECKING:
    from lossviz.rules._core.case import Case

__all__ = ["HEADINGS", "SEVERITIES", "CannotTell", "Found", "Rule"]

SEVERITIES = ("error", "warning", "info")
"""Most serious first. An error trains or reports something wrong, a warning probably does, an info is worth knowing."""

HEADINGS = ("What it checks", "Why it matters", "Example", "How to fix", "When it is a false alarm", "Threads")
"""The headings of every rule's docstring, in order, each as a line `## heading`."""


class CannotTell(Exception):
    """Raised by a check with the reason why this batch can't say; the outcome is "skipped" with that reason."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a check found.

    Attributes:
        message: one sentence with this batch's numbers.
        cells: [B, T] bool, the timesteps that show it.
        evidence: named numbers, in the order in which they are read.
        fix: what to write, by library: "TensorFlow" (with Keras) and "PyTorch".
        repaired: makes the batch as it should be, or None where arrays can't repair it.
        loss_if_fixed: the number that the loop should print, where `repaired` does not give it.
        severity: other than the rule's, where this case is milder or worse.
    """

    message: str
    cells: np.ndarray
    evidence: Mapping[str, float | int | str] = field(default_factory=dict)
    fix: Mapping[str, str] = field(default_factory=dict)
    repaired: Callable[[], Batch] | None = None
    loss_if_fixed: float | None = None
    severity: str | None = None


@dataclass(frozen=True, eq=False)
class Rule:
    """One bug that a batch can show.

    Attributes:
        code: as in the catalogue, without the dash: PAD05.
        name: in kebab case, what is wrong: `eos-not-supervised`.
        severity: one of `SEVERITIES`.
        doc: the module's docstring: a first line, then `HEADINGS`.
        check: Case → Found, or None where all is well; may raise `CannotTell`.
        needs: the optional parts of a batch without which it is skipped: "inputs", "pad_id" …
        requires: the codes, beside those of earlier phases, of rules whose finding explains this one's: where one of
            them was found, this rule is skipped; an info explains nothing.
        phase: the question that it answers, of `PHASES`, or "" where it stands alone.
        checks_reported: whether the number that the loop printed may show it where the arrays don't.
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

    @property
    def title(self) -> str:
        """The first line of its docstring, without the full stop."""
        return self.doc.strip().splitlines()[0].rstrip(".")

    @property
    def needed(self) -> str:
        """What it needs of a batch, in words.

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

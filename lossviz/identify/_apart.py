"""Which second batch, or how many more digits, would tell two answers apart (matching rule 2)."""

from collections.abc import Sequence

from lossviz.identify._facts import Facts
from lossviz.identify._hypothesis import Hypothesis
from lossviz.identify._printed import Printed

__all__ = ["apart"]


def apart(one: Hypothesis, others: Sequence[Hypothesis], printed: Printed, facts: Facts) -> str:
    """What to do to know which of the answers it is, in one sentence; "" where there is one."""
    if not others:
        return ""
    return "A second batch with other lengths tells them apart."

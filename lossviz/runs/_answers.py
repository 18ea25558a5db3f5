"""The answers that a run has given lately: a page asks the same questions again at every click."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Answers"]

_MOST = 32
_ROWS = 200_000  # a longer table is not kept


class Answers:
    """Tables by their question; each is asked for once, and the one that was used longest ago goes first.

    >>> import pandas
    >>> answers = Answers()
    >>> [len(answers("all", lambda: pandas.DataFrame({"step": range(count)}))) for count in (2, 3)]
    [2, 2]
    """

    def __init__(self) -> None:
        self._known: dict[Any, pd.DataFrame] = {}

    def __call__(self, question: Any, ask: "Callable[[], pd.DataFrame]") -> "pd.DataFrame":
        """The answer; a copy, so that nobody changes it for the next one."""
        table = self._known.pop(question, None)
        if table is None:
            table = ask()
        if len(table) > _ROWS:
            return table
        self._known[question] = table
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return table.copy()

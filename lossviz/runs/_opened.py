"""What a run says without a database: its name, its steps, the batch of each."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.batch import Batch
from lossviz.errors import FormatError
from lossviz.recording import Run as RecordedRun

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OpenedRun"]


class OpenedRun:
    """A recorded run; what needs DuckDB is in `Run`.

    Attributes:
        recorded: the run as `lossviz.recording` opens it: its manifest, and the arguments of a `Batch` for each step.
    """

    def __init__(self, recorded: RecordedRun) -> None:
        self.recorded = recorded

    @property
    def name(self) -> str:
        """What the run is called: its folder's name."""
        return self.recorded.path.resolve().name

    @property
    def step_numbers(self) -> tuple[int, ...]:
        """The recorded steps, in order."""
        return self.recorded.steps

    @property
    def middle(self) -> int:
        """The step in the middle of the run."""
        return self.step_numbers[len(self.step_numbers) // 2]

    @cached_property
    def ranks(self) -> tuple[int, ...]:
        """The processes that recorded, in order."""
        return tuple(sorted({int(one["rank"]) for one in self.recorded.index}))

    def batch(self, step: int) -> Batch:
        """One step as a `Batch`.

        Raises:
            InputError: if the step was not recorded.
            FormatError: if a shard can't be read.
        """
        return self.recorded.batch(step)

    def printed(self, step: int) -> str | None:
        """The number as it was printed for a step, else what the loss function returned, or None.

        Raises:
            InputError: if the step was not recorded.
        """
        return self.recorded.reported(step) or self.recorded.printed(step)

    def token(self, class_id: int) -> str:
        """The vocabulary's word for a class, or the id itself."""
        words = self.recorded.vocabulary or ()
        return words[class_id] if 0 <= class_id < len(words) else str(class_id)

    def _with_words(self, table: "pd.DataFrame") -> "pd.DataFrame":
        """A table of targets with the word of each beside it."""
        if table["target"].isna().any():  # DuckDB fills the shorter ones of a row's lists up with nulls
            raise self._without_target()
        distinct, at = np.unique(table["target"].to_numpy(np.int64), return_inverse=True)
        words = np.array([self.token(int(one)) for one in distinct], object)
        table.insert(table.columns.get_loc("target") + 1, "token", words[at] if len(table) else [])  # type: ignore[arg-type, operator]
        return table

    def _text(self, targets: Any) -> str:
        """The words of a list of targets."""
        if not isinstance(targets, np.ndarray) or np.ma.is_masked(targets):  # a null instead of the list, or in it
            raise self._without_target()
        return " ".join(map(self.token, targets))

    def _without_target(self) -> FormatError:
        return FormatError(
            f"`{self.recorded.path}` is damaged: a timestep has no target, or a row's lists are not equally long."
        )

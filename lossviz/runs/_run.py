"""A run, open: which step, which sequence, which token to look at. Results are pandas frames."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lossviz.batch import Batch
from lossviz.errors import InputError, not_one_of, require
from lossviz.recording import Run as RecordedRun
from lossviz.recording import open_run as open_recorded
from lossviz.runs import _queries as queries
from lossviz.runs._database import Database

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Run", "open_run"]

_MOST = 1_000_000


class Run:
    """A recorded run; nothing is read from the disk before it is asked for.

    `loss` is in nats, `mean` is Σ weight · loss ÷ Σ weight over the timesteps that count, as `analyze` divides; it is
    NaN where a loss that counts was not recorded.

    Attributes:
        recorded: the run as `lossviz.recording` opens it: its manifest, and the arguments of a `Batch` for each step.

    >>> import tempfile
    >>> import lossviz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with lossviz.Recorder(f"{folder}/run", every=1) as recorder:
    ...         recorded = recorder.step(step=7, targets=[[3, 1]], losses=[[0.5, 2.0]], reported="1.2500")
    ...     open_run(f"{folder}/run").steps()[["step", "printed", "mean", "divisor"]].values.tolist()
    [[7, '1.2500', 1.25, 2.0]]
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

    def batch(self, step: int) -> Batch:
        """One step as a `Batch`.

        Raises:
            InputError: if the step was not recorded.
            FormatError: if a shard can't be read.
        """
        return self.recorded.batch(step)

    def token(self, class_id: int) -> str:
        """The vocabulary's word for a class, or the id itself."""
        words = self.recorded.vocabulary or ()
        return words[class_id] if 0 <= class_id < len(words) else str(class_id)

    def steps(self) -> "pd.DataFrame":
        """One row a step.

        Columns: `step`; `printed`, the number as it was printed, else what the loss function returned, or None;
        `window`, over how many steps that is a mean; `mean`; `divisor`, Σ weight; `perplexity`, exp(mean); `padding`,
        the share of timesteps that do not count; `sequences`; `unknown`, how many losses that count were not recorded;
        `low`, `middle` and `high`, 10, 50 and 90 % of the losses that count.
        """
        return self._steps.copy()

    @cached_property
    def _steps(self) -> "pd.DataFrame":
        table = self._database.query(queries.STEPS).merge(self._database.query(queries.BANDS), on="step", how="left")
        steps, pandas = table["step"].tolist(), require("pandas", "Querying a run", "'lossviz[runs]'")
        printed = [self.recorded.reported(step) or self.recorded.printed(step) for step in steps]
        table.insert(1, "printed", pandas.Series(printed, dtype=object))  # as text it would turn None into NaN
        table.insert(2, "window", [self.recorded.window(step) for step in steps])
        table.insert(5, "perplexity", np.exp(table["mean"]))
        return table

    def tokens(self, where: str | None = None, *, limit: int = _MOST) -> "pd.DataFrame":
        """One row a recorded timestep, masked ones included.

        Columns: `step`, `rank`, `micro_batch`, `row`, `timestep`, `target`, `token`, `loss` (NaN where it was not
        recorded), `weight` (0 where the timestep does not count); `sequence`, as in `sequences`.

        Args:
            where: a condition on these columns but `token`, in SQL, such as "step >= 600 AND loss > 5".
            limit: the most rows; more are refused, so that nobody takes a part for the whole.

        Raises:
            InputError: if the condition can't be read, or there are more rows.
        """
        table = self._database.query(queries.tokens(where), limit + 1)
        if len(table) > limit:
            raise InputError(f"`tokens` would give more than {limit:,} rows. Narrow `where`, or pass a larger `limit`.")
        return self._with_words(table)

    def sequences(
        self,
        order_by: str = "worst",
        *,
        split: int | None = None,
        token: int | None = None,
        lengths: tuple[int, int] | None = None,
        limit: int = 100,
    ) -> "pd.DataFrame":
        """One row a distinct sequence (the same targets and inputs), the first one first.

        Columns: `sequence`, its key; `steps`, in how many steps it was recorded, from `first_step` to `last_step`;
        `tokens`, how many of its timesteps count; `mean`, over all its steps; `before` and `after`, the mean at steps
        before `split` and from it on; `change`, after − before; `spread`, the highest mean of a step less the lowest;
        `worst_step`, the step of the highest; `text`, its first tokens.

        Args:
            order_by: "worst", the highest mean first; "changed", the largest rise first; "spread".
            split: the step that parts before and after; by default the middle one.
            token: only sequences in which this class is a target that counts.
            lengths: only sequences of which so many timesteps count, at least and at most.
            limit: how many sequences.

        Raises:
            InputError: if the order does not exist.
        """
        if order_by not in queries.ORDERS:
            raise InputError(not_one_of("order_by", order_by, queries.ORDERS))
        values = [self.middle if split is None else split, *([] if token is None else [token])]
        sql = queries.sequences(order_by, has_token=token is not None, has_lengths=lengths is not None)
        table = self._summaries.query(sql, *values, *(lengths or ()), limit)
        table["text"] = [" ".join(map(self.token, targets)) for targets in table.pop("targets")]
        return table

    def strips(self, sequences: Sequence[str], *, split: int | None = None) -> "pd.DataFrame":
        """The timesteps of some sequences: one row a timestep that counts, in the order of the sequences.

        Columns: `sequence`, `timestep`, `target`, `token`, `mean`, the mean loss over the steps, and `change`, the mean
        at steps from `split` on less the mean before.

        Args:
            sequences: their keys, from `sequences`.
            split: the step that parts before and after; by default the middle one.
        """
        keys = [_number(sequence) for sequence in sequences]
        table = self._database.query(queries.STRIPS, self.middle if split is None else split, keys)
        place = {sequence: at for at, sequence in enumerate(sequences)}
        table = table.sort_values(["sequence", "timestep"], key=lambda column: column.map(place).fillna(column))
        return self._with_words(table.reset_index(drop=True))

    def place(self, step: int, *, rank: int, micro_batch: int, row: int) -> int:
        """Which sequence of `batch(step)` a recorded row is, from 0.

        Args:
            step: the step.
            rank: as in `trajectory`, like the next two.
            micro_batch: see above.
            row: see above.
        """
        return int(self._summaries.query(queries.PLACE, step, rank, micro_batch, row)["place"][0])

    def by(self, name: str) -> "pd.DataFrame":
        """The losses that count, grouped.

        Columns: the name; `count`, how many; `loss`, Σ weight · loss; `divisor`, Σ weight; `mean`; `share` of the sum
        over the run. For "token" also `target`, and the largest share comes first.

        Args:
            name: "position" (timestep), "token" (target), "length" (how many timesteps of the sequence count), "rank"
                (process) or "weight".

        Raises:
            InputError: if there is no such grouping.
        """
        if name not in queries.GROUPS:
            raise InputError(not_one_of("name", name, queries.GROUPS))
        table = self._summaries.query(queries.grouped(name, weighted=self._database.is_weighted))
        table["share"] = table["loss"] / table["loss"].sum()
        if name == "token":
            table.insert(0, "token", [self.token(int(target)) for target in table["target"]])
        return table

    def trajectory(self, sequence: str) -> "pd.DataFrame":
        """The losses of one sequence over the steps in which it was recorded: one row a step and timestep.

        Columns: `step`, `timestep`, `target`, `token`, `loss` (NaN where it was not recorded), `weight`, and where it
        stands in that step: `rank`, `micro_batch`, `row`.

        Args:
            sequence: its key, from `sequences`.

        Raises:
            InputError: if there is no such sequence.
        """
        table = self._database.query(queries.TRAJECTORY, _number(sequence))
        if table.empty:
            raise InputError(f"`sequence` must be a key from `sequences()`; got {sequence!r}, which no step holds.")
        return self._with_words(table)

    @cached_property
    def _database(self) -> Database:
        return Database(self.recorded)

    @cached_property
    def _summaries(self) -> Database:
        """The database, with one row a recorded sequence computed once: most questions are about those."""
        self._database.execute(queries.SUMMARIES)
        return self._database

    def _with_words(self, table: "pd.DataFrame") -> "pd.DataFrame":
        distinct, at = np.unique(table["target"].to_numpy(np.int64), return_inverse=True)
        words = np.array([self.token(int(one)) for one in distinct], object)
        table.insert(table.columns.get_loc("target") + 1, "token", words[at] if len(table) else [])  # type: ignore[arg-type, operator]
        return table


def open_run(path: str | Path) -> Run:
    """Open a recorded run to ask about all its steps.

    Args:
        path: its folder, or a pattern such as "node-*/run" where the ranks share no disk.

    Raises:
        FormatError: if it holds no run, or several; see `lossviz.recording.open_run`.

    >>> open_run("nowhere")
    Traceback (most recent call last):
    lossviz.errors.FormatError: `nowhere` holds no run: it has no `run.json`. Pass the folder that was recorded to.
    """
    return Run(open_recorded(path))


def _number(sequence: str) -> int:
    try:
        return int(sequence, 16)
    except (TypeError, ValueError):
        raise InputError(f"`sequence` must be a key from `sequences()`; got {sequence!r}.") from None

"""A run, open: which step, which sequence, which token to look at. Results are pandas frames."""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossviz.display_text import quoted
from lossviz.errors import InputError, not_one_of
from lossviz.recording import open_run as open_recorded
from lossviz.runs import _queries as queries
from lossviz.runs._answers import Answers
from lossviz.runs._database import Database
from lossviz.runs._diagnose import diagnose_run
from lossviz.runs._identify import identify_run
from lossviz.runs._opened import OpenedRun
from lossviz.runs._steps import OUTLINE, checked_columns, spread, step_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Run", "open_run"]

_MOST = 1_000_000


class Run(OpenedRun):
    """A recorded run; nothing is read from the disk before it is asked for.

    `loss` is in nats, `mean` is Σ weight · loss ÷ Σ weight over the timesteps that count, as `analyze` divides; it is
    NaN where a loss that counts was not recorded.

    >>> import tempfile
    >>> import lossviz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with lossviz.Recorder(f"{folder}/run", every=1) as recorder:
    ...         recorded = recorder.step(step=7, targets=[[3, 1]], losses=[[0.5, 2.0]], reported="1.2500")
    ...     open_run(f"{folder}/run").steps()[["step", "printed", "mean", "divisor"]].values.tolist()
    [[7, '1.2500', 1.25, 2.0]]
    """

    def steps(self, *, checked: bool = False) -> "pd.DataFrame":
        """One row per step.

        Columns: `step`; `printed`, the number as it was printed, else what the loss function returned, or None;
        `window`, over how many steps that is a mean; `mean`; `divisor`, Σ weight; `perplexity`, exp(mean); `padding`,
        the share of timesteps that do not count; `sequences`; `unknown`, how many losses that count were not recorded;
        `low`, `middle` and `high`, 10, 50 and 90 % of the losses that count. With `checked`: `findings`, the codes of
        what the doctor finds, with commas; `formula`, the code of what explains the printed number, or None.

        Args:
            checked: whether all steps are diagnosed and identified, once, as `diagnose_run` and `identify_run` do.
        """
        return self._steps.assign(**self._checked) if checked else self._steps.copy()

    def outline(self, most: int = OUTLINE) -> "pd.DataFrame":
        """The same table, of some steps: evenly spread ones, where all of them would be long to read.

        Args:
            most: how many timesteps are read at most.
        """
        if "_steps" in vars(self):
            return self._steps.copy()
        chosen = spread(self, self._database.timesteps, most)
        if len(chosen) == len(self.step_numbers):
            return self.steps()
        return self._kept(("outline", most), lambda: step_table(self, self._database, chosen))

    @property
    def timesteps(self) -> int:
        """How many timesteps are recorded, padding included."""
        return self._database.timesteps

    @cached_property
    def _steps(self) -> "pd.DataFrame":
        return step_table(self, self._database, self.step_numbers)

    @cached_property
    def _checked(self) -> dict[str, list[Any]]:
        return checked_columns(self._steps, diagnose_run(self), identify_run(self))

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
        timestep: int | None = None,
        rank: int | None = None,
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
            timestep: only sequences in which this timestep counts.
            rank: only sequences that this process has seen.
            limit: how many sequences.

        Raises:
            InputError: if the order does not exist.
        """
        if order_by not in queries.ORDERS:
            raise InputError(not_one_of("order_by", order_by, queries.ORDERS))
        given = {"token": token, "timestep": timestep, "rank": rank}
        filters: dict[str, tuple[int, ...]] = {name: (one,) for name, one in given.items() if one is not None}
        filters |= {} if lengths is None else {"lengths": lengths}
        values = self.middle if split is None else split, *chain(*filters.values()), limit
        sql = queries.sequences(order_by, filters)

        def ask() -> "pd.DataFrame":
            table = self._summaries.query(sql, *values)
            table["text"] = list(map(self._text, table.pop("targets")))
            return table

        return self._kept((sql, *values), ask)

    def strips(self, sequences: Sequence[str], *, split: int | None = None) -> "pd.DataFrame":
        """The timesteps of some sequences: one row per timestep that counts, in the order of the sequences.

        Columns: `sequence`, `timestep`, `target`, `token`, `mean`, the mean loss over the steps, and `change`, the mean
        at steps from `split` on less the mean before.

        Args:
            sequences: their keys, from `sequences`.
            split: as there.
        """
        at = self.middle if split is None else split
        return self._kept(("strips", at, *sequences), lambda: self._strips(sequences, at))

    def _strips(self, sequences: Sequence[str], split: int) -> "pd.DataFrame":
        table = self._database.query(queries.STRIPS, split, [_number(sequence) for sequence in sequences])
        place = {sequence: at for at, sequence in enumerate(sequences)}
        table = table.sort_values(["sequence", "timestep"], key=lambda column: column.map(place).fillna(column))
        return self._with_words(table.reset_index(drop=True))

    def place(self, step: int, *, rank: int, micro_batch: int, row: int) -> int:
        """Which sequence of `batch(step)` a recorded row is, from 0; it stands where `trajectory` says."""
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
        return self._kept(("by", name), lambda: self._by(name))

    def _by(self, name: str) -> "pd.DataFrame":
        database = self._database if name in queries.UNNESTED else self._summaries
        table = database.query(queries.grouped(name, weighted=database.is_weighted))
        table["share"] = table["loss"] / table["loss"].sum()
        if name == "token":
            table.insert(0, "token", self._with_words(table).pop("token"))
        return table

    def trajectory(self, sequence: str) -> "pd.DataFrame":
        """The losses of one sequence over the steps in which it was recorded: one row per step and timestep.

        Columns: `step`, `timestep`, `target`, `token`, `loss` (NaN where it was not recorded), `weight`, and where it
        stands in that step: `rank`, `micro_batch`, `row`.

        Args:
            sequence: its key, from `sequences`.

        Raises:
            InputError: if there is no such sequence.
        """
        key = _number(sequence)
        table = self._kept(("trajectory", key), lambda: self._database.query(queries.TRAJECTORY, key))
        if table.empty:
            raise InputError(f"`sequence` must be a key from `sequences()`; got {sequence!r}, which no step holds.")
        return self._with_words(table)

    @cached_property
    def _kept(self) -> Answers:
        return Answers()

    @cached_property
    def _database(self) -> Database:
        return Database(self.recorded)

    @cached_property
    def _summaries(self) -> Database:
        """The database, with one row a recorded sequence computed once: most questions are about those."""
        self._database.execute(queries.SUMMARIES)
        return self._database


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
        raise InputError(f"`sequence` must be a key from `sequences()`; got {quoted(sequence)}.") from None

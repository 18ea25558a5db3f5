"""`scan(files, out)`: the losses of a corpus as a run, one shard per file; what is finished stays finished."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossviz.errors import InputError
from lossviz.scanning._engines import check_engine, engine_named
from lossviz.scanning._items import items_of
from lossviz.scanning._models import check_model, identity_of
from lossviz.scanning._plan import begun, numbered, unfinished
from lossviz.scanning._progress import ScanProgress, stop_requested, take_back_stop
from lossviz.scanning._tasks import Job, Outcome

__all__ = ["Scan", "scan"]

_EVERY = 0.5  # seconds between two writings of the progress

Report = Callable[[ScanProgress], None]


@dataclass(frozen=True)
class Scan:
    """What a scan has done.

    Attributes:
        folder: the run, for `lossviz.runs.open_run`.
        progress: how many files were scanned, kept, or left out and why.
    """

    folder: Path
    progress: ScanProgress


def scan(
    files: Iterable[str | Path],
    out: str | Path,
    *,
    model: str | None = None,
    engine: str = "local",
    workers: int | None = None,
    batch_size: int = 32,
    keep_logits: bool = False,
    progress: Report | None = None,
    **choices: Any,
) -> Scan:
    """Write the loss of every timestep of many files to a run; called again, it goes on where it was stopped.

    Each file is one step of the run and one shard, which appears when it is complete. A file whose shard is there, and
    whose size and time of change are as they were, is kept. A bad file is left out with a sentence.

    Args:
        files: recorded batches of any format, runs (each step is a batch), patterns such as "data/*.npz"; with `model`,
            files of tokens too.
        out: the folder of the run.
        model: a `.keras` file, or "module:function", which gives logits [B, T, V] of inputs [B, T].
        engine: "local", this process; "dask", processes on this machine; or the address of a Dask scheduler, whose
            workers see the files and `out` under the same paths.
        workers: how many processes "dask" starts; by default one per core.
        batch_size: how many sequences the model reads at once.
        keep_logits: whether logits of up to 1 MiB a part are kept, as a recorder does.
        progress: called with a `ScanProgress` after each file; raise in it to stop.
        choices: how files are read, as in `lossviz.load`.

    Raises:
        InputError: if an argument can't be used, or `out` is the run of another scan.
        FormatError: if `out` can't be written, a pattern matches nothing, or a run can't be opened.
        MissingPackageError: if the engine needs Dask, which is not installed.

    >>> import tempfile
    >>> from lossviz.samples import sample_path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = scan([sample_path("golden"), "nowhere.npz"], f"{folder}/run").progress
    >>> done.scanned, list(done.problems.values())
    (1, ['There is no file `nowhere.npz`.'])
    """
    check_engine(engine, workers)
    if batch_size < 1:
        raise InputError(f"`batch_size` must be 1 or more; got {batch_size}.")
    here, folder = str(Path.cwd()), Path(out).resolve()
    if model is not None:
        check_model(model, here)
        model = str(Path(model).resolve()) if model.endswith(".keras") else model
    items = items_of(files)
    choices = {name: value for name, value in sorted(choices.items()) if value is not None}
    settings = {"model": model and identity_of(model, here), "choices": choices, "keep_logits": keep_logits}
    head = begun(folder, items, settings)
    job = Job(
        folder=str(folder),
        run=head.run,
        here=here,
        model=model,
        choices=choices,
        pad_id=head.settings.get("pad_id"),
        vocabulary=head.vocabulary,
        rows=batch_size,
        logits="auto" if keep_logits else "never",
    )
    tasks = numbered(folder, items, job)
    left = unfinished(folder, tasks)
    state = ScanProgress(total=len(tasks), kept=len(tasks) - len(left))
    with _written(folder, state), closing(engine_named(engine, workers)(left)) as outcomes:
        _follow(outcomes, state, folder, progress)
    return Scan(folder, state)


def _follow(outcomes: Iterator[Outcome], state: ScanProgress, folder: Path, report: Report | None) -> None:
    """Count what ends; write it down now and then; stop where somebody asked."""
    saved = time.monotonic()
    for outcome in outcomes:
        if outcome.problem:
            state.problems[outcome.item.name] = outcome.problem
        else:
            state.scanned += 1
            state.timesteps += outcome.timesteps
        if time.monotonic() - saved > _EVERY:
            state.save(folder)
            saved = time.monotonic()
        if report is not None:
            report(state)
        if state.done < state.total and stop_requested(folder):
            state.state = "stopped"
            return


@contextmanager
def _written(folder: Path, state: ScanProgress) -> Iterator[None]:
    """Say in the run's folder how far the scan is, and how it ended."""
    take_back_stop(folder)
    state.save(folder)
    try:
        yield
        state.state = "done" if state.state == "running" else state.state
    except BaseException:
        state.state = "stopped"
        raise
    finally:
        state.save(folder)
        take_back_stop(folder)

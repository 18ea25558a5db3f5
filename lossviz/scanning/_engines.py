"""Where tasks run: in this process, one after the other, or on the workers of Dask. Scheduling is all Dask's."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from typing import Any

from lossviz.errors import InputError, first_line, require
from lossviz.scanning._tasks import Outcome, Task, scan_item

__all__ = ["check_engine", "engine_named"]

Outcomes = Generator[Outcome, None, None]
Engine = Callable[[Sequence[Task]], Outcomes]
_SCHEMES = ("tcp://", "tls://", "ucx://")
_PATIENCE = 15.0  # seconds until a scheduler must have answered
_ALONE = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}  # a worker each core, a thread each worker


def check_engine(engine: str, workers: int | None) -> None:
    """Refuse an engine that does not exist.

    Raises:
        InputError: says which there are.
        MissingPackageError: if it needs Dask, which is not installed.

    >>> check_engine("ray", None)
    Traceback (most recent call last):
    lossviz.errors.InputError: `engine` must be "local", "dask", or a scheduler's address such as tcp://10.0.0.1:8786; \
got 'ray'.
    """
    if engine != "local" and engine != "dask" and not engine.startswith(_SCHEMES):
        raise InputError(
            f'`engine` must be "local", "dask", or a scheduler\'s address such as tcp://10.0.0.1:8786; got {engine!r}.'
        )
    if workers is not None and (engine != "dask" or workers < 1):
        raise InputError(f'`workers` is how many processes `engine="dask"` starts, 1 or more; got {workers}.')
    if engine != "local":
        _distributed()


def engine_named(engine: str, workers: int | None) -> Engine:
    """The function that runs tasks and gives their outcomes as they end; closing it stops what has not begun."""
    if engine == "local":
        return _here
    return lambda tasks: _on_dask(tasks, None if engine == "dask" else engine, workers)


def _here(tasks: Sequence[Task]) -> Outcomes:
    yield from map(scan_item, tasks)


def _on_dask(tasks: Sequence[Task], address: str | None, workers: int | None) -> Outcomes:
    if not tasks:
        return
    distributed = _distributed()
    with ExitStack() as stack:
        where = address or stack.enter_context(
            distributed.LocalCluster(
                n_workers=workers or os.cpu_count(),
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # any free port: 8787 may be another cluster's
                env=_ALONE,
                silence_logs="CRITICAL",
            )
        )
        client = stack.enter_context(_connected(distributed, where))
        futures = dict(zip(client.map(scan_item, tasks, pure=False), tasks, strict=True))
        try:
            for future in distributed.as_completed(list(futures), loop=client.loop):
                yield _outcome(future, futures.pop(future))
        finally:
            client.cancel(list(futures))


def _connected(distributed: Any, where: Any) -> Any:
    try:
        return distributed.Client(where, set_as_default=False, timeout=_PATIENCE)
    except (OSError, TimeoutError):
        raise InputError(
            f"No scheduler answers at {where}. Start one with `dask scheduler`, and workers with `dask worker`."
        ) from None


def _outcome(future: Any, task: Task) -> Outcome:
    """A task's own outcome; of one whose workers died again and again, or that can't be run there, why."""
    try:
        outcome: Outcome = future.result()  # computed again where the worker that held it has died
    except Exception as error:
        if type(error).__name__ == "KilledWorker":
            return Outcome(task.item, problem="its worker died each time, as when there is too little memory.")
        return Outcome(task.item, problem=f"its worker failed: {type(error).__name__}: {first_line(error)}")
    return outcome


def _distributed() -> Any:
    return require("distributed", "Scanning on several processes", "'lossviz[dask]'")

"""One task: the losses of one file, written as one shard. The same function runs here and on a cluster."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lossviz.batch import Batch
from lossviz.errors import FormatError, LossvizError
from lossviz.layouts import load
from lossviz.recording import ShardWriter
from lossviz.scanning._items import Item, changed_since, opened_run
from lossviz.scanning._models import logits_of
from lossviz.scanning._tokens import token_batch, with_unknown_losses

__all__ = ["Job", "Outcome", "Task", "batch_of", "scan_item"]

_LOGITS = 1 << 22  # that are looked at together: 32 MiB in float64
_TIMESTEPS = 1 << 18
_KEPT = ("weights", "inputs", "segment_ids", "lengths")


@dataclass(frozen=True)
class Job:
    """What all tasks of a scan share; it travels to every worker.

    Attributes:
        folder: of the run; `run`: its id; `folder` must be the same place for every worker.
        here: where `module:function` is looked for.
        model: what computes the logits, or None where files hold logits or losses.
        choices: how files are read, as in `lossviz.load`.
        pad_id: the run's, which its readers take for padding where nothing else says what counts.
        vocabulary: the run's, or None.
        rows: how many sequences a model reads at once.
        logits: "auto" or "never", as in a recorder.
    """

    folder: str
    run: str
    here: str
    model: str | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    pad_id: int | None = None
    vocabulary: tuple[str, ...] | None = None
    rows: int = 32
    logits: str = "never"


@dataclass(frozen=True)
class Task:
    """One item, and where it goes.

    Attributes:
        job: what all tasks share.
        item: what is read.
        number: of the shard.
        step: the number of the batch in the run.
    """

    job: Job
    item: Item
    number: int
    step: int


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes:
        item: what was read.
        timesteps: how many there are in it, padding included.
        problem: why nothing was written, in a sentence, or "".
    """

    item: Item
    timesteps: int = 0
    problem: str = ""


def scan_item(task: Task) -> Outcome:
    """Read a file, compute its losses, and write its shard; a bad file is an outcome with a sentence."""
    try:
        return Outcome(task.item, _written(task))
    except (LossvizError, OSError, MemoryError) as error:
        return Outcome(task.item, problem=str(error) or "there is not enough memory for it.")


def batch_of(item: Item, choices: Mapping[str, Any], *, for_model: bool) -> Batch:
    """An item as a batch; one that a model is to read has its inputs, and losses that are NaN.

    Raises:
        FormatError: if it can't be read, or a model has nothing to read in it.
        InputError: if its arrays don't fit together.
    """
    path = Path(item.file)
    if item.step is None and not path.is_file():
        raise FormatError(f"There is no file `{path.name}`.")
    if item.step is None:
        return token_batch(path, choices) if for_model else load(path, **choices)
    batch = opened_run(item.file, item.stamp).batch(item.step)
    if not for_model:
        return batch
    if batch.inputs is None:
        raise FormatError(f"`{path.name}` has no inputs at step {item.step} that a model could read. Record `inputs=`.")
    gone = ("logits", "losses", "classes", "reported", "entropy", "rank", "top_classes", "top_probabilities")
    return with_unknown_losses({name: value for name, value in batch.fields().items() if name not in gone})


def _written(task: Task) -> int:
    job, item = task.job, task.item
    batch = batch_of(item, job.choices, for_model=job.model is not None)
    if None not in (job.vocabulary, batch.vocabulary) and job.vocabulary != batch.vocabulary:
        raise FormatError("Its vocabulary is not that of the first file. Scan it to a folder of its own.")
    details = {"file": item.file} | ({} if item.step is None else {"step": item.step})
    if batch.ignore_id is not None:
        details["ignore_index"] = batch.ignore_id
    numbers = {"reported": batch.reported, "num_items": batch.num_items_in_batch, "details": details}
    with ShardWriter(Path(job.folder), job.run, task.number, source=item.source, logits=job.logits) as shard:
        for first, part in _parts(batch, job):
            shard.add(part.pop("targets"), step=task.step, first_row=first, rows=batch.shape[0], **part, **numbers)
        if changed_since(item):
            raise FormatError(f"`{Path(item.file).name}` changed while it was read. Scan it again.")
    return int(batch.targets.size)


def _parts(batch: Batch, job: Job) -> Iterator[tuple[int, dict[str, Any]]]:
    """A batch a few rows at a time, so that only those are in memory."""
    count = batch.shape[0]
    size = _rows_of(batch, job)
    for first in range(0, count, size):
        rows = slice(first, min(first + size, count))
        part = {name: getattr(batch, name)[rows] for name in _KEPT if getattr(batch, name) is not None}
        part["targets"] = batch.targets[rows]
        if job.model is not None:
            part["logits"] = logits_of(job.model, job.here, np.asarray(part["inputs"]))
        elif batch.logits is not None:
            part["logits"] = np.asarray(batch.logits[rows])
        else:
            part["losses"] = np.asarray(batch.losses)[rows]
            part["known"] = ~np.isnan(part["losses"])
        if (weights := _weights(batch, rows, job.pad_id)) is not None:
            part["weights"] = weights
        yield first, part


def _rows_of(batch: Batch, job: Job) -> int:
    if job.model is not None:
        return job.rows
    _, timesteps, classes = batch.shape
    if batch.logits is None:
        return max(1, _TIMESTEPS // max(timesteps, 1))
    return max(1, _LOGITS // max(timesteps * classes, 1))


def _weights(batch: Batch, rows: slice, pad_id: int | None) -> np.ndarray | None:
    """What a run can't say otherwise: a pad id, or none, where the run has another."""
    if batch.declared_mask == "nonpad" and batch.pad_id != pad_id:
        return np.asarray(batch.targets[rows] != batch.pad_id, np.float32)
    if batch.declared_mask == "none" and pad_id is not None:
        return np.ones(batch.targets[rows].shape, np.float32)
    return None

"""Which run a scan writes, which number each file has in it, and which of them are finished."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lossviz.errors import FormatError, InputError, LossvizError
from lossviz.recording import MOST_SHARDS, RunHead, create_run, drop_shard, is_run, read_head, shard_source, write_json
from lossviz.scanning._items import Item
from lossviz.scanning._tasks import Job, Task, batch_of

__all__ = ["begun", "numbered", "unfinished"]

_NUMBERS, _TRAINER = "scan-files.json", "lossviz scan"
_TRIED = 8  # files whose ids and vocabulary are looked at, until one can be read
_WORDS = {"model": "with another model", "choices": "whose files were read otherwise", "keep_logits": "of other logits"}


def begun(folder: Path, items: Sequence[Item], settings: Mapping[str, Any]) -> RunHead:
    """The run of a scan: the one that the folder holds, if it is of the same scan; else a new one.

    Its special ids and its vocabulary are those of the first file that can be read.

    Args:
        folder: of the run.
        items: what is scanned.
        settings: `model`, `choices` and `keep_logits`, which must not change within a run.

    Raises:
        InputError: if the folder holds a recorded run, or another scan.
        FormatError: if it can't be read or written.
    """
    if not is_run(folder):
        special = _special(items, settings)
        words = special.pop("vocabulary", None)
        return create_run(folder, trainer=_TRAINER, settings={**settings, **special}, vocabulary=words)
    head = read_head(folder)
    if head.trainer != _TRAINER:
        raise InputError(f"`{folder}` holds a run that a training loop recorded. Choose another folder for the scan.")
    for name, value in settings.items():
        if head.settings.get(name) != json.loads(json.dumps(value)):
            raise InputError(f"`{folder}` holds a scan {_WORDS[name]}. Choose another folder, or delete that one.")
    return head


def _special(items: Sequence[Item], settings: Mapping[str, Any]) -> dict[str, Any]:
    for item in items[:_TRIED]:
        try:
            batch = batch_of(item, settings["choices"], for_model=settings["model"] is not None)
        except (LossvizError, OSError, MemoryError):
            continue
        return {name: getattr(batch, name) for name in ("pad_id", "eos_id", "vocabulary")}
    return {}


def numbered(folder: Path, items: Sequence[Item], job: Job) -> list[Task]:
    """A task for each item; an item keeps the number that it had when the run was scanned before.

    The number is that of the shard and of the step. The steps of one recorded run alone keep their own numbers.

    Raises:
        InputError: if there are too many, or items of other files come to the steps of a run.
    """
    runs = {item.file if item.step is not None else "" for item in items}
    kept = _kept(folder) or {"run": runs.pop() if len(runs) == 1 else "", "numbers": {}}
    only, numbers = kept["run"], kept["numbers"]
    if only and any(item.step is None or item.file != only for item in items):
        raise InputError(f"`{folder}` holds the steps of the run `{only}` alone. Choose another folder.")
    for item in items:
        numbers.setdefault(item.name, len(numbers))
    if len(numbers) > MOST_SHARDS:
        raise InputError(
            f"A run has at most {MOST_SHARDS:,} shards; these are {len(numbers):,} files. Put several batches in one "
            "file, or scan to several folders."
        )
    write_json(folder / _NUMBERS, kept)
    return [Task(job, one, numbers[one.name], int(one.step or 0) if only else numbers[one.name]) for one in items]


def unfinished(folder: Path, tasks: Sequence[Task]) -> list[Task]:
    """The tasks without a shard; shards of files that have changed since are taken away."""
    left = []
    for task in tasks:
        source = shard_source(folder, task.job.run, task.number)
        if source != task.item.source:
            left.append(task)
            drop_shard(folder, task.number)
    return left


def _kept(folder: Path) -> dict[str, Any] | None:
    path = folder / _NUMBERS
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        known = {"run": str(kept["run"]), "numbers": {str(name): int(at) for name, at in kept["numbers"].items()}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FormatError(f"`{path}` is damaged. Choose another folder for the scan.") from None
    return known

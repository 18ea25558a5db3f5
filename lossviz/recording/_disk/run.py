"""A run on disk, opened: its recorded steps, and the arguments of a `Batch` for each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.batch import Batch
from lossviz.errors import FormatError, InputError
from lossviz.recording._disk.attention import with_attention
from lossviz.recording._disk.folders import folders_of, refuse_different
from lossviz.recording._disk.manifest import (
    Manifest,
    RankState,
    is_id,
    read_json,
    read_manifest,
    read_rank_states,
    vocabulary_digest,
)
from lossviz.recording._disk.reading import first_rows, read_shard
from lossviz.recording._disk.shards import refusing, shards
from lossviz.recording._disk.stacking import stacked

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Run", "details_of", "open_run"]

_INDEX = [
    "step", "micro_batch", "rank", "reported", "window", "loss",
    "accumulation", "num_items", "world", "rows", "details",
]  # fmt: skip
_MOST_VOCABULARY = 32 * 2**20  # bytes


@dataclass(frozen=True)
class Run:
    """A recorded training run.

    Attributes:
        path: its folder; of several, the first.
        manifest: what `run.json` says.
        ranks: what each process said of itself.
        folders: every folder with the id of its run; ranks that share no disk record to folders of their own.
    """

    path: Path
    manifest: Manifest
    ranks: tuple[RankState, ...]
    folders: tuple[tuple[Path, str], ...]

    @cached_property
    def shards(self) -> tuple[tuple[Path, str], ...]:
        """The files of all folders in the order in which they were written, each with the id of its run."""
        return tuple((shard, run) for folder, run in self.folders for shard in shards(folder))

    @cached_property
    def index(self) -> tuple[dict[str, Any], ...]:
        """The numbers of every micro-batch, in the order of steps, ranks and micro-batches; a later part wins."""
        found: dict[tuple[int, int, int], dict[str, Any]] = {}
        for path, run in self.shards:
            with refusing(f"`{path.name}` is damaged: its numbers are inconsistent. Restore it from a copy."):
                for entry in first_rows(read_shard(path, run, _INDEX)).to_pylist():
                    found[int(entry["step"]), int(entry["rank"]), int(entry["micro_batch"])] = entry | {"shard": path}
        return tuple(found[key] for key in sorted(found))

    @cached_property
    def _by_step(self) -> dict[int, list[dict[str, Any]]]:
        entries: dict[int, list[dict[str, Any]]] = {}
        for entry in self.index:
            entries.setdefault(entry["step"], []).append(entry)
        return entries

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The recorded steps, in order."""
        return tuple(self._by_step)

    def reported(self, step: int) -> str | None:
        """The number that was printed for a step, if one was."""
        return next((str(one["reported"]) for one in self.entries(step) if one["reported"] is not None), None)

    def window(self, step: int) -> int:
        """Over how many steps, up to this one, the number that was printed for it is a mean."""
        return max((int(one["window"]) for one in self.entries(step) if one["window"] is not None), default=1)

    def printed(self, step: int) -> str | None:
        """The number that this step alone explains: the printed one, else what the loss function returned.

        None where the printed number is a mean over several steps and the step has several micro-batches.
        """
        entries = self.entries(step)
        alone = [one["reported"] for one in entries if one["reported"] is not None and one["window"] in (None, 1)]
        if alone:
            return str(alone[0])
        loss = entries[0]["loss"]
        return None if loss is None or len(entries) > 1 else f"{loss:.6g}"

    def accumulation(self, step: int) -> int:
        """How many micro-batches of one rank the step adds up."""
        return max(1 + int(entry["micro_batch"]) for entry in self.entries(step))

    def ranks_of(self, step: int) -> int:
        """How many processes recorded the step."""
        return len({entry["rank"] for entry in self.entries(step)})

    def details(self, step: int) -> dict[str, Any]:
        """How the loss function was called at a step, and what else its first micro-batch says."""
        return details_of(self.entries(step)[0])

    def fields(self, step: int) -> dict[str, Any]:
        """The arguments of `Batch.from_arrays` for one step: all its ranks and micro-batches, one below the other.

        Raises:
            InputError: if the step was not recorded.
            FormatError: if a shard can't be read.
        """
        entries, runs = self.entries(step), dict(self.shards)
        tables = {path: read_shard(path, runs[path], step=step) for path in {one["shard"] for one in entries}}
        with refusing(f"Step {step} of `{self.path}` is damaged: its lists are inconsistent. Restore it from a copy."):
            parts = [_part(tables[one["shard"]], one) for one in entries]
            shared = {name: value for name, value in self._shared(entries, parts).items() if value is not None}
            ignore_id = shared.get("ignore_id")
            fields = with_attention(stacked(parts, shared.get("pad_id"), ignore_id), ignore_id) | shared
        if "logits" in fields:
            fields.pop("losses")
        return fields

    def batch(self, step: int) -> Batch:
        """One step as a `Batch`.

        Raises:
            InputError: if the step was not recorded.
            FormatError: if a shard can't be read.
        """
        return Batch.from_arrays(**self.fields(step))

    @cached_property
    def vocabulary(self) -> tuple[str, ...] | None:
        """The tokens, if the recorder was given any.

        Raises:
            FormatError: if they are not those that `run.json` speaks of.
        """
        if self.manifest.vocabulary is None:
            return None
        path = self.path / "vocabulary.json"
        try:
            tokens = read_json(path, _MOST_VOCABULARY)
        except FormatError:
            tokens = None
        texts = isinstance(tokens, list) and all(isinstance(token, str) for token in tokens)
        if not texts or vocabulary_digest(tokens) != self.manifest.vocabulary.get("sha256"):
            raise FormatError(f"`{path}` is missing, damaged, or not the one of `run.json`. Restore it from a copy.")
        return tuple(tokens)

    def entries(self, step: int) -> list[dict[str, Any]]:
        """The entries of `index` of one step.

        Raises:
            InputError: if the step was not recorded.
        """
        if step not in self._by_step:
            raise InputError(_no_step(self, step))
        return self._by_step[step]

    def _shared(self, entries: list[dict[str, Any]], parts: list["pyarrow.Table"]) -> dict[str, Any]:
        settings = self.manifest.settings
        details = details_of(entries[0])
        classes = parts[0]["classes"][0].as_py()
        words = self.vocabulary
        fits = words is not None and classes in (None, len(words))
        return {
            "pad_id": settings.get("pad_id"),
            "eos_id": settings.get("eos_id"),
            "ignore_id": details.get("ignore_index", settings.get("ignore_id")),
            "vocabulary": words if fits else None,
            "classes": classes if not fits and classes != 1 and parts[0]["logits"].null_count else None,
            "reported": self.printed(entries[0]["step"]),
            "title": f"{self.path.name}, step {entries[0]['step']}",
        }


def open_run(path: str | Path) -> Run:
    """Open a run, closed or not.

    Args:
        path: its folder; or a pattern such as "node-*/run", where the ranks of one training share no disk.

    Raises:
        FormatError: if a folder holds no run, one of a newer schema, or one without a step; or if the folders of a
            pattern hold different runs.

    >>> open_run("nowhere")
    Traceback (most recent call last):
    lossviz.errors.FormatError: `nowhere` holds no run: it has no `run.json`. Pass the folder that was recorded to.
    """
    folders = folders_of(str(path))
    manifests = [read_manifest(folder) for folder in folders]
    states = [read_rank_states(folder) for folder in folders]
    refuse_different(folders, manifests, states)
    named = tuple((folder, manifest.run) for folder, manifest in zip(folders, manifests, strict=True))
    run = Run(folders[0], manifests[0], tuple(chain(*states)), named)
    if not run.steps:
        raise FormatError(f"`{folders[0]}` holds no step yet. Record with a smaller `every`, or let the loop run on.")
    return run


def _part(table: "pyarrow.Table", entry: Mapping[str, Any]) -> "pyarrow.Table":
    """The rows of one micro-batch, in their order; the last part that holds them wins."""
    import pyarrow.compute as compute

    same = [compute.equal(table[name], entry[name]) for name in ("rank", "micro_batch")]
    return table.filter(compute.and_(*same)).sort_by("row")


def details_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry of `Run.index` says of how the loss function was called; nothing where that is unreadable."""
    try:
        details = json.loads(entry["details"] or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(details, dict) or not is_id(details.get("ignore_index")):
        return {}
    return details


def _no_step(run: Run, step: int) -> str:
    steps = np.array(run.steps)
    near = int(steps[np.abs(steps - step).argmin()])
    return (
        f"Step {step} was not recorded; `{run.path}` holds {len(steps)} steps from {steps[0]} to {steps[-1]}, and the "
        f"nearest is {near}."
    )

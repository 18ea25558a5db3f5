"""`Recorder`: takes a step's arrays, keeps the rows that are recorded, and hands them to the writer."""

import atexit
import warnings
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from lossviz.errors import InputError, LossvizError
from lossviz.recording._arguments import recorded_step
from lossviz.recording._disk.compaction import compact
from lossviz.recording._disk.manifest import Manifest, name_problem, vocabulary_digest, write_json
from lossviz.recording._disk.shards import next_part
from lossviz.recording._disk.step import RecordedStep
from lossviz.recording._disk.writer import Writer
from lossviz.recording._libraries import library_of, library_version, to_numpy
from lossviz.recording._settings import recording_settings
from lossviz.recording._vocabulary import special_ids, vocabulary_tokens
from lossviz.version import __version__

__all__ = ["Recorder"]

_PLAIN = ("every", "sequences", "keep_steps", "max_bytes", "logits", "seed", "pad_id", "eos_id", "ignore_id")


class Recorder:
    """Writes what each timestep of a training step cost to a folder, while training goes on.

    Args:
        path: the folder of the run; it is made where it does not exist.
        trainer: what is recorded, for `run.json`.
        settings: those of `RecordingSettings`: `every=100`, `sequences=64`, `keep_steps=1000`, `max_bytes=2**30`,
            `vocabulary=None`, `pad_id=None`, `eos_id=None`, `ignore_id=None`, `logits="auto"`, `watch=None`, `seed=0`,
            `rank=…`, `world=…`, `resume=False`.

    Raises:
        InputError: if a setting can't be used, the folder's name is not UTF-8, or it holds a run already and
            `resume` is off.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Recorder(f"{folder}/run", every=1) as recorder:
    ...         recorded = recorder.step(step=0, targets=[[3, 1]], losses=[[0.5, 2.0]], reported="1.2500")
    ...     print(recorded, sorted(path.name for path in recorder.path.iterdir()))
    True ['rank-00000.json', 'run.json', 'steps-00000-000.parquet']
    """

    def __init__(self, path: str | Path, *, trainer: str = "plain", **settings: Any) -> None:
        self.path = Path(path)
        self.settings = recording_settings(settings)
        self.trainer = trainer
        self._tokens = vocabulary_tokens(self.settings.vocabulary)
        self._held: list[RecordedStep] = []
        self._writer: Writer | None = None
        self._closed = False
        self._late: dict[str, Any] | None = None
        self._watched = None if self.settings.watch is None else to_numpy("watch", self.settings.watch)
        self._check_folder()
        reference = weakref.ref(self)
        atexit.register(_close_if_alive, reference)

    def wants(self, step: int) -> bool:
        """Whether `step` would be recorded; a training loop may ask before it computes anything for the recorder."""
        return not self._closed and self.settings.wants(step)

    def step(self, *, step: int, targets: Any, **arrays: Any) -> bool:
        """Record one micro-batch of a step. Arrays may be of NumPy, PyTorch, JAX, TensorFlow, or lists.

        It is held until the next step begins, `flush` or `close`: its printed number may come later, by `report`.

        Args:
            step: the optimizer step, as the training loop numbers it.
            targets: [B, T] integers.
            arrays: one of `losses` [B, T], `log_probs` [B, T] and `logits` [B, T, V]; and what else is known of
                `weights`, `inputs`, `segment_ids`, `attention_mask` [B, T], `lengths` [B], `known` [B, T] (where a
                loss was computed), `reported` (the printed number), `loss` (what the loss function returned),
                `micro_batch` (from 0), `accumulation`, `num_items`, `window`, `details` (a dict of what JSON can hold).

        Returns:
            Whether the step is one that is recorded.

        Raises:
            InputError: if an array is missing, unknown, or does not fit the targets.
        """
        if not self.wants(step) or not self._watches(targets):
            return False
        if self._held and self._held[0].step != step:
            self.flush()
        done = recorded_step(step, targets, arrays, self.settings)
        self._writing(arrays)
        self._held.append(done)
        return True

    def jax(self, *, step: int, targets: Any, **arrays: Any) -> bool:
        """Record a step of a jitted JAX loop one call late, so that the device never waits for the host.

        Args:
            step: as in `step`.
            targets: as in `step`.
            arrays: as in `step`: what the jitted function returned beside the loss, still being computed.

        Returns:
            Whether the step is one that is recorded.
        """
        self._catch_up()
        if self.wants(step):
            self._late = {"step": step, "targets": targets, **arrays}
            for array in self._late.values():
                getattr(array, "copy_to_host_async", int)()
        return self._late is not None

    def report(self, number: str | float, *, step: int | None = None, window: int = 1) -> None:
        """Add the number that the training loop printed to the step that was recorded last.

        Args:
            number: as it was printed, or a float.
            step: the step that it was printed for; where that one was not recorded, nothing happens.
            window: over how many steps it is a mean.
        """
        for held in self._held:
            if step is None or held.step == step:
                held.numbers |= {"reported": str(number), "window": window}

    def note(self, **numbers: Any) -> None:
        """Add a number to the step that was recorded last, such as `accumulation` once the step has ended."""
        for held in self._held:
            held.numbers |= numbers

    def flush(self) -> None:
        """Hand the held step to the writer; if it can't keep up, the step is dropped and counted."""
        held, self._held = self._held, []
        if held and self._writer is not None:
            self._writer.put(held)

    @property
    def dropped(self) -> int:
        """How many steps were dropped, since the disk was too slow or recording had stopped."""
        return self._writer.state.dropped if self._writer else 0

    def close(self) -> None:
        """Write what is left, compact to Parquet, and say what was dropped. Closing twice does nothing."""
        if self._closed:
            return
        self._catch_up()
        self._closed = True
        self.flush()
        for problem in self._ended():
            warnings.warn(problem, stacklevel=2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _ended(self) -> Iterator[str]:
        """End the writer, compact what it wrote, and give what the user must know, in sentences."""
        if self._writer is None:
            yield f"Nothing was recorded to `{self.path}`: no step was a multiple of `every={self.settings.every}`."
            return
        state = self._writer.close()
        try:
            compact(self.path, rank=self.settings.rank)
        except (LossvizError, OSError) as error:
            yield f"`{self.path}` stays as Arrow: {error}"
        if state.stopped:
            yield f"{state.stopped} {state.dropped} later steps are not in `{self.path}`."
        elif state.dropped:
            yield f"{state.dropped} steps are not in `{self.path}`: the disk was slower than the training loop."

    def _check_folder(self) -> None:
        if problem := name_problem(self.path):
            raise InputError(problem)
        held = self.path / f"rank-{self.settings.rank:05d}.json"
        if held.exists() and not self.settings.resume:
            raise InputError(
                f"`{self.path}` holds a run already. Pass another folder, or `resume=True` to go on with that run."
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"`{self.path}` can't be made a folder: {error.strerror or error}.") from None

    def _catch_up(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            self.step(**late)

    def _watches(self, targets: Any) -> bool:
        return self._watched is None or np.array_equal(to_numpy("targets", targets), self._watched)

    def _writing(self, arrays: Mapping[str, Any]) -> None:
        """Start the writer with the first step: only then is it known which library is recorded."""
        if self._writer is None:
            library = next((name for name in map(library_of, arrays.values()) if name != "numpy"), "numpy")
            manifest = self._manifest(library).create(self.path)
            if self._tokens and self.settings.rank == 0:
                write_json(self.path / "vocabulary.json", self._tokens)
            self._writer = Writer(self.path, manifest.run, self.settings, next_part(self.path, self.settings.rank))

    def _manifest(self, library: str) -> Manifest:
        tokens = self._tokens
        ids = special_ids(self.settings)
        return Manifest(
            lossviz=__version__,
            trainer=self.trainer,
            versions=Manifest().versions | {name: library_version(name) for name in ("numpy", library)},
            settings={name: getattr(self.settings, name) for name in _PLAIN} | ids,
            vocabulary={"size": len(tokens), "sha256": vocabulary_digest(tokens)} if tokens else None,
        )


def _close_if_alive(reference: weakref.ref[Recorder]) -> None:
    if (recorder := reference()) is not None:
        recorder.close()

"""The thread that writes: a bounded queue before it, Arrow record batches behind it, one flush a step.

Training never waits: when the queue is full, the step is dropped and counted. After each step the file ends where a
reader can stop, so a crash costs at most the step that was being written.
"""

import queue
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossviz.recording._disk.manifest import RankState
from lossviz.recording._disk.reading import arrow_steps
from lossviz.recording._disk.shards import shard_name
from lossviz.recording._disk.step import RecordedStep
from lossviz.recording._settings import RecordingSettings

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Writer"]

_Steps = list[RecordedStep]


class Writer:
    """Appends steps to a rank's shard in a thread of its own."""

    def __init__(self, folder: Path, run: str, settings: RecordingSettings, part: int) -> None:
        self.state = RankState(settings.rank)
        self._folder, self._run, self._settings, self._part = folder, run, settings, part
        self._queue: queue.Queue[_Steps | None] = queue.Queue(settings.queue_size)
        self._stride = settings.every
        self._bytes = 0
        self._file: Any = None
        self._stream: Any = None
        self.state.save(folder)
        self._thread = threading.Thread(target=self._work, name="lossviz-recorder", daemon=True)
        self._thread.start()

    def put(self, steps: _Steps) -> bool:
        """Hand over the micro-batches of one step without waiting; False where they were dropped."""
        try:
            if not self.state.stopped:
                self._queue.put_nowait(steps)
                return True
        except queue.Full:
            pass
        self.state.dropped += 1
        return False

    def close(self) -> RankState:
        """Wait until everything is written, and say how it went."""
        self._queue.put(None)
        self._thread.join()
        return self.state

    def _work(self) -> None:
        while (steps := self._queue.get()) is not None:
            try:
                self._write(steps)
            except Exception as error:  # a recorder must not stop the training that it watches
                self.state.dropped += 1
                self._stop(f"{type(error).__name__}: {error}".splitlines()[0].rstrip("."))
        self._end_part()
        self.state.closed = True
        self._save_state()

    def _write(self, steps: _Steps) -> None:
        if self.state.stopped:
            self.state.dropped += 1
            return
        batches = [step.record_batch(self._run) for step in steps]
        stride = self._settings.stride(max(step.step for step in steps))
        if stride != self._stride:
            self._thin(stride)
        self._append(batches)
        self.state.written += 1
        if self._bytes > self._settings.max_bytes:
            self._stop(f"`max_bytes` of {self._settings.max_bytes:,} is used up")

    def _append(self, batches: "Iterable[pyarrow.RecordBatch]") -> None:
        for batch in batches:
            if self._stream is None:
                self._start_part(batch.schema)
            self._stream.write_batch(batch)
        if self._file is not None:
            self._bytes = self._file.tell()

    def _start_part(self, schema: "pyarrow.Schema") -> None:
        import pyarrow.ipc

        path = self._folder / shard_name(self._settings.rank, self._part, "arrow")
        self._file = path.open("xb", buffering=0)
        options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
        self._stream = pyarrow.ipc.new_stream(self._file, schema, options=options)

    def _end_part(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._file.close()
            self._stream = self._file = None

    def _thin(self, stride: int) -> None:
        """Copy the steps that are still wanted to a new part; a crash in between leaves both, which read as one."""
        self._stride = stride
        if self._stream is None:
            return
        old = self._folder / shard_name(self._settings.rank, self._part, "arrow")
        self._end_part()
        self._part += 1
        self._append(batch for batch in arrow_steps(old, self._run) if batch["step"][0].as_py() % stride == 0)
        old.unlink()

    def _stop(self, reason: str) -> None:
        self.state.stopped = self.state.stopped or f"Recording stopped: {reason}."
        self._save_state()

    def _save_state(self) -> None:
        try:
            self.state.save(self._folder)
        except OSError:
            return  # the disk is full or gone, which `stopped` says already

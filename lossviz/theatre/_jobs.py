"""Live rehearsals, shared by all visitors: keyed by their settings, one running, a short queue behind it."""

import atexit
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lossviz.display_text import printable
from lossviz.theatre._process import COMMAND, Worker
from lossviz.theatre._recording import Recording
from lossviz.theatre._settings import Settings
from lossviz.theatre.events import Ended, Growing

__all__ = ["KEPT", "PATIENCE", "PRESENT", "WAITING", "Job", "Jobs"]

PATIENCE = 60.0
"""After how many seconds without a viewer a rehearsal is stopped."""
PRESENT = 5.0
"""For how many seconds after a look a viewer keeps a rehearsal from being stopped by another one."""
WAITING = 4
"""How many rehearsals may wait."""
KEPT = 16
"""How many finished recordings are kept."""
FULL = f"{WAITING} rehearsals are waiting already. Try again in a minute; the recording shows the same."


@dataclass(frozen=True, eq=False)
class Job:
    """A rehearsal as it stands.

    Attributes:
        phase: "waiting", "starting", "training", "done", "failed" or "stopped".
        place: its place in the queue while it waits, 1 for the next.
        step: how many steps are done.
        recording: both runs as far as they have come, or None before the first frame.
        problem: what went wrong, in words, where it failed.
    """

    phase: str
    place: int = 0
    step: int = 0
    recording: Recording | None = None
    problem: str = ""

    @property
    def live(self) -> bool:
        """Whether it is worth looking again."""
        return self.phase in ("waiting", "starting", "training")


@dataclass(eq=False)
class _Entry:
    """A job, inside."""

    settings: Settings
    growing: Growing
    phase: str = "waiting"
    problem: str = ""
    viewers: dict[str, float] = field(default_factory=dict)
    worker: Worker | None = None


class Jobs:
    """The registry of an app process. Every method may be called from any thread, and returns at once.

    Args:
        command: what a worker is.
        clock: gives seconds.

    >>> Jobs().look(Settings("dates", "not-shifted"), "nobody").phase
    'stopped'
    """

    def __init__(self, command: Sequence[str] = COMMAND, clock: Callable[[], float] = time.monotonic) -> None:
        self._command, self._clock = command, clock
        self._lock = threading.RLock()
        self._entries: dict[str, _Entry] = {}  # in the order in which they came
        atexit.register(self.close)

    def attach(self, settings: Settings, viewer: str) -> Job:
        """Watch a rehearsal: one that is kept, runs or waits; else a new one, which starts when its turn comes.

        Args:
            settings: what is rehearsed.
            viewer: who watches, any text that is another one for each page.
        """
        with self._lock:
            entry = self._entries.get(settings.key)
            if entry is None or entry.phase in ("failed", "stopped"):
                self._entries.pop(settings.key, None)
                if len(self._waiting()) >= WAITING:
                    return Job("failed", problem=FULL)
                entry = self._entries[settings.key] = _Entry(settings, Growing(settings))
            entry.viewers[viewer] = self._clock()
            self._go_on()
            return self._seen(entry)

    def look(self, settings: Settings, viewer: str) -> Job:
        """How a rehearsal stands. Who looks is there: a page that shows one looks every half second."""
        with self._lock:
            entry = self._entries.get(settings.key)
            if entry is None:
                return Job("stopped")
            entry.viewers[viewer] = self._clock()
            self._go_on()
            return self._seen(entry)

    def leave(self, settings: Settings, viewer: str) -> None:
        """Stop watching; the rehearsal of its last viewer is stopped at once."""
        with self._lock:
            entry = self._entries.get(settings.key)
            if entry is not None:
                entry.viewers.pop(viewer, None)
                if not self._watched(entry, PRESENT):
                    self._stop(entry)
            self._go_on()

    def close(self) -> None:
        """Stop everything."""
        with self._lock:
            for entry in self._entries.values():
                self._stop(entry)

    def _waiting(self) -> list[_Entry]:
        return [entry for entry in self._entries.values() if entry.phase == "waiting"]

    def _seen(self, entry: _Entry) -> Job:
        place = self._waiting().index(entry) + 1 if entry.phase == "waiting" else 0
        growing = entry.growing
        return Job(entry.phase, place, len(growing.printed), growing.recording, entry.problem)

    def _watched(self, entry: _Entry, seconds: float) -> bool:
        return any(self._clock() - seen <= seconds for seen in entry.viewers.values())

    def _stop(self, entry: _Entry) -> None:
        if entry.phase in ("waiting", "starting", "training"):
            entry.phase = "stopped"
            if entry.worker is not None:
                entry.worker.end()

    def _go_on(self) -> None:
        """Stop what nobody watches, forget the oldest that are over, and start the next."""
        for entry in list(self._entries.values()):
            if not self._watched(entry, PATIENCE):
                self._stop(entry)
        over = [key for key, entry in self._entries.items() if entry.phase in ("done", "failed", "stopped")]
        for key in over[: max(0, len(over) - KEPT)]:
            del self._entries[key]
        running = any(entry.phase in ("starting", "training") for entry in self._entries.values())
        for entry in self._waiting()[: 0 if running else 1]:
            self._start(entry)

    def _start(self, entry: _Entry) -> None:
        entry.phase = "starting"
        try:
            entry.worker = Worker(entry.settings, self._command)
        except OSError as error:
            entry.phase, entry.problem = "failed", f"No process could be started ({error.strerror or error})."
            return
        for work, arguments in ((self._listen, (entry, entry.worker)), (self._wait, (entry.worker,))):
            threading.Thread(target=work, args=arguments, daemon=True, name="theatre").start()

    def _listen(self, entry: _Entry, worker: Worker) -> None:
        problem = "The training ended too early."
        try:
            for event in worker.events():
                with self._lock:
                    entry.growing.add(event)
                    if entry.phase == "starting":
                        entry.phase = "training"
                    if isinstance(event, Ended) and entry.phase == "training":
                        entry.phase = "done"
        except (RuntimeError, ValueError, KeyError, TypeError, OSError) as error:
            problem = str(error)
        worker.end()
        with self._lock:
            if entry.phase in ("starting", "training"):
                entry.phase, entry.problem = "failed", printable(problem, 300)
            entry.worker = None
            self._go_on()

    def _wait(self, worker: Worker) -> None:
        """Once a second: is anybody watching?"""
        while worker.process.poll() is None:
            time.sleep(1.0)
            with self._lock:
                self._go_on()

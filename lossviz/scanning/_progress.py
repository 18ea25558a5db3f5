"""How far a scan has come, in a file of its run: what a terminal prints and the app shows, and the way to stop it."""

import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from lossviz.errors import FormatError
from lossviz.recording import read_json, write_json

__all__ = ["ScanProgress", "read_progress", "request_stop", "stop_requested", "take_back_stop"]

_FILE, _STOP = "scan-progress.json", "scan-stop"
_MOST = 32 * 2**20  # bytes; a hundred thousand files may each have their problem
STATES = ("running", "done", "stopped")


@dataclass
class ScanProgress:
    """How far a scan has come.

    Attributes:
        total: how many files, or recorded steps, it has.
        kept: how many of them were finished before it began.
        scanned: how many it has finished.
        timesteps: how many timesteps those hold, padding included.
        problems: why a file was left out, by its name.
        state: "running", "done" or "stopped"; a scan that was killed says "running" for ever.
        at: when this was written, in seconds since 1970.
    """

    total: int = 0
    kept: int = 0
    scanned: int = 0
    timesteps: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    state: str = "running"
    at: float = 0.0

    @property
    def done(self) -> int:
        """How many have been dealt with, in whatever way."""
        return self.kept + self.scanned + len(self.problems)

    def save(self, folder: Path) -> None:
        """Write it to the run's folder."""
        self.at = time.time()
        write_json(folder / _FILE, asdict(self))


def read_progress(folder: Path) -> ScanProgress | None:
    """How far the scan that writes a run has come; None where no scan wrote it, or the file can't be read.

    >>> read_progress(Path("nowhere"))
    """
    try:
        given = read_json(folder / _FILE, _MOST)
        found = ScanProgress(**{one.name: given[one.name] for one in fields(ScanProgress)})
        sound = type(found.at) in (int, float) and 0 <= found.at < 2**53 and isinstance(found.problems, dict)
        counts = (found.total, found.kept, found.scanned, found.timesteps)
        sound = sound and all(type(count) is int and 0 <= count < 2**63 for count in counts)
        return found if sound and found.done <= found.total and found.state in STATES else None
    except (FormatError, KeyError, TypeError):
        return None


def request_stop(folder: Path) -> None:
    """Ask the scan that writes a run to stop after the files that are being read."""
    (folder / _STOP).touch()


def stop_requested(folder: Path) -> bool:
    """Whether somebody asked the scan to stop."""
    return (folder / _STOP).exists()


def take_back_stop(folder: Path) -> None:
    """Forget that somebody asked."""
    (folder / _STOP).unlink(missing_ok=True)

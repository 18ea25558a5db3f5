"""What there is to scan: one item a file, or a recorded step of a run, each with its identity."""

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lossviz.errors import FormatError, InputError
from lossviz.recording import Run, is_run, open_run

__all__ = ["Item", "changed_since", "items_of", "opened_run", "stamp"]


@dataclass(frozen=True)
class Item:
    """A file, or a step of a run.

    Attributes:
        file: its absolute path.
        step: of a run, the step; None for a file.
        stamp: the size and the time of the last change of what is read, by which a finished shard is known again.
    """

    file: str
    step: int | None
    stamp: str

    @property
    def name(self) -> str:
        """What it is called where it is spoken of.

        >>> Item("/data/a.npz", None, "").name, Item("/data/run", 40, "").name
        ('/data/a.npz', '/data/run, step 40')
        """
        return self.file if self.step is None else f"{self.file}, step {self.step}"

    @property
    def source(self) -> str:
        """What the shard that is made from it keeps."""
        return f"{self.name}: {self.stamp}"


def items_of(files: Iterable[str | Path]) -> list[Item]:
    """What files, patterns and runs mean, in their order, each once; a file that is not there is an item too.

    Raises:
        InputError: if nothing is named.
        FormatError: if a pattern matches nothing, or a run can't be opened.
    """
    found = [item for file in files for path in _matches(str(file)) for item in _items(path)]
    if not found:
        raise InputError("`scan` needs files: recorded batches, runs, or token files.")
    return list({item.name: item for item in found}.values())


def stamp(path: Path) -> str:
    """The size and the time of the last change of a file, or of the newest shard of a run; "missing" without one.

    >>> stamp(Path("nowhere"))
    'missing'
    """
    parts = sorted(path.glob("steps-*")) if path.is_dir() else [path]
    try:
        states = [part.stat() for part in parts]
    except OSError:
        return "missing"
    return f"{sum(one.st_size for one in states)} bytes, {max((one.st_mtime_ns for one in states), default=0)}"


def changed_since(item: Item) -> bool:
    """Whether what an item names is no longer what it was."""
    return stamp(Path(item.file)) != item.stamp


@lru_cache(maxsize=2)
def opened_run(file: str, stamp: str) -> Run:  # noqa: ARG001 - a run that changed is opened again
    """A run, kept open from step to step."""
    return open_run(file)


def _matches(file: str) -> list[Path]:
    if not glob.has_magic(file) or Path(file).exists():
        return [Path(file)]
    found = sorted(glob.glob(file, recursive=True))  # noqa: PTH207 (a Path has no absolute glob)
    if not found:
        raise FormatError(f"`{file}` matches no file.")
    return [Path(one) for one in found]


def _items(path: Path) -> list[Item]:
    path = path.resolve()
    known = stamp(path)
    if not is_run(path):
        return [Item(str(path), None, known)]
    return [Item(str(path), step, known) for step in opened_run(str(path), known).steps]

"""`run.json` says what a run is, `rank-00000.json` how far each process came; both are replaced in one go."""

import hashlib
import json
import os
import platform
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lossviz.display_text import quoted
from lossviz.errors import FormatError
from lossviz.recording._disk.schema import SCHEMA_VERSION

__all__ = [
    "Manifest",
    "RankState",
    "is_id",
    "name_problem",
    "read_json",
    "read_manifest",
    "read_rank_states",
    "vocabulary_digest",
    "write_json",
]

_MOST = 4 * 2**20  # bytes of a JSON file; Python takes twenty times as much for lists in lists
_IDS = ("pad_id", "eos_id", "ignore_id")
_KINDS: dict[str, Any] = {
    "lossviz": str,
    "trainer": str,
    "versions": dict,
    "settings": dict,
    "vocabulary": dict | None,
    "started": str,
}
_STATE: dict[str, type] = {"rank": int, "written": int, "dropped": int, "closed": bool, "stopped": str}


@dataclass(frozen=True)
class Manifest:
    """What a run is; the content of `run.json`.

    Attributes:
        run: a random id, which every shard carries too.
        schema: the version of the columns.
        lossviz: the version that recorded it.
        trainer: what it was recorded by, such as "pytorch".
        versions: of Python and the libraries, by name.
        settings: every, sequences, keep_steps, pad_id, and so on.
        vocabulary: {"size", "sha256"} of the tokens, which stand in `vocabulary.json`, or None.
        started: when, in UTC.
    """

    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    schema: int = SCHEMA_VERSION
    lossviz: str = "unknown"
    trainer: str = "plain"
    versions: dict[str, str] = field(default_factory=lambda: {"python": platform.python_version()})
    settings: dict[str, Any] = field(default_factory=dict)
    vocabulary: dict[str, Any] | None = None
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def create(self, folder: Path) -> "Manifest":
        """Write `run.json`, unless another rank was faster; return the one that stands."""
        path = folder / "run.json"
        if not path.exists():
            draft = folder / f"run.json.{uuid.uuid4().hex}"
            draft.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
            try:
                os.link(draft, path)  # fails where the file exists: the first rank wins
            except FileExistsError:
                pass
            except OSError:  # a file system without links
                draft.replace(path)
            draft.unlink(missing_ok=True)
        return read_manifest(folder)


@dataclass
class RankState:
    """How far one process came; the content of `rank-00000.json`.

    Attributes:
        rank: which process.
        written: how many steps were written.
        dropped: how many were dropped since the disk was too slow, or recording had stopped.
        closed: whether the recorder was closed.
        stopped: why recording stopped early, in one sentence, or "".
    """

    rank: int = 0
    written: int = 0
    dropped: int = 0
    closed: bool = False
    stopped: str = ""

    @property
    def file(self) -> str:
        """The file's name."""
        return f"rank-{self.rank:05d}.json"

    def save(self, folder: Path) -> None:
        """Replace the file."""
        write_json(folder / self.file, asdict(self))


def name_problem(folder: Path) -> str:
    """Why no run can lie in a folder of that name, or "": Arrow and DuckDB open files by UTF-8 names alone.

    >>> name_problem(Path("run-é"))
    ''
    """
    raw = os.fsencode(folder)
    try:
        raw.decode()
    except UnicodeDecodeError:
        shown = raw.decode(errors="backslashreplace")
        return f"The name of `{shown}` is not UTF-8, so Arrow can't open what lies in it. Rename the folder."
    return ""


def read_manifest(folder: Path) -> Manifest:
    """Read `run.json`; fields of newer versions are ignored.

    Raises:
        FormatError: if there is none, it can't be read, or its schema is newer than this version reads; or if the
            folder's name is not UTF-8.
    """
    if problem := name_problem(folder):
        raise FormatError(problem)
    path = folder / "run.json"
    if not path.exists():
        raise FormatError(f"`{folder}` holds no run: it has no `run.json`. Pass the folder that was recorded to.")
    given = _object(path)
    if not isinstance(given.get("run"), str) or not isinstance(given.get("schema"), int):
        raise FormatError(f"`{path}` is not a run's: it lacks `run` or `schema`. Pass the folder that was recorded to.")
    if given["schema"] > SCHEMA_VERSION:
        found = quoted(given["schema"], 20)
        raise FormatError(
            f"`{folder}` was recorded with schema {found}; this lossviz reads up to {SCHEMA_VERSION}. "
            "Upgrade it with `pip install -U lossviz`."
        )
    odd = [name for name, kind in _KINDS.items() if name in given and not isinstance(given[name], kind)]
    odd = odd or [name for name in _IDS if not is_id(given.get("settings", {}).get(name))]
    if odd:
        raise FormatError(f"`{path}` is damaged: its `{odd[0]}` is of another kind. Restore it from a copy.")
    return Manifest(**{one.name: given[one.name] for one in fields(Manifest) if one.name in given})


def read_rank_states(folder: Path) -> tuple[RankState, ...]:
    """Read what every rank said of itself, in order; a file that can't be read says nothing."""
    states = []
    for path in sorted(folder.glob("rank-*.json")):
        try:
            given = _object(path)
        except FormatError:
            continue
        known = {name: given[name] for name in _STATE if name in given}
        if all(type(value) is _STATE[name] for name, value in known.items()):
            states.append(RankState(**known))
    return tuple(states)


def is_id(value: Any) -> bool:
    """Whether it is an id or none; what a query says of it is SQL."""
    return value is None or (type(value) is int and -(2**63) <= value < 2**63)


def vocabulary_digest(tokens: Sequence[str]) -> str:
    """The SHA-256 of a vocabulary, order included.

    >>> vocabulary_digest(["a", "b"]) == vocabulary_digest(["b", "a"])
    False
    """
    return hashlib.sha256(json.dumps(list(tokens)).encode()).hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Replace a file by another in one go, so that a crash leaves the old one or the new one."""
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
    draft.replace(path)


def read_json(path: Path, most: int = _MOST) -> Any:
    """What a JSON file of a run holds.

    Raises:
        FormatError: it can't be read, is no JSON, or has more bytes than that.
    """
    if not path.is_file():
        raise FormatError(f"`{path}` is not a file but a device or a pipe. Restore it from a copy.")
    if path.stat().st_size > most:
        raise FormatError(f"`{path}` is too large to be a run's. Restore it from a copy.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise FormatError(f"`{path}` was cut off or damaged: it is not JSON. Restore it from a copy.") from None


def _object(path: Path) -> dict[str, Any]:
    given = read_json(path)
    if not isinstance(given, dict):
        raise FormatError(f"`{path}` must hold a JSON object; got a {type(given).__name__}. Restore it from a copy.")
    return given

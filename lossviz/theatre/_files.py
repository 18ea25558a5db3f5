"""Recordings as files: one `.npz` a run, arrays and a JSON header, no pickle; read with the reader of every upload."""

import io
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lossviz.errors import FormatError, InputError
from lossviz.formats import contents
from lossviz.samples import sample_folder
from lossviz.theatre._recording import Group, Recording, Run, Scene, Written
from lossviz.theatre._settings import RIGHT, VERSION, Settings

__all__ = [
    "folder",
    "read",
    "read_run",
    "scene_as_json",
    "scene_from_json",
    "texts_as_json",
    "texts_from_json",
    "to_bytes",
    "write",
]

_ARRAYS = {
    "steps": (1, "iu"),
    "losses": (3, "f"),
    "prints": (1, "f"),
    "told": (1, "f"),
    "reported": (1, "f"),
    "true": (2, "f"),
}
_IDS = ("targets", "inputs", "lengths")


def folder() -> Path:
    """Where the recordings that come with lossviz lie."""
    return sample_folder() / "theatre"


def read(settings: Settings, where: Path | None = None) -> Recording:
    """The recording of a pair of runs that comes with lossviz.

    Args:
        settings: of the pair.
        where: the folder, if it is another one.

    Raises:
        FormatError: if a file is missing, damaged, or of another version.
        InputError: if the files are not a pair.

    >>> recording = read(Settings("dates", "stop-is-pad"))
    >>> recording.steps[:4], recording.verdict().lies
    ((0, 1, 2, 3), True)
    """
    where = where or folder()
    return Recording(*(read_run(where / settings.file(bug), settings) for bug in (RIGHT, settings.bug)))


def write(recording: Recording, where: Path) -> None:
    """Write the two runs of a recording to a folder, one file each; the same bytes for the same runs."""
    where.mkdir(parents=True, exist_ok=True)
    for run in (recording.right, recording.wrong):
        (where / recording.settings.file(run.bug)).write_bytes(to_bytes(run))


def to_bytes(run: Run) -> bytes:
    """A run as the bytes of an `.npz` file."""
    header = {
        "version": VERSION,
        "settings": {name: value for name, value in asdict(run.settings).items() if name != "bug"},
        "bug": run.bug,
        "scene": scene_as_json(run.scene),
        "texts": [texts_as_json(texts) for texts in run.texts],
        "facts": run.facts,
        "versions": run.versions,
    }
    text = json.dumps(header, ensure_ascii=False, sort_keys=True).encode()
    stream = io.BytesIO()
    arrays = {name: getattr(run, name) for name in _ARRAYS}
    np.savez(stream, allow_pickle=False, header=np.frombuffer(text, np.uint8), **arrays)
    return stream.getvalue()


def read_run(source: Path | bytes, settings: Settings) -> Run:
    """Read one run from a file or its bytes.

    Args:
        source: a path, or what `to_bytes` gave.
        settings: of the pair that it is a part of; the right run is shared by the bugs of its model.

    Raises:
        FormatError: if it is missing, damaged, of another version, or not of these settings.
    """
    name = source.name if isinstance(source, Path) else "recording.npz"
    fields = contents(source, name=name)
    try:
        run = _run(fields, settings)
    except (InputError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FormatError(
            f"`{name}` is no recording of this lossviz ({error}). Write it again: `make samples`."
        ) from None
    return run


def scene_as_json(scene: Scene) -> dict[str, Any]:
    """A scene as what JSON can hold."""
    return asdict(scene) | {name: getattr(scene, name).tolist() for name in _IDS}


def scene_from_json(held: dict[str, Any]) -> Scene:
    """What `scene_as_json` gave, as a scene again."""
    texts = {name: held[name] for name in ("vocabulary", "input_vocabulary", "prompts")}
    return Scene(
        **held
        | {name: np.array(held[name], np.int64) for name in _IDS}
        | {name: None if value is None else tuple(map(str, value)) for name, value in texts.items()}
        | {"groups": tuple(Group(str(group["name"]), int(group["count"])) for group in held["groups"])}
    )


def texts_as_json(texts: Iterable[Written]) -> list[list[Any]]:
    """The texts of a frame as what JSON can hold."""
    return [[written.text, written.stopped] for written in texts]


def texts_from_json(held: Iterable[Any]) -> tuple[Written, ...]:
    """What `texts_as_json` gave, as texts again."""
    return tuple(Written(str(text), bool(stopped)) for text, stopped in held)


def _run(fields: Any, settings: Settings) -> Run:
    header = json.loads(bytes(np.asarray(fields["header"], np.uint8)))
    if header["version"] != VERSION:
        raise InputError(f"version {header['version']}, where {VERSION} is played")
    if {**header["settings"], "bug": settings.bug} != asdict(settings):
        raise InputError(f"recorded with {header['settings']}")
    run = Run(
        settings=settings,
        bug=str(header["bug"]),
        scene=scene_from_json(header["scene"]),
        texts=tuple(map(texts_from_json, header["texts"])),
        facts={str(name): float(value) for name, value in header["facts"].items()},
        versions={str(name): str(value) for name, value in header["versions"].items()},
        **{name: _array(fields, name, *kind) for name, kind in _ARRAYS.items()},
    )
    scene, frames = run.scene, len(run.steps)
    for name, found, wanted in (
        ("losses", run.losses.shape, (frames, *scene.targets.shape)),
        ("prints", run.prints.shape, (frames,)),
        ("told", run.told.shape, (frames,)),
        ("true", run.true.shape, (frames, len(scene.groups))),
        ("texts", (len(run.texts),), (frames,)),
        ("inputs", scene.inputs.shape, scene.targets.shape),
        ("lengths", scene.lengths.shape, scene.targets.shape[:1]),
    ):
        if found != wanted:
            raise InputError(f"`{name}` has shape {found}, where {wanted} is expected")
    return run


def _array(fields: Any, name: str, axes: int, kinds: str) -> np.ndarray:
    array = np.array(fields[name])
    if array.ndim != axes or array.dtype.kind not in kinds:
        raise InputError(f"`{name}` has shape {array.shape} and dtype {array.dtype}")
    return array

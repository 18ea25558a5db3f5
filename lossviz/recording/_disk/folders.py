"""The folders that a run lies in: one, or one for each group of ranks that share a disk."""

import glob
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lossviz.errors import FormatError
from lossviz.recording._disk.manifest import Manifest, RankState

__all__ = ["folders_of", "is_run", "refuse_different"]

_IDS = ("pad_id", "eos_id", "ignore_id")


def is_run(path: str | Path) -> bool:
    """Whether a path is a folder that a recorder wrote to.

    >>> is_run("nowhere")
    False
    """
    return (Path(path) / "run.json").is_file()


def folders_of(path: str) -> list[Path]:
    """The folders that a path or a pattern means; a pattern may also name the files in them.

    Raises:
        FormatError: if a pattern matches no run.

    >>> folders_of("run")[0].name
    'run'
    """
    if not glob.has_magic(path) or Path(path).exists():
        return [Path(path)]
    found = sorted(Path(one) for one in glob.glob(path, recursive=True))  # noqa: PTH207 (a Path has no absolute glob)
    folders = list(dict.fromkeys(one if one.is_dir() else one.parent for one in found))
    runs = [folder for folder in folders if is_run(folder)]
    if not runs:
        raise FormatError(f"No folder that `{path}` matches holds a run. Pass the folder that was recorded to.")
    return runs


def refuse_different(
    folders: Sequence[Path], manifests: Sequence[Manifest], states: Sequence[tuple[RankState, ...]]
) -> None:
    """Refuse folders that are not the ranks of one training.

    Raises:
        FormatError: if two hold the same rank, or differ in vocabulary or special ids.
    """
    ranks = set[int]()
    for folder, manifest, own in zip(folders, manifests, states, strict=True):
        twice = ranks & {state.rank for state in own}
        if twice:
            raise FormatError(f"`{folder}` holds rank {min(twice)} again: that is another run. Open it alone.")
        ranks |= {state.rank for state in own}
        if _shared(manifest) != _shared(manifests[0]):
            raise FormatError(f"`{folder}` has another vocabulary or special ids than `{folders[0]}`. Open it alone.")


def _shared(manifest: Manifest) -> tuple[Any, ...]:
    return (manifest.vocabulary or {}).get("sha256"), *(manifest.settings.get(name) for name in _IDS)

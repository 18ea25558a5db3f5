"""One NumPy array per file: the logits, with the other arrays in files beside them.

Open the logits. Where they are called `logits.npy`, the others are `targets.npy`, `lengths.npy`, `weights.npy`,
`pad_id.npy`… in the same folder; where they are called `run.npy` (or `run.logits.npy`), `run.targets.npy`,
`run.lengths.npy`…:

```python
np.save("run.npy", logits)            # [B, T, V]
np.save("run.targets.npy", targets)   # [B, T]
np.save("run.lengths.npy", [3, 4, 2])
```

- Logits of 1 MiB or more are read as they are needed: a file larger than memory opens at once. Don't change it while it
  is open.
- To upload, choose all the files together.
- Dtypes are kept; bfloat16 is stored as NumPy itself stores it, as 2-byte void, and read back as bfloat16.
- Object arrays are refused: they are pickles, and loading a pickle runs the code in it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lossviz.errors import FormatError
from lossviz.formats._array import read_array
from lossviz.formats._common import Fields, Format, Source, Target, listing, replacing
from lossviz.formats._fields import FIELDS, describe
from lossviz.formats._names import ALIASES
from lossviz.formats.npz import write_array


def prefix(file: str) -> str:
    """What the names of the files beside the logits begin with.

    >>> prefix("run.npy"), prefix("run.logits.npy"), prefix("logits.npy")
    ('run.', 'run.', '')
    """
    stem = file.removesuffix(".npy")
    return "" if stem == "logits" else stem.removesuffix(".logits") + "."


def read(source: Source, names: Mapping[str, str] | None = None) -> Fields:
    """Read the logits and what stands beside them on disk."""
    beside = _beside(source, names)
    return {"logits": _logits(source, beside), **{name: _read(part) for name, part in beside.items()}}


def read_parts(parts: Mapping[str, Source]) -> Fields:
    """Read several .npy files that were uploaded together.

    Raises:
        FormatError: none of them is the logits, or more than one could be.
    """
    arrays = {file: _read(part) for file, part in parts.items()}
    main = [file for file in arrays if file == "logits.npy" or file.endswith(".logits.npy")]
    main = main or [file for file, array in arrays.items() if array.ndim == 3]
    if len(main) != 1:
        held = listing(describe(file, array) for file, array in arrays.items())
        raise FormatError(
            f"The files hold {held}; looked for one with the logits [B, T, V]. Call it `logits.npy`, and the others "
            "`targets.npy`, `lengths.npy`…"
        )
    start = prefix(main[0])
    rest = {file.removesuffix(".npy").removeprefix(start): arrays[file] for file in arrays if file != main[0]}
    return {"logits": arrays[main[0]], **rest}


def _read(source: Source) -> Any:
    if not source.head().startswith(b"\x93NUMPY"):
        raise source.wrong("an .npy array", "Save the array with `np.save`.")
    return read_array(source)


def _beside(source: Source, names: Mapping[str, str] | None) -> dict[str, Source]:
    """The files beside the logits, under the names lossviz uses, their aliases, and the caller's own."""
    if source.path is None:
        return {}
    candidates = [*FIELDS, *(alias for name in FIELDS for alias in ALIASES.get(name, ())), *(names or {}).values()]
    paths = {name: source.path.with_name(f"{prefix(source.path.name)}{name}.npy") for name in candidates}
    return {name: Source(path.name, path) for name, path in paths.items() if path.is_file() and path != source.path}


def _logits(source: Source, beside: Mapping[str, Source]) -> Any:
    """The logits, unless the file is one of the arrays that stand beside them, or stands alone."""
    array = _read(source)
    if any(name in beside for name in ("targets", *ALIASES["targets"])):
        return array
    stem = source.name.removesuffix(".npy")
    run, _, last = stem.rpartition(".")
    if last in FIELDS and last != "logits":
        way_out = f"Open `{run or 'logits'}.npy`; the others are read from beside it."
    elif source.path is None:
        way_out = "Upload `logits.npy` and `targets.npy` together."
    else:
        way_out = f"Save the targets [B, T] as `{prefix(source.name)}targets.npy` in the same folder."
    raise FormatError(f"`{source.name}` holds one array, {describe(stem, array)}, and no targets beside it. {way_out}")


def write(fields: Fields, target: Target) -> None:
    """Write the logits to a path, and the other fields beside it.

    Raises:
        FormatError: the target is not a path, or an older file beside it would be read with the new ones.
    """
    if not isinstance(target, Path):
        raise FormatError("`.npy` holds one array per file, so it needs a path and not a stream. Choose .npz.")
    paths = {name: target.with_name(f"{prefix(target.name)}{name}.npy") for name in FIELDS} | {"logits": target}
    if stale := [path.name for name, path in paths.items() if name not in fields and path.exists()]:
        raise FormatError(
            f"{listing(f'`{name}`' for name in stale)} would be read together with `{target.name}`. Delete what is not "
            "part of this batch, or choose another name."
        )
    for name in fields:
        with replacing(paths[name]) as stream:
            write_array(stream, name, fields[name])


FORMAT = Format("npy", (".npy",), "NumPy arrays side by side", __doc__, FIELDS, read, write)

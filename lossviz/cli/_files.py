"""FILE on the command line: a file, or the name of a sample."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from lossviz.cli._options import CHOICES
from lossviz.display_text import printable
from lossviz.errors import FormatError, InputError, NamesError
from lossviz.formats import propose
from lossviz.layouts import Reading, read
from lossviz.recording import is_run, open_run
from lossviz.samples import SAMPLES, load_sample, sample_path

__all__ = ["open_reading", "parse_names", "read_as", "reading_record", "resolve", "shape_text"]


def resolve(file: str) -> Path:
    """The path of a file or of a sample, absolute.

    Raises:
        InputError: if it is neither.

    >>> resolve("golden").name
    'golden.json'
    """
    if "\0" in file:
        raise InputError(f"`FILE` must be a path; got `{printable(file)}`, which holds a NUL.")
    return sample_path(file) if _is_sample(file) else Path(file).resolve()


def open_reading(file: str, arguments: Namespace, reported: str | None = None) -> Reading:
    """Read a file in whatever layout it has, a sample, or one step of a recorded run (the last, if none is named).

    Args:
        file: a path, or the name of a sample.
        arguments: `names`, `step` and the flags of `add_layout`.
        reported: the number on the command line, if there is one.

    Raises:
        FormatError: if the file can't be read.
        InputError: if its layout is unknown, or there is no such sample.
    """
    names, step = parse_names(arguments.names), arguments.step
    if is_run(file):
        opened = open_run(file)
        return Reading(opened.batch(opened.steps[-1] if step is None else step).fields())
    if step is not None:
        raise InputError(f"`--step` is for recorded runs; `{printable(file)}` is not one. Leave it out.")
    if _is_sample(file):
        return Reading(load_sample(file))
    choices = {name: getattr(arguments, name) for name in CHOICES}
    reduction = getattr(arguments, "reduction", None)
    try:
        return read(file, names=names, reported=reported, reduction=reduction, **choices)
    except NamesError as error:
        raise FormatError(f"{error}{_on_the_command_line(error)}") from None


def read_as(reading: Reading) -> list[str]:
    """What was assumed about a file, and the flags that change it; empty if nothing was.

    >>> read_as(Reading({}))
    []
    """
    if not reading.assumptions:
        return []
    flags = dict.fromkeys(one.flag for one in reading.assumptions)
    return [*_wrapped(reading.sentence), *_wrapped(f"to change that: {', '.join(flags)}")]


def reading_record(reading: Reading) -> dict[str, Any]:
    """The JSON keys that say how a file was read; none for a plain file.

    >>> reading_record(Reading({}))
    {}
    """
    if not reading.assumptions:
        return {}
    assumed = [{"assumed": one.text, "to_change": one.flag} for one in reading.assumptions]
    return {"layout": reading.layout, "assumptions": assumed}


def parse_names(pairs: Sequence[str] | None) -> dict[str, str] | None:
    """What `--names` maps: `["targets=labels"]` to `{"targets": "labels"}`.

    Raises:
        InputError: if a word has no `=`.

    >>> parse_names(["logits=output", "targets=labels"])
    {'logits': 'output', 'targets': 'labels'}
    """
    for pair in pairs or ():
        if "=" not in pair:
            raise InputError(
                f"`--names` must be pairs such as targets=labels; got `{pair}`. Put FILE before `--names`."
            )
    return None if pairs is None else dict(pair.split("=", 1) for pair in pairs)


def shape_text(shape: Sequence[int]) -> str:
    """How large a batch is, (B, T, V), in words; V is 0 where only losses were recorded and V is unknown.

    >>> shape_text((3, 5, 1)), shape_text((3, 5, 0))
    ('3 sequences × 5 timesteps × 1 class', '3 sequences × 5 timesteps')
    """
    words = (("sequence", "sequences"), ("timestep", "timesteps"), ("class", "classes"))
    axes = [f"{count} {many[count != 1]}" for count, many in zip(shape, words, strict=True)]
    return " × ".join(axes if shape[-1] else axes[:-1])


def _wrapped(text: str) -> list[str]:
    return wrap(printable(text, most=2000), 118, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _is_sample(file: str) -> bool:
    """A bare word that names no file is taken for a sample's name, perhaps misspelled."""
    if any(file == sample.name for sample in SAMPLES):
        return not Path(file).is_file()
    bare = not Path(file).suffix and Path(file).name == file
    return bare and not Path(file).exists()


def _on_the_command_line(error: NamesError) -> str:
    found = {name: key for name, key in propose(error.arrays).items() if name != key}
    pairs = " ".join(f"{name}={key}" for name, key in found.items())
    return f" On the command line: `--names {pairs or 'logits=… targets=…'}`."

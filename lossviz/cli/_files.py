"""FILE on the command line: a file, or the name of a sample."""

from collections.abc import Sequence
from pathlib import Path

from lossviz.batch import Batch
from lossviz.errors import FormatError, InputError, NamesError
from lossviz.formats import propose, read
from lossviz.recording import is_run, open_run
from lossviz.samples import SAMPLES, load_sample, sample_path

__all__ = ["open_batch", "parse_names", "printable", "resolve", "shape_text"]


def resolve(file: str) -> Path:
    """The path of a file or of a sample, absolute.

    Raises:
        InputError: if it is neither.

    >>> resolve("golden").name
    'golden.json'
    """
    return sample_path(file) if _is_sample(file) else Path(file).resolve()


def open_batch(file: str, names: dict[str, str] | None, step: int | None = None) -> Batch:
    """Read a file, a sample, or one step of a recorded run (its last one, if none is named) as a batch.

    Raises:
        FormatError: if the file can't be read.
        InputError: if its arrays don't fit together, or there is no such sample.
    """
    if is_run(file):
        opened = open_run(file)
        return opened.batch(opened.steps[-1] if step is None else step)
    if step is not None:
        raise InputError(f"`--step` is of recorded runs; `{printable(file)}` is none. Leave it out.")
    if _is_sample(file):
        return Batch.from_arrays(**load_sample(file))
    try:
        fields = read(Path(file), names=names)
    except NamesError as error:
        raise FormatError(f"{error}{_on_the_command_line(error)}") from None
    return Batch.from_arrays(**{"title": Path(file).name, **fields})


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


def printable(text: str, most: int = 40) -> str:
    r"""A text that can't steer a terminal: escapes for what is not printable, an ellipsis for what is too long.

    >>> printable("a\x1b[31m"), printable("x" * 100, most=5)
    ('a\\x1b[31m', 'xxxx…')
    """
    short = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in short)


def shape_text(shape: Sequence[int]) -> str:
    """How large a batch is, (B, T, V), in words.

    >>> shape_text((3, 5, 1))
    '3 sequences × 5 timesteps × 1 class'
    """
    words = (("sequence", "sequences"), ("timestep", "timesteps"), ("class", "classes"))
    return " × ".join(f"{count} {many[count != 1]}" for count, many in zip(shape, words, strict=True))


def _is_sample(file: str) -> bool:
    """A bare word that is no file is the name of a sample, perhaps a misspelled one."""
    if any(file == sample.name for sample in SAMPLES):
        return not Path(file).is_file()
    bare = not Path(file).suffix and Path(file).name == file
    return bare and not Path(file).exists()


def _on_the_command_line(error: NamesError) -> str:
    found = {name: key for name, key in propose(error.arrays).items() if name != key}
    pairs = " ".join(f"{name}={key}" for name, key in found.items())
    return f" On the command line: `--names {pairs or 'logits=… targets=…'}`."

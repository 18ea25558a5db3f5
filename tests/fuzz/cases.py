"""The kinds of cases: what is made, what it is given to, and what may come of it."""

import base64
import contextlib
import io
import random
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lossviz import Batch
from lossviz.edits import EDITABLE, Edit, apply_edits, differences
from lossviz.errors import LossvizError
from lossviz.formats import contents, read, read_many
from lossviz.formats.typed import make_logits, pad, parse_logits, parse_sequences
from lossviz.layouts import batch_of, interpret
from tests.fuzz import files, odd, run_folders

MESSAGE = 2_000  # characters
_TARGETS = files.npy_bytes(np.zeros((2, 3), int))


class Wrong(AssertionError):
    """What may not come of a case."""


def make(kind: str, rng: random.Random) -> Any:
    """The content of a case, by its kind; where a library refuses to write what was drawn, the next draw."""
    while kind in files.MAKERS:
        with contextlib.suppress(Exception):
            content = files.MAKERS[kind](rng)
            return odd.data(rng, content) if rng.random() < 0.35 else content
    return _MAKERS[kind](rng)


def ask(kind: str, content: Any) -> str:
    """Give a case to lossviz; returns what came of it in a word.

    Raises:
        Wrong: a message that is no sentence; whatever else lossviz raises is wrong too.
    """
    try:
        return _ASKERS.get(kind, _open)(kind, content)
    except LossvizError as error:
        check_message(str(error))
        return "unknown damage" if "in a way lossviz doesn't know" in str(error) else "refused"


def check_message(message: str) -> None:
    """A message is short, says something, and steers no terminal."""
    if not message or len(message) > MESSAGE:
        raise Wrong(f"a message of {len(message):,} characters: {message[:200]!r}")
    if not message.replace("\n", " ").isprintable():
        raise Wrong(f"a message that can't be printed: {message[:200]!r}")


def _open(kind: str, content: bytes) -> str:
    """Read a file as an upload, strictly, and from disk: the three say the same of it, or one sentence each."""
    name = f"a.{kind}"
    with contextlib.suppress(LossvizError):
        read(content, name=name)
    with contextlib.suppress(LossvizError):
        read_many({name: content, "a.targets.npy": _TARGETS})
    with tempfile.NamedTemporaryFile(suffix=f".{kind}", dir=files.memory_folder()) as file:
        file.write(content)
        file.flush()
        with contextlib.suppress(LossvizError):
            batch_of(interpret(contents(Path(file.name))))
    batch = batch_of(interpret(contents(content, name=name)))
    return f"read {batch.shape}"


def _typed(_: str, content: tuple[str, str, Any]) -> str:
    text, pasted, options = content
    with contextlib.suppress(LossvizError):
        parse_logits(pasted, options["hint"])
    typed = parse_sequences(text, options["vocabulary"])
    targets = pad(typed.targets, timesteps=options["timesteps"])
    logits = make_logits(options["kind"], targets, options["classes"], temperature=options["temperature"])
    Batch.from_arrays(logits=logits, targets=targets, vocabulary=typed.vocabulary)
    return "typed"


def _make_typed(rng: random.Random) -> Any:
    options = {
        "hint": rng.choice((None, (1, 1), (2, 3), (1, 1, 2), (0, 0))),
        "vocabulary": rng.choice((None, None, [], ["a", "the"], ["a"] * 3, [odd.text(rng)])),
        "timesteps": rng.choice((*[None] * 8, 0, 1000, 2**40)),
        "classes": rng.choice((*[2, 5, 300] * 4, -1, 0, 2**40)),
        "kind": rng.choice(("uniform", "random", "wrong", "confident") * 3 + ("pasted", "")),
        "temperature": rng.choice((*[1.0] * 8, 0.0, -1.0, 1e-320, 1e308, float("nan"), float("inf"))),
    }
    return odd.text(rng), odd.text(rng, 30), options


def _edits(_: str, content: list[tuple[Any, Any, Any]]) -> str:
    batch = Batch.from_arrays(logits=np.zeros((2, 3, 4), np.float32), targets=np.ones((2, 3), int), lengths=[3, 1])
    made = []
    for one in content:
        with contextlib.suppress(LossvizError):
            edit = Edit(*one)
            check_message(str(edit))
            batch = apply_edits(batch, [edit])
            made.append(edit)
    differences(batch, made)
    return f"{len(made)} edits"


def _make_edits(rng: random.Random) -> Any:
    def one() -> tuple[Any, Any, Any]:
        field = rng.choice((*EDITABLE, *EDITABLE, odd.value(rng)))
        rank = EDITABLE.get(field, 2) if isinstance(field, str) else 2
        index: Any = tuple(rng.choice((0, 0, 1, 2, -1, 2**70)) for _ in range(rank))
        number = rng.choice((1, 2.5, 0, odd.value(rng), odd.value(rng)))
        return field, index if rng.random() < 0.8 else odd.value(rng), number

    return [one() for _ in range(rng.randint(1, 5))]


def _link(_: str, word: str) -> str:
    from lossviz.ui import link
    from lossviz.ui.linked import CHOICES
    from lossviz.ui.session.source import Source

    view = link.unpack(word)
    said = {key: view[key] for key, is_possible in CHOICES.items() if key in view and is_possible(view[key])}
    link.pack(said)
    batch = Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=np.ones((2, 3), int), lengths=[3, 1])
    source = Source("sample", "golden", batch)
    source.make_possible(link._edits(view.get("edits")))
    link._cell(view.get("cell"))
    if source.differences:
        check_message(str(source.differences[0]) + source.was(source.differences[0]))
    return f"{len(said)} choices, {len(source.steps)} steps"


def _make_link(rng: random.Random) -> str:
    from lossviz.ui.linked import CHOICES

    edits: list[Any] = [["logits", [0, 1, 2], 1.5], ["lengths", [1], 2.0], ["targets", [0, 0], 3.0]]
    edits.append(["repair", "PAD08", {"lengths": [1, 2], "weights": [[1.0, 0, 0], [1, 1, 1]]}, "1.0", None])
    edits.append(["repair", "SHF01", {"logits": ["float32", [[[0.5] * 4] * 3] * 2]}, "1.0", "lengths"])
    view = {key: rng.choice((*odd.VALUES, "mean", "explore")) for key in rng.sample(list(CHOICES), 6)}
    view |= {"source": ["sample", "golden"], "edits": edits, "cell": [1, 2], "mask": "lengths"}
    text = files.dumped(odd.tree(rng, view, rng.choice((1, 4, 12))))
    word = base64.urlsafe_b64encode(zlib.compress(text)).decode().rstrip("=")
    return odd.data(rng, word.encode()).decode("latin-1") if rng.random() < 0.2 else word


def _command(_: str, words: list[str]) -> str:
    """A command on recorded losses, which need no engine."""
    from lossviz.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(words)
        except SystemExit as end:  # argparse: help, or words that are no command
            status = end.code if isinstance(end.code, int) else 2
    if status == 2:
        for line in err.getvalue().split("\n")[:20]:
            check_message(line or "-")
    if any(mark in out.getvalue() + err.getvalue() for mark in ("\x1b", "Traceback", "\0")):
        raise Wrong(f"a terminal gets {(out.getvalue() + err.getvalue())[-300:]!r}")
    return f"status {status}"


_FILE = str(Path(__file__).parent / "corpus" / "losses.json")
_NUMBERS = ("1.2", "nan", "0e999", "-1", "1e400", "1,2", "", "9" * 400, "0x1", "1e308", "-inf", "0.0", "٣", "1_0")
_KNOWN = ("mean", "lengths", "none", "json", "PAD01", "github", "sarif", "targets=labels", "a=b", "bfloat16", "3")
_FLAGS = {
    "identify": "--decimals --accumulation-steps --world-size --max-length --class-weights --smoothing --accuracy "
    "--precision --mask --reduction --and --names --layout --pad-id --json",
    "analyze": "--mask --reduction --accumulation-steps --max-length --table --names --layout --average-across-batch "
    "--no-sum-over-batch --json --shift --ignore-id --weights --step",
    "check": "--select --ignore --reported --fail-on --format --names --fix --verbose --step",
    "rule": "PAD01 nan",
    "runs": "compact",
}


def _make_command(rng: random.Random) -> list[str]:
    command = rng.choice([*_FLAGS, "identify", "check", "analyze", rng.choice(odd.WORDS)])
    words = [command, rng.choice((_FILE, _FILE, _FILE, _FILE, rng.choice(odd.WORDS), "/"))]
    words += [rng.choice(_NUMBERS)] if command == "identify" else []
    for _ in range(rng.randint(0, 3)):
        words.append(rng.choice(_FLAGS.get(command, "--json").split()))
        words += [rng.choice((*_NUMBERS, *_KNOWN, *odd.WORDS))] if rng.random() < 0.85 else []
    return [word.replace("\ud800", "x") for word in words]


_MAKERS: dict[str, Callable[[random.Random], Any]] = {
    "typed": _make_typed,
    "edits": _make_edits,
    "link": _make_link,
    "command": _make_command,
    "run": run_folders.make,
}
_ASKERS: dict[str, Callable[[str, Any], str]] = {
    "typed": _typed,
    "edits": _edits,
    "link": _link,
    "command": _command,
    "run": lambda _, content: run_folders.ask(content, check_message),
}
KINDS = (*files.MAKERS, *_MAKERS)

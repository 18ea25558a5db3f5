"""The `lossviz` command: one module per subcommand, `app` to `samples`.

Exit status: 0 success, 1 `identify` found nothing or `check` found something, 2 could not run
(one sentence on stderr says why), 130 stopped by Ctrl-C.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lossviz.display_text import printable
from lossviz.errors import LossvizError

__all__ = ["main", "reference"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Args:
        argv: the arguments after `lossviz`; by default those of this process.

    >>> main(["analyze", "lengths-3-4-2"])
    Lengths 3, 4 and 2
    3 sequences × 4 timesteps × 5 classes, mask: lengths
    <BLANKLINE>
    1.3333 nats per timestep = 12.0000 ÷ 9 timesteps that count
    perplexity 3.7937, 9 of 12 timesteps count, 25 % padding
    <BLANKLINE>
     sequence length  counts weight  unpadded_loss  mean_loss  share
            0      3       3      3         3.0000     1.0000 0.2500
            1      4       4      4         6.0000     1.5000 0.5000
            2      2       2      2         3.0000     1.5000 0.2500
    0
    """
    try:
        _tolerate_narrow_encodings()
        with _interrupts_later():
            parsed = _loaded()  # imported here, so that Ctrl-C during the import shows no traceback
        arguments = parsed(argv)
        status = arguments.command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader went away, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _fail("stopped", 130)
    except (LossvizError, OSError, MemoryError) as error:
        return _fail(str(error) or "there is not enough memory for this batch.", 2)
    return int(status)


def reference() -> str:
    """The text of docs/commands.md, made from the parsers."""
    from lossviz.cli import _reference

    return _reference.reference()


def _loaded() -> Callable[[Sequence[str] | None], Any]:
    from lossviz.cli._parser import parsed

    return parsed


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Let Ctrl-C wait for the end: NumPy makes an ImportError of it, which blames the installation."""
    import signal  # these take a third of what the command takes until Ctrl-C is one word
    import threading

    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # which alone hears signals
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _fail(message: str, status: int) -> int:
    erase = "\r\x1b[K" if sys.stderr.isatty() else ""  # what is left of a progress line
    lines = (printable(line, 1_500) for line in message.split("\n"))
    sys.stderr.write(f"{erase}lossviz: {chr(10).join(lines)}\n")
    return status


def _tolerate_narrow_encodings() -> None:
    """Write ÷ and tokens as escapes where the terminal's encoding lacks them, instead of failing."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed before the command began
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 - it stays open until the end
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

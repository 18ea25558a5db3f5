"""Cases in processes of their own, with little memory and time: a crash or a hang ends the worker, not the run."""

import json
import mmap
import os
import random
import resource
import signal
import struct
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lossviz.formats import _common
from tests.fuzz import cases

SECONDS = 5  # of a processor that a case may take
MEMORY = 500 * 2**20  # bytes that a case may take beside what the process has
ADDRESSES = 4 * 2**30  # bytes of addresses beside those; a case that asks for more gets a MemoryError
STALLED = 60  # seconds, after which a worker that stands still is killed
MANY = 250  # cases a worker takes

Numbered = tuple[int, str, Callable[[], Any]]


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        counts: of each answer, by kind and the answer's first word.
        wrong: what may not happen: the number of the case, its kind, and what happened.
    """

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[dict[str, Any]] = field(default_factory=list)
    done: int = 0


def numbered(seed: int, number: int) -> Numbered:
    """The case of a seed and a number."""
    rng = random.Random(f"{seed}:{number}")
    kind = cases.KINDS[number % len(cases.KINDS)]
    return number, kind, lambda: cases.make(kind, rng)


def run(stream: Iterator[Numbered], until: float) -> Outcome:
    """Run cases until they end or the time does."""
    _limits()
    outcome, board = Outcome(), mmap.mmap(-1, 16)
    left: list[Numbered] = []
    while time.monotonic() < until:
        while len(left) < MANY and (one := next(stream, None)) is not None:
            left.append(one)
        if not left:
            break
        count = _batch(left, board, outcome, until)
        outcome.done += count
        left = left[count:]
    return outcome


def _batch(batch: list[Numbered], board: mmap.mmap, outcome: Outcome, until: float) -> int:
    """Run cases in one worker; returns how many are done, the one included that ended it."""
    board[:16] = bytes(16)
    sys.stdout.flush()
    reading, writing = os.pipe()
    worker = os.fork()
    if worker == 0:
        try:
            os.close(reading)
            _work(batch, board, writing, until)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(writing)
    status, stood_still = _wait(worker, board, reading, outcome)
    done, running = struct.unpack("<QQ", board[:16])
    if status != 0 and running:
        number, kind, _ = batch[done]
        outcome.wrong.append({"number": number, "kind": kind, "what": f"the worker ended with {status}"})
        done += 1
    elif status != 0 and not stood_still:  # a machine this busy may let a worker stand still anywhere
        # What the case before left behind may end it: the kernel kills for memory, and later than memory was taken.
        number, kind, _ = batch[max(done - 1, 0)]
        when = "after" if done else "before"
        outcome.wrong.append(
            {"number": number, "kind": kind, "what": f"the worker ended with {status} {when} this case"}
        )
        done = max(done, 1)
    return int(done)


def _wait(worker: int, board: mmap.mmap, reading: int, outcome: Outcome) -> tuple[int, bool]:
    """Take what the worker says until it ends; one that stands still is killed. Returns how it ended, and if so."""
    last, since, stood_still = b"", time.monotonic(), False
    os.set_blocking(reading, False)
    said = b""
    while True:
        ended, status = os.waitpid(worker, os.WNOHANG)
        while True:
            try:
                piece = os.read(reading, 1 << 20)
            except BlockingIOError:
                break
            said += piece
            if not piece:
                break
        if ended:
            break
        if board[:16] != last:
            last, since = board[:16], time.monotonic()
        elif time.monotonic() - since > STALLED:
            os.kill(worker, signal.SIGKILL)
            stood_still = True
        time.sleep(0.01)
    os.close(reading)
    for line in said.decode().splitlines():
        one = json.loads(line)
        outcome.counts[f"{one['kind']}: {one.pop('answer')}"] += 1
        outcome.wrong += [one] if one["what"] else []
    return status, stood_still


def _work(batch: list[Numbered], board: mmap.mmap, writing: int, until: float) -> None:
    """The worker: never returns."""
    said = os.fdopen(writing, "w", encoding="utf-8")
    soft = _status("VmSize") + ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (soft, soft))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, _late)
    for done, (number, kind, make) in enumerate(batch):
        if time.monotonic() > until:
            break
        content = make()
        board[:16] = struct.pack("<QQ", done, 1)
        what, answer = _ask(kind, content)
        board[:16] = struct.pack("<QQ", done + 1, 0)
        said.write(json.dumps({"number": number, "kind": kind, "answer": answer.split(" (")[0], "what": what}) + "\n")
        said.flush()
    said.close()
    os._exit(0)


def _ask(kind: str, content: Any) -> tuple[str, str]:
    """What is wrong with the answer to a case, or "", and the answer."""
    before = _fresh_peak()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        answer, what = cases.ask(kind, content), ""
    except BaseException as error:  # whatever it is, it is what we look for
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        answer, what = "wrong", f"{type(error).__name__} at {place}: {str(error)[:300]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    taken = _status("VmHWM") - before
    if taken > MEMORY and not what:
        what = f"it took {taken / 2**20:,.0f} MiB"
    return what, answer


def _late(*_: Any) -> None:
    raise TimeoutError(f"a case took {SECONDS} seconds")


def _fresh_peak() -> int:
    """Forget the highest use of memory so far; returns the use now, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> int:
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(f"{name}:"))


def _limits() -> None:
    """Let files unpack to little, so that one which gets past its budget shows."""
    _common.LIMITS = _common.Limits(upload_decoded_bytes=64 * 2**20, file_decoded_bytes=64 * 2**20)

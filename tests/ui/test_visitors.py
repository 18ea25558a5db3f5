"""Twenty visitors at once: nobody sees another's numbers, and what they leave behind is forgotten."""

import asyncio
import time
from pathlib import Path

import numpy as np

from lossviz.ui.link import pack
from tests.browser.harness import command
from tests.golden import LENGTHS, LOSS
from tests.ui.visitors import Visitor, in_a_thread

APP = Path(__file__).parents[1] / "browser" / "apps" / "forgetful.py"
MIB = 2**20
LEFT = 20 * MIB  # of what a visitor could leave; the goal is 50
VIEW = pack({"door": "Sample", "sample": "golden", "rows": True})


def resident(port: str) -> int:
    """The memory of the server at that port, in bytes."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{APP}\0{port}".encode() in (process / "cmdline").read_bytes():
                return int((process / "statm").read_text().split()[1]) * 4096
        except OSError:
            continue
    raise RuntimeError("no server")


def at_rest(port: str) -> int:
    """The same once it no longer falls: who left is forgotten a second later, with the file that they uploaded."""
    lowest, since = resident(port), time.monotonic()
    while time.monotonic() < since + 4:
        time.sleep(0.2)
        if resident(port) < lowest - MIB:
            lowest, since = resident(port), time.monotonic()
    return lowest


async def change(visitor: Visitor, own: int, times: int) -> list[tuple[str, str]]:
    """Give the rows lengths of its own, and return what the page shows beside what it should."""
    rng, lengths = np.random.default_rng(own), LENGTHS.copy()
    seen = []
    for _ in range(times):
        row = int(rng.integers(0, 3))
        lengths[row] = rng.choice([length for length in range(1, 6) if length != lengths[row]])
        await visitor.set_length(row, int(lengths[row]))
        counts = np.arange(5) < lengths[:, None]
        seen.append((visitor.number, f"{LOSS[counts].sum() / counts.sum():.4f}"))
    return seen


async def visit(address: str, count: int, times: int) -> list[tuple[str, str]]:
    """Some visitors at once, each with other edits."""
    visitors = [Visitor(address, VIEW) for _ in range(count)]
    await asyncio.gather(*(one.enter() for one in visitors))
    seen = await asyncio.gather(*(change(one, own, times) for own, one in enumerate(visitors)))
    await asyncio.gather(*(one.leave() for one in visitors))
    return [pair for pairs in seen for pair in pairs]


async def upload(address: str) -> None:
    """One more visitor, who uploads 100 MiB and leaves."""
    visitor = Visitor(address, VIEW)
    await visitor.enter()
    await visitor.upload(np.random.default_rng(0).bytes(100 * MIB))
    await visitor.leave()


def test_twenty_visitors_see_their_own_numbers_and_leave_nothing_behind():
    with command(APP) as address:
        port = address.rpartition(":")[2]
        in_a_thread(upload(address))  # the first visitor loads TensorFlow
        in_a_thread(visit(address, 3, 2))
        before = at_rest(port)
        seen = in_a_thread(visit(address, 20, 3))
        assert len({shown for shown, _ in seen}) > 20
        assert [shown for shown, _ in seen] == [expected for _, expected in seen]
        in_a_thread(upload(address))
        until = time.monotonic() + 60
        while resident(port) > before + LEFT and time.monotonic() < until:
            time.sleep(0.2)
        assert resident(port) <= before + LEFT

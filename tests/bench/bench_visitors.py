"""Measures twenty visitors at once beside one alone, and writes it to docs/benchmarks.md: `make bench`.

A visitor is a web socket without a browser (`tests/ui/visitors.py`). An edit is a length that is typed; it lasts from
the message to the end of the server's answer, the picture included. The cases take turns on a server that is as busy.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.bench._markdown import table, write_section
from tests.browser.harness import command
from tests.ui.test_visitors import APP, VIEW, change, resident
from tests.ui.visitors import Visitor

ROUNDS, EDITS, VISITORS, HEAVY = 3, 8, 20, (2_048, 64, 40)
WHAT = (
    "`python -m tests.bench.bench_visitors`, {day}, {cpus} CPUs, load average {load:.1f}, about 2 of it its own; "
    "medians of {rounds} rounds that alternate. Each visitor makes {edits} edits of its own batch, as fast as the page "
    "answers, and sees its own number after each. *Beside a long examination*: one more opens the doctor on {heavy} "
    "logits that no rule has seen. Goals: 95 % of the edits within 1 s with twenty at once on a quiet machine, none "
    "delayed by another visitor's batch by more than 1 s, memory within 50 MiB once they have left."
)


async def at_once(address: str, count: int) -> np.ndarray:
    """Seconds of every edit of so many visitors at once."""
    visitors = [Visitor(address, VIEW) for _ in range(count)]
    await asyncio.gather(*(one.enter() for one in visitors))
    seen = await asyncio.gather(*(change(one, own, EDITS) for own, one in enumerate(visitors)))
    assert all(shown == expected for pairs in seen for shown, expected in pairs)
    await asyncio.gather(*(one.leave() for one in visitors))
    return np.concatenate([one.seconds for one in visitors])


async def beside(address: str) -> np.ndarray:
    """The same of one visitor, while another one examines a large batch."""
    heavy = Visitor(address, page="doctor")
    working = asyncio.create_task(heavy.enter())
    await asyncio.sleep(0.5)
    seconds = [await at_once(address, 1)]
    while not working.done() and len(seconds) < 5:
        seconds.append(await at_once(address, 1))
    await working
    await heavy.leave()
    return np.concatenate(seconds)


def memory_of(address: str) -> int:
    """The server's memory, once it has forgotten who left: this one does so after a second."""
    time.sleep(10)
    return resident(address.rpartition(":")[2])


def main() -> None:
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heavy.npz"
        logits, targets = rng.normal(size=HEAVY).astype(np.float32), rng.integers(0, HEAVY[2], HEAVY[:2])
        np.savez(path, logits=logits, targets=targets, lengths=rng.integers(1, HEAVY[1] + 1, HEAVY[0]))
        with command(APP, LOSSVIZ_FILE=str(path)) as address:
            asyncio.run(at_once(address, 2))  # loads TensorFlow
            found: dict[str, list[np.ndarray]] = {"1": [], str(VISITORS): [], "beside a long examination": []}
            held = list[int]()
            for _ in range(ROUNDS):
                found["1"].append(asyncio.run(at_once(address, 1)))
                found[str(VISITORS)].append(asyncio.run(at_once(address, VISITORS)))
                found["beside a long examination"].append(asyncio.run(beside(address)))
                held.append(memory_of(address))
    alone = np.median([np.median(one) for one in found["1"]])
    rows = []
    for name, rounds in found.items():
        middle, late, most = (np.median([np.quantile(one, q) for one in rounds]) for q in (0.5, 0.95, 1))
        times = f"{middle / alone:.1f}"
        rows.append([name, f"{middle:.3f} s", f"{late:.3f} s", f"{most:.3f} s", times, f"{late / alone:.1f}"])
    head = ("visitors", "median", "95 %", "longest", "median ÷ one alone", "95 % ÷ one alone")
    words = WHAT.format(
        day=time.strftime("%Y-%m-%d", time.gmtime()), cpus=os.cpu_count(), load=os.getloadavg()[0], rounds=ROUNDS,
        edits=EDITS, heavy=" × ".join(f"{n:,}" for n in HEAVY),
    )  # fmt: skip
    each = ", ".join(f"{one / 2**20:,.0f}" for one in held)
    memory = f"Once all had left, the server held {each} MiB after the rounds."
    write_section("visitors", f"## Visitors\n\n{words}\n\n{table(head, rows)}\n\n{memory}")


if __name__ == "__main__":
    main()

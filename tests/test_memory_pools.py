"""What threads of the server freed goes back to the system. In processes of their own: pools are never closed."""

import os
import subprocess
import sys

import pytest

from lossviz.memory_pools import give_back, use_one_pool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")

# Eight threads hold 20 MiB each at once, in pieces, and let go of all but the first piece.
THREADS = """
import re, sys, threading
from lossviz import memory_pools

def resident():
    return int(re.search(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024

def hold(number):
    pieces = [b"x" * (2_000 + at % 7) for at in range(10_000)]
    barrier.wait()  # all hold theirs
    barrier.wait()  # that was looked at
    kept[number] = pieces[0]

if sys.argv[1] == "one":
    memory_pools.use_one_pool()
bytearray(31 * 2**20)  # once so much was freed, glibc keeps up to twice as much at a pool's end
before, kept, barrier = resident(), {}, threading.Barrier(9)
threads = [threading.Thread(target=hold, args=[number]) for number in range(8)]
for thread in threads:
    thread.start()
barrier.wait()
print(resident() - before, end=" ")
barrier.wait()
for thread in threads:
    thread.join()
memory_pools.give_back()
print(resident() - before)
"""

# What `lossviz app` finds when it imports the server: Arrow's threads and some more, and the pools of all of them.
COMMAND = """
import ctypes, threading
from lossviz.cli import _app, main

def pools(name):
    import pyarrow
    pyarrow.table({"a": [1]})
    barrier = threading.Barrier(20)
    threads = [threading.Thread(target=lambda: (bytes(10**5), barrier.wait())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
    libc.malloc_info(0, file)
    libc.fclose(file)
    raise KeyboardInterrupt

_app.import_module = pools
main(["app", "--no-browser"])
"""


def said(code: str, *words: str) -> str:
    # Dask sets MALLOC_TRIM_THRESHOLD_ for its workers, and leaves it to whatever this process starts after them.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=environment).stdout


def test_memory_that_threads_freed_goes_back() -> None:
    held, left = map(int, said(THREADS, "one").split())
    assert held > 100
    assert left < 20
    _, left = map(int, said(THREADS, "many").split())
    assert left > 50  # what the one pool is for; where this fails, it is needed no longer


def test_app_asks_for_one_pool_before_anything_starts_threads() -> None:
    assert said(COMMAND).count("<heap nr=") == 1


def test_a_system_without_pools_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (OSError, AttributeError, TypeError):
        monkeypatch.setattr("ctypes.CDLL", lambda _, error=error: (_ for _ in ()).throw(error()))
        use_one_pool()
        give_back()

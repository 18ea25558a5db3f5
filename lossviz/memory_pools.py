"""Where threads take memory from, and how it goes back to the system: for a server that stays, on Linux (glibc).

The C library gives each thread a pool of its own and keeps up to 64 MB of freed memory at its end. So visitors with
large batches, each computed by another thread, leave hundreds of MB behind. On other systems both functions do nothing.
"""

import ctypes
from contextlib import suppress

__all__ = ["give_back", "use_one_pool"]

_M_ARENA_MAX = -8  # of malloc.h


def use_one_pool() -> None:
    """Let all threads share one pool, the only one that `give_back` can shorten; pools that exist already stay.

    >>> use_one_pool()
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give what was freed back to the system.

    >>> give_back()
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)

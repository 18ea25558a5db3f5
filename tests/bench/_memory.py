"""The most memory that this process has held."""

import resource
import sys
from pathlib import Path


def peak() -> int:
    """The largest resident size so far, in bytes."""
    if sys.platform == "linux":  # `ru_maxrss` of a child is at least what its parent held when it was started
        return 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

"""What happens to a whole process: a child is asked, because XLA reads its flags once and aborts at a wrong one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lossviz.engine import _xla_flags

DIAGNOSE = """
import numpy as np
from lossviz.engine import _xla_flags, per_timestep
x = np.zeros((2, 1024, 1100), np.float32)
x[:, :, 7] = 9
loss = per_timestep(x, np.full((2, 1024), 7)).loss
import os
right = bool(abs(loss / np.log1p(1099 * np.exp(-9)) - 1).max() < 2e-6)
print(_xla_flags.available(), os.environ.get("XLA_FLAGS"), right)
"""


def child(code, **environment):
    clean = {name: value for name, value in os.environ.items() if name not in ("XLA_FLAGS", "LOSSVIZ_XLA")}
    command = [sys.executable, "-c", code]
    root = Path(__file__).parents[2]
    run = subprocess.run(command, env=clean | environment, capture_output=True, text=True, check=False, cwd=root)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout.strip()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XLA_FLAGS": "--xla_no_such_flag=true"}, "False --xla_no_such_flag=true True"),
        (
            {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
            "True --xla_force_host_platform_device_count=2 True",
        ),
    ],
)
def test_the_diagnosis_never_aborts_and_leaves_the_environment_as_it_was(environment, expected):
    assert expected == child(DIAGNOSE, **environment)


def test_an_unknown_version_of_tensorflow_gets_no_flags(monkeypatch):
    _xla_flags._compiles.cache_clear()
    monkeypatch.setattr(tf, "__version__", "2.99.0")
    monkeypatch.delenv("LOSSVIZ_XLA", raising=False)
    try:
        assert not _xla_flags.available()
    finally:
        _xla_flags._compiles.cache_clear()


MEMORY = """
import os
import sys
import numpy as np
from lossviz.engine import _xla_flags, load_tensorflow, per_timestep

def peak():
    if sys.platform == "linux":  # a child inherits the ru_maxrss of its parent there
        return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2

load_tensorflow()
before = peak()
per_timestep(np.load(sys.argv[1], mmap_mode="r"), np.zeros((4, 500), int))
print(int(peak() - before), _xla_flags.available(), os.environ.get("XLA_FLAGS"))
"""


@pytest.mark.parametrize("xla", ["1", "0"])
def test_the_memory_used_does_not_grow_with_the_file(tmp_path, xla):
    file = tmp_path / "x.npy"
    logits = np.lib.format.open_memmap(file, "w+", np.float32, (4, 500, 50257))  # 0.4 GB of zeros, not written out
    del logits
    code = MEMORY.replace("sys.argv[1]", repr(str(file)))
    megabytes, available, flags = child(code, LOSSVIZ_XLA=xla).split()
    assert (xla == "1", "None") == (available == "True", flags)
    assert int(megabytes) <= 128

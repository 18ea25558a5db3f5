"""The rehearsal itself: the same settings give the same frames, here, in a worker, and in the shipped recording."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import lossviz
from lossviz.theatre import Jobs, Settings, read
from lossviz.theatre.events import Growing
from lossviz.theatre.rehearsal import rehearse
from lossviz.theatre.worker import NICE
from sample_data.train_theatre import write_corpora

ROOT = Path(lossviz.__file__).parents[1]
NOT_NICE = "import os; os.nice = int; from lossviz.theatre.worker import main; main()"  # other tests would starve it
PARENT = """
import sys, time
from lossviz.theatre import Jobs, Settings
jobs, settings = Jobs(), Settings("reviews", "last-column")
jobs.attach(settings, "a")
print(jobs._entries[settings.key].worker.process.pid, flush=True)
time.sleep(600)
"""


def same(one, other, frames, rtol=0.0):
    """Whether the first frames of two runs hold the same numbers and texts."""
    for name in ("losses", "true", "prints", "told"):
        np.testing.assert_allclose(getattr(one, name)[:frames], getattr(other, name)[:frames], rtol=rtol, err_msg=name)
    assert one.texts[:frames] == other.texts[:frames]
    return True


def test_theatre_same_settings_twice_give_identical_frames():
    settings = Settings("reviews", "last-column", seed=3, steps=2)
    growing = Growing(settings)
    first, second = growing.add_all(rehearse(settings)), Growing(settings).add_all(rehearse(settings))
    assert growing.recording is first  # while nothing happens, what is drawn of it stays
    for side in ("right", "wrong"):
        one, other = first.side(side), second.side(side)
        assert same(one, other, 3)
        assert np.array_equal(one.reported, other.reported)
    assert not np.array_equal(first.right.losses[2], first.wrong.losses[2])


def test_theatre_worker_gives_the_first_frames_of_the_shipped_recording():
    """20 of 300 steps, in a process of its own: the rate is constant, so that a short run is the start of a long one.

    On the machine that made the recording the frames are equal to the last bit. Elsewhere another CPU may add float32
    in another order: 1e-7 a step, which 20 steps of Adam at 0.01 have not yet carried beyond a thousandth.
    """
    shipped = read(Settings("reviews", "last-column"))
    jobs, settings = Jobs([sys.executable, "-c", NOT_NICE]), Settings("reviews", "last-column", steps=20)
    job, end = jobs.attach(settings, "a"), time.monotonic() + 600
    while job.live:
        assert time.monotonic() < end
        time.sleep(0.05)
        job = jobs.look(settings, "a")
    assert (job.phase, job.problem, job.step) == ("done", "", 20)
    for side in ("right", "wrong"):
        own, other = job.recording.side(side), shipped.side(side)
        assert own.steps.tolist() == [0, 1, 2, 3, 5, 8, 12, 18, 20]
        assert same(own, other, 8, rtol=1e-3)
        np.testing.assert_allclose(own.reported, other.reported[:20], rtol=1e-3)


def test_theatre_worker_ends_when_the_server_is_killed(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')")  # the server's folder is not the worker's
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen([sys.executable, "-P", "-c", PARENT], stdout=subprocess.PIPE, cwd=tmp_path, env=path)
    with server.stdout as lines:
        worker = int(lines.readline())
    while os.getpriority(os.PRIO_PROCESS, worker) < NICE:  # which is the first thing that it does
        time.sleep(0.02)
    assert running(worker)
    server.kill()  # SIGKILL: nothing of the server's own code runs any more
    server.wait()
    end = time.monotonic() + 60
    while running(worker):
        assert time.monotonic() < end, "the worker outlived its server"
        time.sleep(0.02)


def running(process):
    """Whether a process is there, and is no zombie that nobody has waited for."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_theatre_corpora_are_what_their_scripts_write(tmp_path):
    write_corpora(tmp_path)
    for name in ("characters.txt", "dates.txt"):
        assert (tmp_path / name).read_bytes() == (ROOT / "sample_data" / "corpora" / name).read_bytes()

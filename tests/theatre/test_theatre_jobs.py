"""The registry of rehearsals, with workers that play a script instead of training."""

import sys
import time

import numpy as np
import pytest

from lossviz.theatre import KEPT, PATIENCE, PRESENT, WAITING, Jobs, Settings, read
from lossviz.theatre._jobs import FULL
from lossviz.theatre._messages import from_line, to_line
from lossviz.theatre.events import Ended, Framed, Opened, Stepped

SHIPPED = read(Settings("dates", "stop-is-pad"))
PLAY = "import sys, time; sys.stdin.readline(); [(print(line, end='', flush=True)) for line in open(sys.argv[1])]"
HANG = f"{PLAY}; sys.stdin.read()"


def settings(seed=1):
    return Settings("dates", "stop-is-pad", seed=100 + seed, steps=1)


def events():
    """A rehearsal of one step: the first two frames of the recording that is shipped."""
    framed = [Framed(SHIPPED.right.frame(place), SHIPPED.wrong.frame(place)) for place in (0, 1)]
    opened = Opened(SHIPPED.right.scene, {"numpy": np.__version__})
    return [opened, framed[0], Stepped(4.7, 4.5), framed[1], Ended({"stopped": 1.0}, {"stopped": 0.0})]


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def theatre(tmp_path):
    """Make a registry whose workers play these events, and then end, hang, or run other code."""
    made = []

    def make(play=None, code=PLAY):
        script = tmp_path / f"{len(made)}.jsonl"
        script.write_bytes(b"".join(map(to_line, events() if play is None else play)))
        made.append(Jobs([sys.executable, "-c", code, str(script)], Clock()))
        return made[-1]

    yield make
    for jobs in made:
        jobs.close()


def until(jobs, wanted, *phases, viewer="a"):
    """Look until the rehearsal is in one of these phases."""
    end = time.monotonic() + 60
    while (job := jobs.look(wanted, viewer)).phase not in phases:
        assert time.monotonic() < end, job
        time.sleep(0.01)
    return job


def worker_of(jobs, wanted):
    return jobs._entries[wanted.key].worker.process


def test_theatre_events_survive_the_pipe_unchanged():
    for event in events():
        again = from_line(to_line(event))
        assert type(again) is type(event)
        assert to_line(again) == to_line(event)
    framed = from_line(to_line(events()[1]))
    assert framed.right.losses.dtype == np.float32
    assert np.array_equal(framed.right.losses, SHIPPED.right.losses[0])


def test_theatre_rehearsal_is_kept_when_it_is_done_and_found_again(theatre):
    jobs = theatre()
    first = jobs.attach(settings(), "a")
    assert (first.phase, first.place, first.recording) == ("starting", 0, None)
    done = until(jobs, settings(), "done", "failed")
    assert (done.phase, done.step, done.problem, done.live) == ("done", 1, "", False)
    assert done.recording.finished
    assert np.array_equal(done.recording.wrong.losses, SHIPPED.wrong.losses[:2])
    assert done.recording.right.reported.tolist() == [4.7]
    assert (done.recording.right.facts, done.recording.wrong.facts) == ({"stopped": 1.0}, {"stopped": 0.0})
    again = jobs.attach(settings(), "b")
    assert (again.phase, again.step) == ("done", 1)


def test_theatre_shows_what_there_is_while_it_trains_and_stops_within_a_second(theatre):
    jobs = theatre(events()[:3], HANG)
    jobs.attach(settings(), "a")
    while until(jobs, settings(), "training").step == 0:
        time.sleep(0.01)
    job = jobs.attach(settings(), "b")
    assert (job.recording.steps, job.recording.finished, job.live) == ((0,), False, True)
    process = worker_of(jobs, settings())
    jobs.leave(settings(), "a")
    assert jobs.look(settings(), "b").phase == "training"
    start = time.monotonic()
    jobs.leave(settings(), "b")
    assert process.poll() is not None
    assert time.monotonic() - start < 1
    assert jobs.look(settings(), "b").phase == "stopped"
    assert jobs.attach(settings(), "b").phase == "starting"


def test_theatre_a_viewer_who_has_gone_keeps_no_rehearsal_from_being_stopped(theatre):
    jobs = theatre(events()[:3], HANG)
    jobs.attach(settings(), "a tab that was closed")
    jobs.attach(settings(), "b")
    jobs._clock.now += PRESENT + 1
    jobs.leave(settings(), "b")
    assert jobs.look(settings(), "b").phase == "stopped"


def test_theatre_stops_what_nobody_watches_for_a_minute(theatre):
    jobs = theatre(events()[:3], HANG)
    jobs.attach(settings(1), "a")
    until(jobs, settings(1), "training")
    process = worker_of(jobs, settings(1))
    jobs._clock.now += PATIENCE
    jobs.attach(settings(2), "b")
    assert jobs.look(settings(2), "b").place == 1
    jobs._clock.now += 1
    process.wait(timeout=30)  # the registry looks once a second, without being asked
    assert until(jobs, settings(2), "starting", "training", viewer="b").place == 0
    assert jobs.look(settings(1), "a").phase == "stopped"


def test_theatre_runs_one_at_a_time_and_says_the_place_in_the_queue(theatre):
    jobs = theatre(events()[:3], HANG)
    places = [jobs.attach(settings(seed), "a").place for seed in range(WAITING + 1)]
    assert places == list(range(WAITING + 1))
    refused = jobs.attach(settings(99), "a")
    assert (refused.phase, refused.problem) == ("failed", FULL)
    jobs.leave(settings(0), "a")
    assert jobs.look(settings(1), "a").phase in ("starting", "training")
    assert jobs.look(settings(2), "a").place == 1
    assert jobs.attach(settings(99), "a").place == WAITING


@pytest.mark.parametrize(
    ("play", "code", "problem"),
    [
        (
            [],
            'print(\'{"failed": "MemoryError: no room"}\')',
            "The training failed (MemoryError: no room).",
        ),
        (
            None,
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "The training process was ended by the system (SIGKILL, perhaps for want of memory).",
        ),
        ([], PLAY, "The training ended too early."),
        ([], "raise SystemExit(3)", "The training process was ended by the system (exit code 3)."),
    ],
)
def test_theatre_says_in_words_why_a_rehearsal_failed_and_tries_again(theatre, play, code, problem):
    jobs = theatre(play, code)
    jobs.attach(settings(), "a")
    job = until(jobs, settings(), "failed", "done")
    assert (job.phase, job.problem) == ("failed", problem)
    jobs._command = [sys.executable, "-c", HANG, "/dev/null"]
    assert jobs.attach(settings(), "a").phase == "starting"


def test_theatre_keeps_the_last_recordings_only(theatre):
    jobs = theatre()
    for seed in range(KEPT + 2):
        jobs.attach(settings(seed), "a")
        until(jobs, settings(seed), "done")
    jobs.attach(settings(99), "a")
    kept = [seed for seed in range(KEPT + 2) if jobs.look(settings(seed), "a").phase == "done"]
    assert kept == list(range(2, KEPT + 2))


def test_theatre_a_worker_that_can_not_be_started_is_a_failure(theatre):
    jobs = theatre()
    jobs._command = ["/nowhere/python"]
    job = jobs.attach(settings(), "a")
    assert (job.phase, job.problem) == ("failed", "No process could be started (No such file or directory).")


def test_theatre_closes_with_the_app(theatre):
    jobs = theatre(events()[:3], HANG)
    jobs.attach(settings(), "a")
    process = worker_of(jobs, settings())
    jobs.close()
    assert process.poll() is not None

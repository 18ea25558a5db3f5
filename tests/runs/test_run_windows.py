"""All printed numbers of a run at once; those that are a mean over several steps too."""

import numpy as np
import pytest

import lossviz
from lossviz.runs import diagnose_run, identify_run, open_run

T = 6


def train(folder, window, *, wrong=None, every=1):
    """Steps from 1 on, of two micro-batches each; the mean over `window` steps is printed after the last of them."""
    random, since = np.random.default_rng(0), []
    with lossviz.Recorder(folder, every=every, queue_size=100, ignore_id=-100) as recorder:
        for step in range(1, 9):
            losses = random.exponential(size=(2, 3, T)).astype(np.float32)
            real = np.arange(T) < random.integers(2, T, (2, 3, 1))
            since.append(losses[real].astype(float).mean())
            for at in range(2):
                targets = np.where(real[at], 5, -100)
                recorder.step(step=step, micro_batch=at, targets=targets, losses=losses[at], known=real[at])
            if step % window == 0:
                number = "9.876543" if step == wrong else f"{np.mean(since):.6f}"
                recorder.report(number, step=step, window=window)
                since = []
    return open_run(folder)


def test_identify_run_explains_means_over_several_steps(tmp_path):
    found = identify_run(train(tmp_path / "run", window=4, wrong=8))
    assert sorted(found.printed) == [4, 8]
    assert (found.best.code, found.steps["C03"], found.unexplained, found.problems) == ("C03", [4], (8,), {})


def test_identify_run_says_which_steps_of_a_mean_are_missing(tmp_path):
    found = identify_run(train(tmp_path / "run", window=4, every=2))
    assert (found.best, found.printed) == (None, {})
    assert found.problems == {
        step: f"The number printed at step {step} is a mean over 4 steps, of which 2 were recorded. "
        "Record with `every=1`, or log every step."
        for step in (4, 8)
    }


def test_diagnose_run_counts_findings_and_tells_progress(tmp_path):
    """A step that can't be analyzed is a sentence, and the others are checked."""
    run, seen = train(tmp_path / "run", window=1), []

    def analyzed(batch, settings):
        assert settings.accumulation_steps == 2
        if batch.title == "run, step 3":
            raise lossviz.LossvizError("No analysis today.")
        return lossviz.analyze(batch, settings)

    found = diagnose_run(run, select="PAD18", analyze=analyzed, progress=lambda *at: seen.append(at))
    assert seen == [(done, 8) for done in range(1, 9)]
    assert found.problems == {3: "No analysis today."}
    assert found.steps == run.step_numbers
    [one] = found.findings
    assert one.first.code == "PAD18"
    assert found.codes(one.steps[0]) == ("PAD18",)
    assert found.codes(3) == ()


@pytest.mark.parametrize("live", [False, None])
def test_diagnose_run_names_the_mask_that_keras_was_seen_to_lose(tmp_path, live):
    """The same number is PAD01 where nobody saw whether a mask arrived."""
    random = np.random.default_rng(0)
    with lossviz.Recorder(tmp_path / "run", every=1, pad_id=0) as recorder:
        for step in range(2):
            targets = np.where(np.arange(T) < random.integers(2, T, (4, 1)), 5, 0)
            losses = random.exponential(size=(4, T)).astype(np.float32)
            printed = f"{losses.astype(float).mean():.6f}"
            recorder.step(step=step, targets=targets, losses=losses, reported=printed, details={"keras_mask": live})
    found = diagnose_run(open_run(tmp_path / "run"))
    errors = {one.first.code: one.steps for one in found.findings if one.first.severity == "error"}
    assert errors == {"MOD08" if live is False else "PAD01": (0, 1)}
    assert all(one.first.fix for one in found.findings if one.first.severity == "error")

"""A run that recorded losses and no logits, as loops with a fused head do: it opens, and its numbers are explained."""

import numpy as np
import pytest

import lossviz
from lossviz.cli import main
from lossviz.recording import open_run

TARGETS = np.array([[3, 1, 4, 1], [5, 2, 0, 0]])
WEIGHTS = np.array([[1.0, 1, 1, 1], [1, 1, 0, 0]])
STEPS = 3


def losses_of(step):
    """Not recorded under the mask: a fused loop computes no loss there."""
    losses = np.random.default_rng(step).uniform(0.5, 3, TARGETS.shape)
    return np.where(WEIGHTS > 0, losses, np.nan)


@pytest.fixture
def run(tmp_path):
    """Three steps whose loop divides by all 8 positions instead of the 6 unmasked ones."""
    with lossviz.Recorder(tmp_path / "run", every=1, logits="never") as recorder:
        for step in range(STEPS):
            losses = losses_of(step)
            printed = f"{np.nansum(losses) / TARGETS.size:.6f}"
            recorder.step(step=step, targets=TARGETS, losses=losses, weights=WEIGHTS, reported=printed)
    return tmp_path / "run"


def test_run_without_logits_gives_the_batch_of_a_step(run):
    batch = open_run(run).batch(1)
    assert batch.logits is None
    np.testing.assert_allclose(batch.losses, losses_of(1).astype(np.float32))
    value = lossviz.analyze(batch).value
    assert float(value) == pytest.approx(np.nansum(losses_of(1)) / WEIGHTS.sum(), rel=1e-6)


def test_run_without_logits_is_checked_and_identified(run, capsys):
    assert main(["check", str(run), "--fail-on", "warning"]) == 1
    checked = capsys.readouterr().out
    assert "PAD02 warning, in 3 of 3 steps, first at step 0" in checked
    main(["identify", str(run)])
    assert "all 8 positions" in capsys.readouterr().out

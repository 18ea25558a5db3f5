"""`KerasRecorder` in the real `fit`: TensorFlow here, JAX and PyTorch in processes of their own."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tensorflow.python.framework import config

from lossviz.recording import open_run
from tests.recording.oracle_losses import softmax_losses
from tests.recording.trainers.keras_run import INPUTS, TARGETS, train

BATCHES = ((0, 4), (4, 8), (8, 10))


def explains(run, printed, mask=True, seen=True):
    """Assert that what was recorded gives what Keras printed: the mean of an epoch's batches so far, by rows."""
    assert run.steps == tuple(range(6))
    for epoch in range(2):
        total = rows = 0
        for batch, (first, end) in enumerate(BATCHES):
            step = 3 * epoch + batch
            fields = run.fields(step)
            np.testing.assert_array_equal(fields["targets"], TARGETS[first:end])
            weights = INPUTS[first:end] != 0 if mask else np.ones((end - first, 4))
            if seen:
                np.testing.assert_array_equal(fields["weights"], weights)
            loss = (fields["losses"].astype(np.float64) * weights).sum() / weights.sum()  # Keras divides by Σ mask
            total, rows = total + loss * (end - first), rows + end - first
            assert printed[step] == pytest.approx(total / rows, rel=1e-5)
            assert run.reported(step) == f"{printed[step]:.6g}"


@pytest.fixture
def without_determinism():
    """Keras compiles nothing with XLA while op determinism is on, which a training test of this process leaves on."""
    was = config.is_op_determinism_enabled()
    config.disable_op_determinism()
    yield
    if was:
        config.enable_op_determinism()


@pytest.mark.usefixtures("without_determinism")
@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("from_logits", [True, False])
def test_keras_recorder_explains_printed_losses(tmp_path, jit, from_logits):
    printed = train(tmp_path / "run", jit=jit, from_logits=from_logits)
    run = open_run(tmp_path / "run")
    explains(run, printed)
    assert run.details(0)["keras_mask"] is True


@pytest.mark.parametrize("from_logits", [True, False])
def test_keras_recorder_keeps_few_logits(tmp_path, from_logits):
    train(tmp_path / "run", from_logits=from_logits, logits="auto")
    train(tmp_path / "other", from_logits=from_logits)
    fields, other = (open_run(tmp_path / name).fields(2) for name in ("run", "other"))
    assert fields["logits"].shape == (2, 4, 6)
    np.testing.assert_allclose(softmax_losses(fields["logits"], TARGETS[8:]), other["losses"], rtol=1e-5)


def test_keras_recorder_says_whether_a_mask_is_live(tmp_path):
    printed = train(tmp_path / "run", mask=False)
    run = open_run(tmp_path / "run")
    explains(run, printed, mask=False, seen=False)
    assert "weights" not in run.fields(0)  # all were 1, which says no more than that
    assert run.details(0)["keras_mask"] is False


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_keras_recorder_records_on_other_backends(tmp_path, backend):
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-m", "tests.recording.trainers.keras_run", str(tmp_path / "run")]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    run, seen = open_run(tmp_path / "run"), backend != "jax"  # whose metrics are given no mask
    explains(run, ast.literal_eval(done.stdout.splitlines()[-1]), seen=seen)
    assert run.details(0)["keras_mask"] is (True if seen else None)
    assert ("weights" in run.fields(0)) == seen

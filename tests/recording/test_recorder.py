"""`Recorder`: what is recorded is what was passed, whichever library it came from."""

import json
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf
import torch

import lossviz
from lossviz.errors import InputError
from lossviz.recording import RecordingSettings, open_run
from tests.recording.oracle_losses import softmax_losses

TARGETS = np.array([[1, 2, -100], [4, 0, 3]])
LOGITS = np.random.default_rng(0).standard_normal((2, 3, 5)).astype(np.float32) * 4
MAKERS = {
    "numpy": np.asarray,
    "torch": torch.tensor,
    "jax": jnp.asarray,
    "tensorflow": tf.constant,
    "lists": lambda array: array.tolist(),
}


def recorded(folder, *, every=1, step=0, settings=None, **arrays):
    with lossviz.Recorder(folder / "run", every=every, **settings or {}) as recorder:
        recorder.step(step=step, **arrays)
    return open_run(folder / "run").fields(step)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_recorder_step_takes_losses_of_every_library(tmp_path, make):
    losses = np.array([[0.5, 2.0, np.nan], [0.25, np.inf, 1.0]], np.float32)
    fields = recorded(tmp_path, targets=make(TARGETS), losses=make(losses), weights=make(np.ones((2, 3), np.float32)))
    np.testing.assert_array_equal(fields["losses"], losses)
    np.testing.assert_array_equal(fields["targets"], TARGETS)
    assert fields["weights"].tolist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize("library", ["numpy", "torch", "jax", "tensorflow"])
def test_recorder_step_computes_losses_where_the_logits_live(tmp_path, library):
    make = MAKERS[library]
    settings = {"logits": "never"}
    fields = recorded(tmp_path, targets=make(TARGETS), logits=make(LOGITS), settings=settings)
    assert "logits" not in fields
    np.testing.assert_allclose(fields["losses"], softmax_losses(LOGITS, TARGETS), rtol=2e-6)
    versions = json.loads((tmp_path / "run" / "run.json").read_text())["versions"]
    assert library in versions


@pytest.mark.parametrize("library", ["numpy", "torch", "jax", "tensorflow"])
def test_recorder_step_takes_one_logit_as_a_sigmoid(tmp_path, library):
    make = MAKERS[library]
    logits, targets = np.array([[[2.0], [-1.0], [0.5]]], np.float32), np.array([[1, 0, 1]])
    fields = recorded(tmp_path, targets=make(targets), logits=make(logits), settings={"logits": "never"})
    expected = np.log1p(np.exp([-2.0, -1.0, -0.5]))
    np.testing.assert_allclose(fields["losses"], expected[None], rtol=2e-6)


def test_recorder_step_keeps_few_logits_whole(tmp_path):
    fields = recorded(tmp_path, targets=TARGETS, logits=LOGITS)
    np.testing.assert_array_equal(fields["logits"], LOGITS)
    assert "losses" not in fields


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_recorder_step_computes_losses_of_short_floats_in_float32(tmp_path, dtype):
    logits = torch.tensor(LOGITS).to(dtype)
    fields = recorded(tmp_path, targets=TARGETS, logits=logits, settings={"logits": "never"})
    np.testing.assert_allclose(fields["losses"], softmax_losses(logits.float().numpy(), TARGETS), rtol=2e-6)


def test_recorder_step_of_log_probs_is_their_negative(tmp_path):
    fields = recorded(tmp_path, targets=[[1, 2]], log_probs=[[-0.5, 0.0]])
    assert fields["losses"].tolist() == [[0.5, 0.0]]
    assert not np.signbit(fields["losses"]).any()


def test_recorder_step_tells_unknown_losses_from_nan(tmp_path):
    import pyarrow.parquet

    recorded(tmp_path, targets=[[1, 2, 3]], losses=[[0.5, np.nan, 0.0]], known=[[True, True, False]])
    table = pyarrow.parquet.read_table(next((tmp_path / "run").glob("*.parquet")))
    [losses] = table["losses"].to_pylist()
    assert losses[0] == 0.5
    assert np.isnan(losses[1])
    assert losses[2] is None


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (1, 1)])
def test_recorder_step_takes_empty_batches(tmp_path, shape):
    with lossviz.Recorder(tmp_path / "run", every=1) as recorder:
        recorder.step(step=0, targets=np.ones((1, 2), int), losses=np.ones((1, 2)))
        recorder.step(step=1, targets=np.ones(shape, int), losses=np.ones(shape))
    run = open_run(tmp_path / "run")
    steps = (0, 1) if shape[0] else (0,)  # a batch without a sequence has no row to be found by
    assert run.steps == steps
    assert run.fields(steps[-1])["targets"].shape == (shape if shape[0] else (1, 2))


def test_recorder_records_multiples_of_every(tmp_path):
    with lossviz.Recorder(tmp_path / "run", every=3) as recorder:
        done = [recorder.step(step=step, targets=[[1]], losses=[[float(step)]]) for step in range(8)]
    assert done == [True, False, False, True, False, False, True, False]
    assert open_run(tmp_path / "run").steps == (0, 3, 6)


def test_recorder_keeps_an_even_spread_of_at_most_keep_steps(tmp_path):
    with lossviz.Recorder(tmp_path / "run", every=1, keep_steps=4, queue_size=100) as recorder:
        for step in range(23):
            recorder.step(step=step, targets=[[step]], losses=[[0.5]])
    run = open_run(tmp_path / "run")
    assert run.steps == (0, 8, 16)
    assert [run.fields(step)["targets"].tolist() for step in run.steps] == [[[0]], [[8]], [[16]]]
    assert len(list((tmp_path / "run").glob("steps-*"))) == 1


def test_recorder_samples_rows_with_a_seed(tmp_path):
    targets = np.arange(10)[:, None]
    fields = recorded(tmp_path, targets=targets, losses=targets / 2, settings={"sequences": 3})
    rows = RecordingSettings(sequences=3).rows(0, 10)
    assert fields["targets"][:, 0].tolist() == rows.tolist()
    assert (fields["losses"] * 2 == fields["targets"]).all()


def test_recorder_watches_the_same_rows_of_a_fixed_batch(tmp_path):
    fixed = np.arange(10)[:, None]
    with lossviz.Recorder(tmp_path / "run", every=1, sequences=3, watch=torch.tensor(fixed)) as recorder:
        for step in range(4):
            targets = fixed if step % 2 else fixed + 1
            recorder.step(step=step, targets=targets, losses=np.ones((10, 1)))
    run = open_run(tmp_path / "run")
    assert run.steps == (1, 3)
    assert run.fields(1)["targets"].tolist() == run.fields(3)["targets"].tolist()


def test_recorder_report_adds_the_printed_number_afterwards(tmp_path):
    with lossviz.Recorder(tmp_path / "run", every=1) as recorder:
        recorder.step(step=0, targets=[[1]], losses=[[0.5]], micro_batch=0)
        recorder.step(step=0, targets=[[2]], losses=[[1.5]], micro_batch=1)
        recorder.report("1.00")
        recorder.step(step=1, targets=[[1]], losses=[[0.5]], reported=np.float32(0.5))
    run = open_run(tmp_path / "run")
    assert [run.reported(step) for step in run.steps] == ["1.00", "0.5"]
    assert run.fields(0)["losses"].tolist() == [[0.5], [1.5]]
    assert run.accumulation(0) == 2


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"targets": [[1]]}, "`step` needs one of `losses`, `log_probs` and `logits`; got none of them."),
        (
            {"targets": [[1]], "losses": [[0.5]], "logits": [[[0.5]]]},
            "`step` needs one of `losses`, `log_probs` and `logits`; got `losses` and `logits`.",
        ),
        ({"targets": [[1]], "loses": [[0.5]]}, "`step` has no argument `loses`. Did you mean `losses`?"),
        (
            {"targets": [1, 2], "losses": [[0.5]]},
            "`targets` must have rank 2; got shape (2,). A single sequence needs `targets[None]`.",
        ),
        (
            {"targets": [[1, 2]], "losses": [[0.5]]},
            "`losses` must have shape (1, 2) on its first two axes, that of `targets`; got (1, 1).",
        ),
        ({"targets": [[1.5]], "losses": [[0.5]]}, "`targets` must be integers; got float64."),
        (
            {"targets": [[1]], "losses": [[0.5]], "lengths": [1, 1]},
            "`lengths` must have shape (1,), one per sequence; got (2,).",
        ),
    ],
)
def test_recorder_step_refuses_what_does_not_fit(tmp_path, arrays, message):
    recorder = lossviz.Recorder(tmp_path / "run", every=1)
    with pytest.raises(InputError) as error:
        recorder.step(step=0, **arrays)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every": 0}, "`every` must be an integer of 1 or more; got 0."),
        ({"sequences": 2.5}, "`sequences` must be an integer of 1 or more; got 2.5."),
        ({"logits": "always"}, "`logits` must be one of 'auto', 'never'; got 'always'."),
        ({"evrey": 1}, "A recorder has no setting `evrey`. Did you mean `every`?"),
        (
            {"vocabulary": 5},
            "`vocabulary` must be a list of strings in the order of their ids, or a tokenizer; got int.",
        ),
    ],
)
def test_recorder_refuses_settings(tmp_path, settings, message):
    with pytest.raises(InputError) as error:
        lossviz.Recorder(tmp_path / "run", **settings)
    assert str(error.value) == message


def test_recorder_refuses_a_folder_that_holds_a_run(tmp_path):
    recorded(tmp_path, targets=[[1]], losses=[[0.5]])
    with pytest.raises(InputError) as error:
        lossviz.Recorder(tmp_path / "run")
    assert str(error.value) == (
        f"`{tmp_path / 'run'}` holds a run already. Pass another folder, or `resume=True` to go on with that run."
    )


def test_recorder_resume_goes_on_and_later_steps_win(tmp_path):
    for first, loss in ((0, 1.0), (2, 2.0)):
        with lossviz.Recorder(tmp_path / "run", every=1, resume=True) as recorder:
            for step in range(first, first + 3):
                recorder.step(step=step, targets=[[1]], losses=[[loss]])
    run = open_run(tmp_path / "run")
    assert run.steps == (0, 1, 2, 3, 4)
    assert [run.fields(step)["losses"].item() for step in run.steps] == [1, 1, 2, 2, 2]


def test_recorder_warns_where_nothing_was_recorded(tmp_path):
    recorder = lossviz.Recorder(tmp_path / "run", every=10)
    recorder.step(step=3, targets=[[1]], losses=[[0.5]])
    with pytest.warns(UserWarning, match=r"^Nothing was recorded to `.*`: no step was a multiple of `every=10`\.$"):
        recorder.close()


def test_recorder_ranks_write_shards_of_their_own(tmp_path):
    recorders = [lossviz.Recorder(tmp_path / "run", every=1, rank=rank, world=2) for rank in (0, 1)]
    for rank, recorder in enumerate(recorders):
        recorder.step(step=0, targets=[[rank + 1]], losses=[[0.5 + rank]])
        recorder.close()
    run = open_run(tmp_path / "run")
    assert run.fields(0)["losses"].tolist() == [[0.5], [1.5]]
    assert [(state.rank, state.written, state.closed) for state in run.ranks] == [(0, 1, True), (1, 1, True)]


def test_recorder_writes_no_text_unless_a_vocabulary_is_given(tmp_path):
    fields = recorded(tmp_path, targets=[[1]], logits=[[[0.5, 1.0]]], settings={"vocabulary": ["a", "b"], "pad_id": 0})
    assert (fields["vocabulary"], fields["pad_id"]) == (("a", "b"), 0)
    other = tmp_path / "other"
    assert "vocabulary" not in recorded(other, targets=[[1]], losses=[[0.5]])
    assert not (other / "run" / "vocabulary.json").exists()


def test_recorder_loads_numpy_and_pyarrow_only(tmp_path):
    code = f"""
import sys, lossviz, numpy as np
with lossviz.Recorder({str(tmp_path / "run")!r}, every=1) as recorder:
    recorder.step(step=0, targets=np.ones((2, 3), int), logits=np.zeros((2, 3, 5)))
heavy = {{"tensorflow", "keras", "torch", "jax", "pandas", "streamlit", "plotly", "ml_dtypes", "transformers"}}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

"""`Recorder.jax`: auxiliary outputs of a jitted step, fetched one call late."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import lossviz
from lossviz.recording import open_run


def test_recorder_jax_records_aux_of_a_jitted_step(tmp_path):
    targets = jnp.array([[1, 2, 0], [3, 0, 0]])
    weights = (targets != 0).astype(jnp.float32)

    @jax.jit
    def train(table):
        def loss_of(table):
            losses = optax.softmax_cross_entropy_with_integer_labels(table[targets], targets)
            return (losses * weights).sum() / weights.sum(), losses

        (loss, losses), slope = jax.value_and_grad(loss_of, has_aux=True)(table)
        return table - 0.1 * slope, loss, losses

    table, printed = jax.random.normal(jax.random.key(0), (4, 4)), []
    with lossviz.Recorder(tmp_path / "run", every=1) as recorder:
        for step in range(3):
            table, loss, losses = train(table)
            recorder.jax(step=step, targets=targets, losses=losses, weights=weights, reported=loss)
            printed.append(float(loss))
    run = open_run(tmp_path / "run")
    assert run.steps == (0, 1, 2)
    for step in run.steps:
        fields = run.fields(step)
        mean = (fields["losses"].astype(np.float64) * fields["weights"]).sum() / fields["weights"].sum()
        assert abs(mean - printed[step]) < 1e-6
        assert run.reported(step) == str(np.float32(printed[step]))


def test_recorder_jax_fetches_nothing_before_the_next_call(tmp_path):
    fetches = []

    class Lazy:
        shape = (1, 1)

        def __array__(self, *_, **__):
            fetches.append(self)
            return np.ones((1, 1))

    recorder = lossviz.Recorder(tmp_path / "run", every=1)
    recorder.jax(step=0, targets=[[1]], losses=Lazy())
    assert fetches == []
    recorder.jax(step=1, targets=[[1]], losses=[[0.5]])
    assert fetches != []
    recorder.close()
    assert open_run(tmp_path / "run").steps == (0, 1)

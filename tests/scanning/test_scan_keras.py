"""`scan` with a Keras model from a file: its logits, or the logarithms of its probabilities; no code from the file."""

import keras
import numpy as np
import pytest

from lossviz.errors import InputError
from lossviz.runs import open_run
from lossviz.scanning import scan
from tests.scanning.corpus import log_softmax, losses_of

V = 9
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, with NumPy 2


def test_scan_runs_keras_models_with_logits_and_with_a_softmax(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None,), dtype="int32")
    hidden = keras.layers.Embedding(V, 4)(inputs)
    logits = keras.layers.Dense(V)(hidden)
    keras.Model(inputs, logits).save("logits.keras")
    keras.Model(inputs, keras.layers.Softmax()(logits)).save("softmax.keras")
    ids = np.random.default_rng(0).integers(0, V, (5, 7))
    np.save("ids.npy", ids)
    expected = losses_of(log_softmax(keras.Model(inputs, logits)(ids[:, :-1])), ids[:, 1:])
    for name in ("logits", "softmax"):
        done = scan(["ids.npy"], name, model=f"{name}.keras", batch_size=2)
        assert done.progress.problems == {}
        found = open_run(done.folder).tokens().sort_values(["row", "timestep"])["loss"].to_numpy()
        np.testing.assert_allclose(found.reshape(5, 6), expected, rtol=2e-5)


def test_scan_runs_no_code_from_a_keras_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)])
    model.save("lambda.keras")
    np.save("ids.npy", np.ones((1, 4), int))
    [problem] = scan(["ids.npy"], "run", model="lambda.keras").progress.problems.values()
    assert problem.startswith(f"`{tmp_path / 'lambda.keras'}` can't be loaded as a Keras model: ")
    (tmp_path / "no.keras").write_bytes(b"no archive")
    [problem] = scan(["ids.npy"], "other", model="no.keras").progress.problems.values()
    assert problem.startswith(f"`{tmp_path / 'no.keras'}` can't be loaded as a Keras model: ")
    with pytest.raises(InputError):
        scan(["ids.npy"], "third", model="gone.keras")

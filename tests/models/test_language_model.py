"""The language model of spec/losses.md §1.1, against float64 NumPy and tf.nn."""

import re

import numpy as np
import pytest
import tensorflow as tf

from lossviz.batch import Batch
from lossviz.errors import InputError
from lossviz.models import LanguageModel
from sample_data import alice, train_alice, worked

INPUTS = np.array([[7, 8, 9, 3, 0], [5, 2, 0, 0, 0], [1, 0, 0, 0, 0]])
TARGETS = np.array([[8, 9, 3, 1, 0], [2, 1, 0, 0, 0], [1, 0, 0, 0, 0]])
TOO_LONG = (
    "`input_sequences` must have at most 5 timesteps, the `max_length`; got 6. "
    "Cut them, or make the model with `max_length=6`."
)


def small_model(**sizes: int) -> LanguageModel:
    tf.keras.utils.set_random_seed(4)
    return LanguageModel(**{"vocab_size": 81, "max_length": 5, "num_lstm_units": 6, "num_lstm_layers": 2, **sizes})


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm(inputs: np.ndarray, cell: tf.keras.layers.LSTMCell, lengths: np.ndarray) -> np.ndarray:
    """One LSTM layer in float64; its outputs are zero from each length on."""
    kernel, recurrent, bias = (np.asarray(weight, np.float64) for weight in cell.get_weights())
    outputs = np.zeros((*inputs.shape[:2], len(recurrent)))
    for b, length in enumerate(lengths):
        h = c = np.zeros(len(recurrent))
        for t in range(length):
            i, f, g, o = np.split(inputs[b, t] @ kernel + h @ recurrent + bias, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs[b, t] = h
    return outputs


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """[B, T] in float64, from the definition."""
    x = np.asarray(logits, np.float64)
    top = x.max(axis=-1)
    normaliser = top + np.log(np.exp(x - top[..., None]).sum(axis=-1))
    return normaliser - np.take_along_axis(x, np.asarray(targets)[..., None], axis=-1)[..., 0]


def identity_model(classes: int, max_length: int) -> LanguageModel:
    """A model whose logits are its LSTM outputs."""
    model = small_model(vocab_size=classes, max_length=max_length, num_lstm_units=classes)
    model.logits_layer.set_weights([np.eye(classes), np.zeros(classes)])
    return model


@pytest.mark.parametrize(("vocab_size", "dimensions"), [(80, 2), (81, 3), (640, 5), (1, 1)])
def test_language_model_embeds_one_id_more_in_the_fourth_root(vocab_size: int, dimensions: int) -> None:
    model = small_model(vocab_size=vocab_size)
    model(np.array([[0]]))
    assert model.embedding.embeddings.shape == (vocab_size + 1, dimensions)


def test_language_model_gives_logits_of_every_class() -> None:
    assert small_model()(INPUTS).shape == (3, 5, 81)


def test_language_model_reads_the_spare_id() -> None:
    assert bool(np.isfinite(small_model()(np.array([[81]])).numpy()).all())


def test_run_lstm_agrees_with_float64() -> None:
    model = small_model()
    outputs, binary_sequences = model.run_lstm(INPUTS)
    expected = np.asarray(model.embedding.get_weights()[0], np.float64)[INPUTS]
    for layer in model.lstms:
        expected = lstm(expected, layer.cell, np.array([4, 2, 1]))
    np.testing.assert_allclose(outputs.numpy(), expected, rtol=1e-5, atol=1e-8)
    assert binary_sequences.numpy().tolist() == [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]]


def test_run_lstm_drops_half_of_the_outputs_in_training_only() -> None:
    """Keep probability 0.5: what is kept is doubled, so the expectation stays."""
    model = small_model(num_lstm_layers=1, num_lstm_units=400)
    calm, again, dropped = (model.run_lstm(INPUTS, is_training=flag)[0].numpy()[0, :4] for flag in (False, False, True))
    kept = dropped != 0
    assert np.array_equal(calm, again)
    assert 0.45 < kept.mean() < 0.55
    np.testing.assert_allclose(dropped[kept], 2 * calm[kept], rtol=1e-6)


@pytest.mark.parametrize("compiled", [False, True])
def test_calculate_loss_is_the_sum_over_every_token(compiled: bool) -> None:
    model = small_model()
    outputs = np.random.default_rng(0).normal(size=(3, 5, 6)).astype(np.float32)
    mask = np.sign(INPUTS)
    calculate = tf.function(model.calculate_loss) if compiled else model.calculate_loss
    value = float(calculate(tf.constant(outputs), tf.constant(mask), tf.constant(TARGETS)))
    kernel, bias = (np.asarray(weight, np.float64) for weight in model.logits_layer.get_weights())
    expected = (cross_entropy(outputs.astype(np.float64) @ kernel + bias, TARGETS) * mask).sum()
    assert value == pytest.approx(expected, rel=1e-6)
    logits = model.logits_layer(outputs)
    by_tensorflow = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=TARGETS, logits=logits) * mask
    assert value == pytest.approx(float(tf.reduce_sum(by_tensorflow)), rel=1e-6)


def test_calculate_loss_of_the_golden_batch() -> None:
    """S = 13.8 over the 11 timesteps that count, 14.5 over all 15."""
    golden = worked.golden()
    logits = np.array(golden["logits"], np.float32)
    mask = (np.arange(5) < np.array(golden["lengths"])[:, None]).astype(np.int64)
    model = identity_model(classes=6, max_length=5)
    assert int(mask.sum()) == 11
    assert float(model.calculate_loss(logits, mask, golden["targets"])) == pytest.approx(13.8, rel=1e-6)
    assert float(model.calculate_loss(logits, np.ones_like(mask), golden["targets"])) == pytest.approx(14.5, rel=1e-6)


@pytest.mark.parametrize("junk", [-100, -1, 6, 2**32])
def test_calculate_loss_ignores_what_stands_in_the_padding(junk: int) -> None:
    """Neither the value nor the gradient sees a masked timestep, whatever it holds."""
    golden = worked.golden()
    logits, targets = np.array(golden["logits"], np.float32), np.array(golden["targets"])
    padding = np.arange(5) >= np.array(golden["lengths"])[:, None]
    logits[padding], targets[padding] = np.nan, junk
    model, outputs = identity_model(classes=6, max_length=5), tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        value = model.calculate_loss(outputs, ~padding, targets)
    gradient = tape.gradient(value, outputs).numpy()
    assert float(value) == pytest.approx(13.8, rel=1e-6)
    assert bool(np.all(gradient[padding] == 0))
    assert bool(np.all(np.isfinite(gradient)))


def test_calculate_loss_does_not_change_with_extra_padding() -> None:
    model = small_model(max_length=9)
    wider = ((0, 0), (0, 4))
    values = [
        float(model.calculate_loss(*model.run_lstm(inputs), targets))
        for inputs, targets in ((INPUTS, TARGETS), (np.pad(INPUTS, wider), np.pad(TARGETS, wider)))
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_calculate_loss_refuses_the_spare_id_as_a_target() -> None:
    """The embedding has a row for id V; the logits have no class for it."""
    model = small_model()
    with pytest.raises(InputError, match=re.escape("`targets` must lie in [0, 81), the classes of `logits`")):
        model.calculate_loss(*model.run_lstm(INPUTS), np.where(TARGETS == 8, 81, TARGETS))


def test_record_arrays_gives_a_batch_with_the_dropout_off() -> None:
    model = small_model()
    fields = model.record_arrays(INPUTS, TARGETS, [f"w{index}" for index in range(81)])
    batch = Batch.from_arrays(**fields)
    assert {name: type(value) for name, value in fields.items()} == {
        "logits": np.ndarray,
        "targets": np.ndarray,
        "inputs": np.ndarray,
        "lengths": np.ndarray,
        "pad_id": int,
        "vocabulary": list,
    }
    assert batch.lengths is not None
    assert batch.lengths.tolist() == [4, 2, 1]
    assert np.array_equal(batch.logits, model(INPUTS).numpy())
    assert np.array_equal(batch.targets, TARGETS)


def test_record_arrays_leaves_out_an_absent_vocabulary() -> None:
    assert "vocabulary" not in small_model().record_arrays(INPUTS, TARGETS)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([[82]], "`input_sequences` must lie in [0, 81], the ids of the embedding; got 82 to 82."),
        ([[-1]], "`input_sequences` must lie in [0, 81], the ids of the embedding; got -1 to -1."),
        ([1, 2], "`input_sequences` must be integers of shape [B, T]; got int64 of shape (2,)."),
        ([[1.0]], "`input_sequences` must be integers of shape [B, T]; got float64 of shape (1, 1)."),
        ([[1, 2, 3, 4, 5, 6]], TOO_LONG),
    ],
)
def test_record_arrays_refuses_ids_that_do_not_fit(inputs: list[list[float]], message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        small_model().record_arrays(np.array(inputs), TARGETS)


@pytest.mark.parametrize("name", ["vocab_size", "max_length", "num_lstm_units", "num_lstm_layers"])
@pytest.mark.parametrize("size", [0, 2.5, True])
def test_language_model_refuses_a_size_below_one(name: str, size: int) -> None:
    message = f"`{name}` must be a whole number of at least 1; got {size!r}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        small_model(**{name: size})


def test_training_lowers_the_loss_in_three_steps() -> None:
    model = small_model(vocab_size=alice.VOCAB_SIZE, max_length=12, num_lstm_units=8)
    inputs, targets = alice.pad([words for words in alice.sentences() if len(words) < 12][: train_alice.ROWS], 12)
    counts = inputs > 0
    losses = [cross_entropy(model.record_arrays(inputs, targets)["logits"], targets)[counts].mean()]
    train_alice.train(model, inputs, targets, epochs=3, rate=0.03)
    losses.append(cross_entropy(model.record_arrays(inputs, targets)["logits"], targets)[counts].mean())
    assert losses[0] == pytest.approx(np.log(alice.VOCAB_SIZE), abs=0.01)
    assert losses[1] < losses[0] - 0.1

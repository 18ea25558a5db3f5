"""The classifier of spec/losses.md §1.3, against float64 NumPy, tf.nn and torch."""

import re

import numpy as np
import pytest
import tensorflow as tf
import torch

from lossviz.errors import InputError
from lossviz.models import ClassificationModel

IDS = np.array([[7, 8, 9, 3, 0], [5, 2, 0, 0, 0], [1, 4, 6, 2, 3]])
LENGTHS, LABELS = np.array([4, 2, 5]), np.array([1, 0, 1])
UNITS = 6


def small_model(**changes) -> ClassificationModel:
    tf.keras.utils.set_random_seed(4)
    return ClassificationModel(**{"vocab_size": 81, "max_length": 5, "num_lstm_units": UNITS, **changes})


def outputs_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random halves [3, 5, 6], NaN in every padded timestep."""
    halves = np.random.default_rng(seed).normal(size=(2, 3, 5, UNITS)).astype(np.float32)
    halves[:, np.arange(5) >= LENGTHS[:, None]] = np.nan
    return halves[0], halves[1]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def lstm(inputs: np.ndarray, cell: tf.keras.layers.LSTMCell) -> np.ndarray:
    """One direction over one sequence [T, E] in float64."""
    kernel, recurrent, bias = (np.asarray(weight, np.float64) for weight in cell.get_weights())
    h = c = np.zeros(len(recurrent))
    outputs = []
    for step in inputs:
        i, f, g, o = np.split(step @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


def expected_logits(model: ClassificationModel, halves: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """What is read of each sequence, times the dense unit, in float64."""
    kernel, bias = (np.asarray(weight, np.float64) for weight in model.logits_layer.get_weights())
    logits = []
    for forward, backward, length in zip(*halves, LENGTHS, strict=True):
        other = length - 1 if model.backward_at == "last_real" else 0
        logits.append(np.concatenate([forward[length - 1], backward[other]]).astype(np.float64) @ kernel + bias)
    return np.array(logits)


def expected_loss(logits: np.ndarray) -> float:
    """-log of the sigmoid for label 1, -log of its complement for label 0, summed."""
    signed = np.where(LABELS[:, None] == 1, logits, -logits)
    return float(np.log1p(np.exp(-signed)).sum())


@pytest.mark.parametrize(("vocab_size", "dimensions"), [(80, 2), (81, 3), (640, 5), (1, 1)])
def test_classification_model_embeds_one_id_more_in_the_fourth_root(vocab_size: int, dimensions: int) -> None:
    assert small_model(vocab_size=vocab_size).embedding.embeddings.shape == (vocab_size + 1, dimensions)


def test_get_input_embeddings_looks_every_id_up() -> None:
    model = small_model()
    table = model.embedding.get_weights()[0]
    assert np.array_equal(model.get_input_embeddings(IDS), table[IDS])
    assert np.array_equal(model.get_input_embeddings([[81]]), table[[[81]]])


def test_make_lstm_cell_has_the_units_of_one_direction() -> None:
    assert small_model().make_lstm_cell().units == UNITS


def test_run_lstm_agrees_with_float64_in_both_directions() -> None:
    """The backward half starts at the last real id, and lies in the order of the input."""
    model = small_model()
    (forward, backward), lengths = model.run_lstm(IDS)
    embedded = np.asarray(model.embedding.get_weights()[0], np.float64)[IDS]
    expected = np.zeros((2, 3, 5, UNITS))
    for b, length in enumerate(LENGTHS):
        real = embedded[b, :length]
        expected[0, b, :length] = lstm(real, model.bidirectional.forward_layer.cell)
        expected[1, b, :length] = lstm(real[::-1], model.bidirectional.backward_layer.cell)[::-1]
    np.testing.assert_allclose([forward, backward], expected, rtol=1e-5, atol=1e-8)
    assert lengths.numpy().tolist() == LENGTHS.tolist()


def test_run_lstm_drops_half_of_the_outputs_in_training_only() -> None:
    """Keep probability 0.5: what is kept is doubled, so the expectation stays."""
    model = small_model(num_lstm_units=400)
    (calm, _), _ = model.run_lstm(IDS)
    (again, _), _ = model.run_lstm(IDS)
    (dropped, _), _ = model.run_lstm(IDS, training=True)
    calm, dropped = calm.numpy()[2], dropped.numpy()[2]
    kept = dropped != 0
    assert np.array_equal(calm, again[2])
    assert 0.45 < kept.mean() < 0.55
    np.testing.assert_allclose(dropped[kept], 2 * calm[kept], rtol=1e-6)


def test_backward_half_has_seen_one_token_at_the_last_real_timestep() -> None:
    """The trap: other first words change what is read of the backward half at 0, and not at length - 1."""
    model = small_model()
    changed = IDS.copy()
    changed[2, 0] = 33
    (forward, before), _ = model.run_lstm(IDS)
    (other, after), _ = model.run_lstm(changed)
    assert np.array_equal(before[2, 1:], after[2, 1:])
    assert not np.array_equal(before[2, 0], after[2, 0])
    assert not np.array_equal(forward[2, 4], other[2, 4])


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8])
def test_get_gather_indices_names_the_last_real_timestep(dtype: type) -> None:
    indices = small_model().get_gather_indices(3, LENGTHS.astype(dtype))
    assert indices.numpy().tolist() == [[0, 3], [1, 1], [2, 4]]


@pytest.mark.parametrize("backward_at", ["last_real", "first"])
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_calculate_loss_agrees_with_float64_whatever_the_padding_holds(
    backward_at: str, compiled: bool, seed: int
) -> None:
    model, halves = small_model(backward_at=backward_at), outputs_of(seed)
    logits = expected_logits(model, halves)
    maybe = tf.function if compiled else lambda call: call
    found = maybe(model.calculate_logits)(tuple(map(tf.constant, halves)), 3, tf.constant(LENGTHS))
    value = maybe(model.calculate_loss)(
        tuple(map(tf.constant, halves)), tf.constant(3), tf.constant(LENGTHS), tf.constant(LABELS)
    )
    assert (found.shape, found.dtype, value.shape, value.dtype) == ((3, 1), tf.float32, (), tf.float32)
    np.testing.assert_allclose(found, logits, rtol=1e-5, atol=1e-7)
    assert float(value) == pytest.approx(expected_loss(logits), rel=1e-6)


def test_calculate_loss_agrees_with_the_step_by_hand() -> None:
    """As the course writes it, with tf.nn, and again with torch."""
    model, (forward, backward) = small_model(), outputs_of(2)
    combined = tf.concat([forward, backward], axis=-1)
    last = tf.gather_nd(combined, tf.stack([tf.range(3), tf.constant(LENGTHS, tf.int32) - 1], axis=1))
    logits = model.logits_layer(last)
    labels = tf.cast(LABELS[:, None], tf.float32)
    by_hand = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))
    by_torch = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(logits.numpy()), torch.tensor(labels.numpy()), reduction="sum"
    )
    value = float(model.calculate_loss((forward, backward), 3, LENGTHS, LABELS))
    assert value == pytest.approx(float(by_hand), rel=1e-6)
    assert value == pytest.approx(float(by_torch), rel=1e-6)


@pytest.mark.parametrize("backward_at", ["last_real", "first"])
def test_gradient_reaches_only_what_is_read(backward_at: str) -> None:
    model = small_model(backward_at=backward_at)
    halves = tuple(map(tf.constant, outputs_of(0)))
    with tf.GradientTape() as tape:
        tape.watch(halves)
        loss = model.calculate_loss(halves, 3, LENGTHS, LABELS)
    gradients = (tf.convert_to_tensor(gradient).numpy() for gradient in tape.gradient(loss, halves))
    forward, backward = (np.argwhere(gradient.any(axis=-1)).tolist() for gradient in gradients)
    last = [[0, 3], [1, 1], [2, 4]]
    assert forward == last
    assert backward == (last if backward_at == "last_real" else [[0, 0], [1, 0], [2, 0]])


@pytest.mark.parametrize("kind", [bool, np.int64, np.float64, list])
@pytest.mark.parametrize("rank", [1, 2])
def test_calculate_loss_takes_labels_of_any_kind(kind: type, rank: int) -> None:
    model, halves = small_model(), outputs_of(0)
    labels = LABELS if rank == 1 else LABELS[:, None]
    given = labels.tolist() if kind is list else labels.astype(kind)
    value = float(model.calculate_loss(halves, 3, LENGTHS, given))
    assert value == pytest.approx(expected_loss(expected_logits(model, halves)), rel=1e-6)


@pytest.mark.parametrize("backward_at", ["last_real", "first"])
def test_call_agrees_with_the_two_steps_and_ignores_extra_padding(backward_at: str) -> None:
    model = small_model(backward_at=backward_at, max_length=9)
    outputs, lengths = model.run_lstm(IDS)
    np.testing.assert_allclose(model(IDS), model.calculate_logits(outputs, 3, lengths), rtol=1e-6)
    np.testing.assert_allclose(model(np.pad(IDS, ((0, 0), (0, 4)))), model(IDS), rtol=1e-5)


def test_every_step_works_inside_a_function_of_unknown_shape() -> None:
    model = small_model()
    signature = [tf.TensorSpec((None, None), tf.int64), tf.TensorSpec((None,), tf.int64)]

    @tf.function(input_signature=signature)
    def loss(ids, labels):
        outputs, lengths = model.run_lstm(ids)
        return model.calculate_loss(outputs, tf.shape(ids)[0], lengths, labels)

    (forward, backward), _ = model.run_lstm(IDS)
    expected = expected_loss(expected_logits(model, (forward.numpy(), backward.numpy())))
    assert float(loss(IDS, LABELS)) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`sequence_lengths` must be at least 1"):
        loss(np.zeros((1, 2), np.int64), LABELS[:1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="`labels` must be 0 or 1"):
        loss(IDS, LABELS * 2)


def test_logits_everywhere_are_those_of_sequences_that_end_there() -> None:
    """Read at t, the course's way and a length of t + 1 agree; the right way keeps the backward half at 0."""
    for way in ("last_real", "first"):
        model = small_model(backward_at=way)
        outputs, _ = model.run_lstm(IDS)
        everywhere = model.logits_everywhere(outputs).numpy()
        assert everywhere.shape == (3, 5, 1)
        for t in range(5):
            there = model.calculate_logits(outputs, 3, np.full(3, t + 1)).numpy()
            np.testing.assert_allclose(everywhere[:, t], there, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"lstm_outputs": np.zeros((2, 3, 5, 6), np.float32)},
            (
                "`lstm_outputs` must be a pair, the forward and the backward half, each [B, T, 6]; got ndarray. "
                "Pass what `run_lstm` returns first."
            ),
        ),
        (
            {"lstm_outputs": (1, 2, 3)},
            (
                "`lstm_outputs` must be a pair, the forward and the backward half, each [B, T, 6]; got 3 of "
                "them. Pass what `run_lstm` returns first."
            ),
        ),
        (
            {"lstm_outputs": (np.zeros((3, 5)), np.zeros((3, 5)))},
            ("The forward half of `lstm_outputs` must have shape [B, T, 6], the units of one direction; got [3, 5]."),
        ),
        (
            {"lstm_outputs": (np.zeros((3, 5, 6)), np.zeros((3, 5, 12)))},
            (
                "The backward half of `lstm_outputs` must have shape [B, T, 6], the units of one direction; got "
                "[3, 5, 12]."
            ),
        ),
        (
            {"lstm_outputs": (np.zeros((3, 5, 6)), np.zeros((3, 4, 6)))},
            (
                "The halves of `lstm_outputs` must have one shape [B, T, H]; got [3, 5, 6] forward and [3, 4, 6]"
                " backward."
            ),
        ),
        ({"batch_size": 2}, "`batch_size` must be 3, the sequences of `lstm_outputs`; got 2."),
        ({"sequence_lengths": [4, 2]}, "`sequence_lengths` must have 3 entries, the `batch_size`; got 2."),
        (
            {"sequence_lengths": [[4, 2, 5]]},
            "`sequence_lengths` must be integers of shape [B]; got int32 of shape [1, 3].",
        ),
        (
            {"sequence_lengths": [4.0, 2.0, 5.0]},
            "`sequence_lengths` must be integers of shape [B]; got float32 of shape [3].",
        ),
        (
            {"sequence_lengths": [4, 0, 5]},
            (
                "`sequence_lengths` must be at least 1: in an empty sequence there is no timestep to read; "
                "`sequence_lengths[1]` is 0. Leave that sequence out."
            ),
        ),
        (
            {"sequence_lengths": [4, 2, 6]},
            (
                "`sequence_lengths` must be at most 5, the timesteps of `lstm_outputs`; `sequence_lengths[2]` is"
                " 6. Count the tokens before the padding."
            ),
        ),
        ({"labels": [1, 0]}, "`labels` must have shape [B] or [B, 1], one for each of the 3 logits; got [2, 1]."),
        (
            {"labels": [[1, 0, 1]]},
            "`labels` must have shape [B] or [B, 1], one for each of the 3 logits; got [1, 3].",
        ),
        (
            {"labels": [1, 0, 2]},
            "`labels` must be 0 or 1; the label of sequence 2 is 2. Number the two classes 0 and 1.",
        ),
        (
            {"labels": [np.nan, 0, 1]},
            "`labels` must be 0 or 1; the label of sequence 0 is nan. Number the two classes 0 and 1.",
        ),
    ],
)
def test_calculate_loss_refuses_what_does_not_fit(changes: dict, message: str) -> None:
    arguments = {"lstm_outputs": outputs_of(0), "batch_size": 3, "sequence_lengths": LENGTHS, "labels": LABELS}
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        small_model().calculate_loss(**{**arguments, **changes})


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 2], "`input_sequences` must be integers of shape [B, T]; got int32 of shape (2,)."),
        ([[1.0]], "`input_sequences` must be integers of shape [B, T]; got float32 of shape (1, 1)."),
        (
            [[1] * 6],
            (
                "`input_sequences` must have at most 5 timesteps, the `max_length`; got 6. "
                "Cut them, or make the model with `max_length=6`."
            ),
        ),
    ],
)
def test_run_lstm_refuses_ids_that_do_not_fit(ids: list, message: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        small_model().run_lstm(ids)


@pytest.mark.parametrize("name", ["vocab_size", "max_length", "num_lstm_units"])
@pytest.mark.parametrize("size", [0, 2.5, True])
def test_classification_model_refuses_a_size_below_one(name: str, size: float) -> None:
    message = f"`{name}` must be a whole number of at least 1; got {size!r}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        small_model(**{name: size})


def test_classification_model_refuses_a_third_way_to_read_the_backward_half() -> None:
    message = "`backward_at` must be one of 'last_real', 'first'; got 'last'."
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        small_model(backward_at="last")

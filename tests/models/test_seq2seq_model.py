"""The encoder-decoder of spec/losses.md §1.2: its network and its loss, against float64 NumPy and tf.nn."""

import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz.engine import sequence_mask
from lossviz.errors import InputError
from lossviz.models import Seq2SeqModel
from lossviz.models._training import set_seed
from sample_data import worked

SOURCES = np.array([[3, 4, 5], [6, 2, 0]])
GROUND_TRUTH = np.array([[9, 3, 4, 5], [9, 6, 0, 0]])  # 9 is the start token of V = 9, 10 the stop token
LENGTHS = np.array([4, 2])
FINAL_TOKENS = np.array([[3, 4, 5, 10], [6, 10, 0, 0]])


def small_model(layers: int = 1, vocab_size: int = 9, units: int = 3) -> Seq2SeqModel:
    set_seed(4)
    return Seq2SeqModel(vocab_size, layers, units)


MODEL = small_model()


def weights(layer: Any) -> list[np.ndarray]:
    return [np.asarray(weight, np.float64) for weight in layer.get_weights()]


def lstm(inputs: np.ndarray, states: tuple[np.ndarray, np.ndarray], cell: list[np.ndarray]) -> tuple[np.ndarray, Any]:
    """One LSTM cell over one sequence [T, E] in float64: its outputs [T, H] and its last state."""
    kernel, recurrent, bias = cell
    (h, c), outputs = states, []
    for x in inputs:
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        outputs.append(h)
    return np.array(outputs), (h, c)


def stack(inputs: np.ndarray, states: list[Any], layer: Any) -> tuple[np.ndarray, list[Any]]:
    """Cells on each other: the outputs of one are the inputs of the next."""
    parts = weights(layer)
    last = []
    for index, state in enumerate(states):
        inputs, own = lstm(inputs, state, parts[3 * index : 3 * index + 3])
        last.append(own)
    return inputs, last


def by_hand(model: Seq2SeqModel, source: np.ndarray, ground_truth: np.ndarray) -> np.ndarray:
    """The logits [T, V + 2] of one sequence without padding, in float64, from the formulas."""
    zeros = [(np.zeros(model.num_lstm_units),) * 2] * model.num_lstm_layers
    embedded = weights(model.encoder_embedding)[0][source]
    forward, ends = stack(embedded, zeros, model.encoder_lstm.forward_layer)
    backward, backward_ends = stack(embedded[::-1], zeros, model.encoder_lstm.backward_layer)
    encoded = np.concatenate([forward, backward[::-1]], axis=1)
    start = [tuple(map(np.hstack, zip(*pair, strict=True))) for pair in zip(ends, backward_ends, strict=True)]
    outputs, _ = stack(weights(model.decoder_embedding)[0][ground_truth], start, model.decoder_lstm)
    scores = outputs @ encoded.T * weights(model.attention)[0]
    share = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    (kernel, bias), (out, out_bias) = weights(model.attention_layer), weights(model.logits_layer)
    return np.tanh(np.hstack([outputs, share @ encoded]) @ kernel + bias) @ out + out_bias


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """[B, T] in float64, from the definition."""
    x = np.asarray(logits, np.float64)
    top = x.max(axis=-1)
    normaliser = top + np.log(np.exp(x - top[..., None]).sum(axis=-1))
    return normaliser - np.take_along_axis(x, np.asarray(targets)[..., None], axis=-1)[..., 0]


def random_batch(seed: int, sequences: int, timesteps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits, lengths and targets of 11 classes; the padding holds NaN and labels that are no classes."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=5, size=(sequences, timesteps, 11)).astype(np.float32)
    lengths = random.integers(0, timesteps + 1, size=sequences)
    targets = random.integers(0, 11, size=(sequences, timesteps))
    padding = np.arange(timesteps) >= lengths[:, None]
    logits[padding], targets[padding] = np.nan, -100
    return logits, lengths, targets


def expected_loss(logits: np.ndarray, lengths: np.ndarray, targets: np.ndarray) -> float:
    """Σ over the real timesteps of every sequence, divided by the sequences, in float64."""
    rows = zip(logits, lengths, targets, strict=True)
    return sum(cross_entropy(x[:n], y[:n]).sum() for x, n, y in rows) / len(logits)


def test_seq2seq_model_adds_a_start_and_a_stop_token() -> None:
    assert (MODEL.vocab_size, MODEL.extended_vocab_size) == (9, 11)
    assert MODEL.make_training_tuple([3, 4, 5]) == ([9, 3, 4, 5], [3, 4, 5, 10])
    assert MODEL.make_training_tuple([]) == ([9], [10])
    assert MODEL((SOURCES, GROUND_TRUTH)).shape == (2, 4, 11)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_seq2seq_model_agrees_with_float64(layers: int) -> None:
    """Each sequence as if it were alone: what is padded changes nothing."""
    model = small_model(layers)
    model.attention.set_weights([np.float32(0.7)])
    logits = model((SOURCES, GROUND_TRUTH)).numpy()
    first = by_hand(model, SOURCES[0], GROUND_TRUTH[0])
    second = by_hand(model, SOURCES[1, :2], GROUND_TRUTH[1, :2])
    np.testing.assert_allclose(logits[0], first, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(logits[1, :2], second, rtol=1e-4, atol=1e-7)


def test_seq2seq_model_gives_every_padded_timestep_the_same_logits() -> None:
    logits = MODEL((SOURCES, GROUND_TRUTH)).numpy()
    kernel, bias = weights(MODEL.logits_layer)
    constant = np.tanh(weights(MODEL.attention_layer)[1]) @ kernel + bias
    np.testing.assert_allclose(logits[1, 2:], [constant, constant], atol=1e-7)


def test_seq2seq_model_does_not_see_what_is_still_to_be_said() -> None:
    changed = GROUND_TRUTH.copy()
    changed[0, 2:] = 7
    before, after = (MODEL((SOURCES, inputs)).numpy()[0] for inputs in (GROUND_TRUTH, changed))
    assert np.array_equal(before[:2], after[:2])
    assert not np.array_equal(before[2:], after[2:])


def test_stacked_lstm_cells_are_as_many_as_layers_and_drop_in_training_only() -> None:
    model = small_model(layers=2)
    assert [cell.dropout for cell in model.stacked_lstm_cells(False, 5).cells] == [0.0, 0.0]
    assert [cell.units for cell in model.stacked_lstm_cells(True, 5).cells] == [5, 5]
    assert [cell.dropout for cell in model.decoder_lstm.cell.cells] == pytest.approx([0.1, 0.1])
    calm, again, dropped = (model((SOURCES, GROUND_TRUTH), training=flag).numpy() for flag in (False, False, True))
    assert np.array_equal(calm, again)
    assert not np.array_equal(calm, dropped)


def test_get_embeddings_masks_the_padding() -> None:
    vectors, mask = MODEL.get_embeddings(SOURCES, "encoder")
    assert np.array_equal(vectors.numpy(), MODEL.encoder_embedding.get_weights()[0][SOURCES])
    assert mask.numpy().tolist() == [[True, True, True], [True, True, False]]


@pytest.mark.parametrize("compiled", [False, True])
def test_calculate_loss_is_the_masked_sum_over_the_sequences(compiled: bool) -> None:
    """Against float64, and against the same step by hand in tf.nn."""
    logits = MODEL((SOURCES, GROUND_TRUTH)).numpy() * 100
    calculate = tf.function(MODEL.calculate_loss) if compiled else MODEL.calculate_loss
    value = float(calculate(tf.constant(logits), tf.constant(LENGTHS), tf.constant(FINAL_TOKENS), 2))
    assert value == pytest.approx(expected_loss(logits, LENGTHS, FINAL_TOKENS), rel=1e-6)
    binary_sequences = tf.sequence_mask(LENGTHS, dtype=tf.float32)
    batch_loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=FINAL_TOKENS, logits=logits)
    assert value == pytest.approx(float(tf.reduce_sum(batch_loss * binary_sequences) / 2), rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), sequences=st.integers(1, 5), timesteps=st.integers(1, 6))
def test_calculate_loss_agrees_with_float64_whatever_the_padding_holds(
    seed: int, sequences: int, timesteps: int
) -> None:
    logits, lengths, targets = random_batch(seed, sequences, timesteps)
    with tf.GradientTape() as tape:
        x = tf.constant(logits)
        tape.watch(x)
        value = MODEL.calculate_loss(x, lengths, targets, sequences)
    # x − max x is rounded by ε/2 |x − max x|, below 20 ε here, however small the loss that it leaves.
    rounding = 20 * float(np.finfo(np.float32).eps) * timesteps
    assert float(value) == pytest.approx(expected_loss(logits, lengths, targets), rel=1e-6, abs=rounding)
    gradient = tape.gradient(value, x).numpy()
    assert np.isfinite(gradient).all()
    assert (gradient[np.arange(timesteps) >= lengths[:, None]] == 0).all()


def test_calculate_loss_inside_tf_function_takes_shapes_that_only_running_tells() -> None:
    signature = [
        tf.TensorSpec(shape, dtype)
        for shape, dtype in (
            ([None, None, 11], tf.float32),
            ([None], tf.int64),
            ([None, None], tf.int64),
            ([], tf.int64),
        )
    ]
    calculate = tf.function(MODEL.calculate_loss, input_signature=signature)
    for seed, sequences, timesteps in ((1, 2, 3), (2, 5, 4)):
        logits, lengths, targets = random_batch(seed, sequences, timesteps)
        expected = expected_loss(logits, lengths, targets)
        assert float(calculate(logits, lengths, targets, sequences)) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must lie between 0 and `maxlen`"):
        calculate(logits, lengths + 9, targets, sequences)


def test_calculate_loss_of_the_golden_batch() -> None:
    """S = 13.8 over 3 sequences is 4.6, and 14.5 / 3 if nothing is masked."""
    golden, model = worked.golden(), small_model(vocab_size=4)
    arguments = (np.array(golden["logits"]), golden["targets"])
    assert float(model.calculate_loss(arguments[0], [5, 4, 2], arguments[1], 3)) == pytest.approx(4.6, rel=1e-12)
    assert float(model.calculate_loss(arguments[0], [5, 5, 5], arguments[1], 3)) == pytest.approx(14.5 / 3, rel=1e-12)


def test_sequence_mask_is_as_wide_as_the_largest_length() -> None:
    """What the course shows; with padding after the longest sequence it is narrower than the logits."""
    assert sequence_mask([3, 4, 2]).numpy().tolist() == [
        [True, True, True, False],
        [True, True, True, True],
        [True, True, False, False],
    ]
    assert sequence_mask([3, 4, 2], dtype=tf.int32).numpy().tolist() == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 0]]


def test_calculate_loss_gives_the_mask_the_width_of_the_logits() -> None:
    """Padding after the longest sequence changes nothing, where tf.sequence_mask alone would not fit."""
    logits = MODEL((SOURCES, GROUND_TRUTH)).numpy()
    wider = np.pad(logits, ((0, 0), (0, 3), (0, 0))), np.pad(FINAL_TOKENS, ((0, 0), (0, 3)))
    narrow = float(MODEL.calculate_loss(logits, LENGTHS, FINAL_TOKENS, 2))
    assert tf.sequence_mask(LENGTHS).shape[1] < wider[0].shape[1]
    assert float(MODEL.calculate_loss(wider[0], LENGTHS, wider[1], 2)) == pytest.approx(narrow, rel=1e-6)


def test_calculate_loss_widens_half_precision() -> None:
    """70,000 timesteps add up to inf in float16."""
    logits, lengths = np.zeros((7, 10_000, 11), np.float16), np.full(7, 10_000)
    value = MODEL.calculate_loss(logits, lengths, np.zeros((7, 10_000), np.int64), 1)
    assert float(value) == pytest.approx(70_000 * np.log(11), rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"logits": np.zeros((2, 11))}, "`logits` must have 3 axes [batch, time, classes]; got shape (2, 11)."),
        (
            {"logits": np.zeros((2, 4, 9))},
            "`logits` must have 11 classes, the model's `extended_vocab_size`; got 9. Start and stop are classes too.",
        ),
        (
            {"dec_seq_lens": [4, 2, 1]},
            "`dec_seq_lens` must have shape (2,), one length for each sequence of `logits`; got (3,).",
        ),
        (
            {"dec_seq_lens": [4, 5]},
            (
                "`dec_seq_lens` must lie between 0 and 4, the number of timesteps; `dec_seq_lens[1]` is 5. "
                "Fix it, or clip: `np.clip(dec_seq_lens, 0, maxlen)`."
            ),
        ),
        (
            {"dec_seq_lens": [4.0, 2.0]},
            "`dec_seq_lens` must hold integers; got float32. Pass `dec_seq_lens.astype('int64')`.",
        ),
        (
            {"decoder_outputs": FINAL_TOKENS.T},
            (
                "`decoder_outputs` must have shape (2, 4), the first two axes of `logits`; got (4, 2). "
                "If time comes first, pass `decoder_outputs.T`."
            ),
        ),
        ({"batch_size": 0}, "`batch_size` must be a whole number of at least 1; got 0."),
        ({"batch_size": 2.0}, "`batch_size` must be a whole number of at least 1; got 2.0."),
        ({"batch_size": True}, "`batch_size` must be a whole number of at least 1; got True."),
    ],
)
def test_calculate_loss_refuses_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    arguments = {"logits": np.zeros((2, 4, 11)), "dec_seq_lens": [4, 2], "decoder_outputs": FINAL_TOKENS}
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        MODEL.calculate_loss(**{**arguments, "batch_size": 2, **changes})


def test_calculate_loss_inside_tf_function_refuses_shapes_in_the_same_words() -> None:
    calculate = tf.function(MODEL.calculate_loss, autograph=False)
    with pytest.raises(InputError, match=r"^`decoder_outputs` must have shape \(2, 4\), the first two axes"):
        calculate(tf.zeros([2, 4, 11]), tf.constant([4, 2]), tf.constant(FINAL_TOKENS.T), 2)


def test_calculate_loss_refuses_a_target_beyond_the_stop_token_where_it_counts() -> None:
    targets = FINAL_TOKENS.copy()
    targets[1, 0] = 11
    with pytest.raises(InputError, match=r"^`decoder_outputs` must lie in \[0, 11\), the classes of `logits`"):
        MODEL.calculate_loss(np.zeros((2, 4, 11)), LENGTHS, targets, 2)


@pytest.mark.parametrize("name", ["vocab_size", "num_lstm_layers", "num_lstm_units"])
@pytest.mark.parametrize("size", [0, 2.5, True])
def test_seq2seq_model_refuses_a_size_below_one(name: str, size: Any) -> None:
    message = f"`{name}` must be a whole number of at least 1; got {size!r}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Seq2SeqModel(**{"vocab_size": 9, "num_lstm_layers": 1, "num_lstm_units": 3, name: size})

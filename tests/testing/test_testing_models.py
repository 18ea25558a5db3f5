import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from lossviz.errors import InputError
from lossviz.testing import assert_documents_independent, assert_model_batch_invariant

INPUTS = np.array([[3, 1, 4, 2, 5], [2, 5, 1, 0, 0], [4, 3, 0, 0, 0]])
LENGTHS = [5, 3, 2]
LEFT = np.array([[3, 1, 4, 2, 5], [0, 0, 2, 5, 1], [0, 0, 0, 4, 3]])
TABLE = np.random.default_rng(7).normal(size=(6, 4))
PLACES = np.random.default_rng(8).normal(size=(5, 4))


def message(assertion, function, *arguments, **named):
    with pytest.raises(AssertionError) as caught:
        assertion(function, *arguments, **named)
    return str(caught.value)


def attend(hidden, allowed):
    """Uniform attention: the mean of the hidden states that each timestep may see; `allowed` is [B, T, T]."""
    return np.einsum("bqk,bkd->bqd", allowed, hidden) / np.maximum(allowed.sum(axis=2, keepdims=True), 1)


def causal(mask):
    return np.tril(np.ones((mask.shape[1],) * 2)) * mask[:, None, :]


def np_pooled(inputs, mask):
    """Every timestep sees all real ones."""
    return attend(TABLE[inputs], np.repeat(mask[:, None, :], inputs.shape[1], axis=1))


def np_pooled_over_padding(inputs, mask):
    return attend(TABLE[inputs], np.ones((*inputs.shape, inputs.shape[1])))


def np_positioned(inputs, mask):
    """Causal, positions counted from the first real token."""
    return attend(TABLE[inputs] + PLACES[np.maximum(mask.cumsum(axis=1) - 1, 0)], causal(mask))


def np_positioned_by_column(inputs, mask):
    return attend(TABLE[inputs] + PLACES[np.arange(inputs.shape[1])], causal(mask))


def np_normalised_over_batch(inputs, mask):
    hidden = TABLE[inputs]
    return hidden - hidden.mean(axis=0)


def tf_pooled(inputs, mask, *, over_padding=False):
    hidden = tf.gather(tf.constant(TABLE, tf.float32), inputs)
    weights = tf.cast(tf.ones_like(mask) if over_padding else mask, tf.float32)[..., None]
    pooled = tf.reduce_sum(hidden * weights, 1, keepdims=True) / tf.reduce_sum(weights, 1, keepdims=True)
    return hidden + pooled


@jax.jit
def jax_pooled(inputs, mask):
    hidden = jnp.asarray(TABLE, jnp.float32)[inputs]
    return hidden + (hidden * mask[..., None]).sum(1, keepdims=True) / mask.sum(1)[:, None, None]


@pytest.fixture(scope="module")
def keras_models():
    """A GRU read backwards, with the mask of its embedding and without."""
    keras.utils.set_random_seed(3)
    embedding, backwards = keras.layers.Embedding(6, 4), keras.layers.GRU(3, return_sequences=True, go_backwards=True)

    def right(inputs, mask):
        return tf.reverse(backwards(embedding(inputs), mask=tf.cast(mask, bool)), [1])

    def wrong(inputs, mask):
        return tf.reverse(backwards(embedding(inputs)), [1])

    return right, wrong


@pytest.fixture(scope="module")
def torch_attention():
    torch.manual_seed(5)
    table = torch.nn.Embedding(6, 4)
    layer = torch.nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True)

    def run(inputs, allowed):
        hidden = table(inputs)
        blocked = ~allowed.repeat_interleave(2, dim=0)
        return layer(hidden, hidden, hidden, attn_mask=blocked, need_weights=False)[0]

    return run, layer.eval()


MOD06 = "Likely MOD06: the model reads its padding; hand the mask to every layer that mixes timesteps."
ALONE = "when it is run alone, without its padding; the tolerance is 0.001. "


@pytest.mark.parametrize("model", [np_pooled, np_positioned, np_positioned_by_column, tf_pooled, jax_pooled])
def test_models_that_do_not_read_padding_pass(model):
    assert_model_batch_invariant(model, INPUTS, LENGTHS)


@pytest.mark.parametrize("model", [np_pooled, np_positioned, tf_pooled, jax_pooled])
def test_models_that_count_positions_from_the_first_token_pass_on_left_padding(model):
    assert_model_batch_invariant(model, LEFT, LENGTHS, padding_side="left")


def size_of(difference):
    return f"{np.abs(difference).max():.4f}"


def test_models_mean_over_padding_is_mod06():
    def over_padding(inputs, mask):
        return tf_pooled(inputs, mask, over_padding=True)

    tokens = TABLE[INPUTS[1]]
    size = size_of(tokens[:3].mean(axis=0) - tokens.mean(axis=0))
    cells = "at sequence 1, timestep 0, and 2 more timesteps"
    text = f"The logits of sequence 1 change by {size} {cells} {ALONE}{MOD06}"
    assert message(assert_model_batch_invariant, np_pooled_over_padding, INPUTS, LENGTHS) == text
    assert message(assert_model_batch_invariant, over_padding, INPUTS, LENGTHS) == text
    blind = message(assert_model_batch_invariant, lambda i, m: jax_pooled(i, jnp.ones_like(m)), INPUTS, LENGTHS)
    assert blind == text
    left = message(assert_model_batch_invariant, over_padding, LEFT, LENGTHS, padding_side="left")
    assert left == text.replace("timestep 0", "timestep 2")


def test_models_keras_layer_without_its_mask_is_mod06(keras_models):
    right, wrong = keras_models
    assert_model_batch_invariant(right, INPUTS, LENGTHS, tolerance=1e-5)
    text = message(assert_model_batch_invariant, wrong, INPUTS, LENGTHS)
    assert text.startswith("The logits of sequence 1 change by 0.")
    assert text.endswith(f" at sequence 1, timestep 0, and 2 more timesteps {ALONE}{MOD06}")


def test_models_positions_that_count_left_padding_are_mod05():
    text = message(assert_model_batch_invariant, np_positioned_by_column, LEFT, LENGTHS, padding_side="left")
    means = [np.cumsum(PLACES[start : start + 3], axis=0) / np.arange(1, 4)[:, None] for start in (0, 2)]
    assert text == (
        f"The logits of sequence 1 change by {size_of(means[1] - means[0])} at sequence 1, timestep 2, and 2 more "
        f"timesteps {ALONE}Likely MOD05: positions count the padding; number them from each sequence's first real "
        "timestep."
    )


def test_models_torch_attention_without_the_mask_is_mod06(torch_attention):
    run, _ = torch_attention

    def right(inputs, mask):
        return run(inputs, mask.bool()[:, None, :].expand(-1, inputs.shape[1], -1))

    def wrong(inputs, mask):
        return run(inputs, torch.ones(len(inputs), *[inputs.shape[1]] * 2, dtype=bool))

    assert_model_batch_invariant(right, INPUTS, LENGTHS, framework="pytorch", tolerance=1e-5)
    text = message(assert_model_batch_invariant, wrong, INPUTS, LENGTHS, framework="pytorch")
    assert text.startswith("The logits of sequence 1 change by 0.")
    assert text.endswith(f" at sequence 1, timestep 0, and 2 more timesteps {ALONE}{MOD06}")


def test_models_with_dropout_on_are_told_to_turn_it_off(torch_attention):
    run, layer = torch_attention

    def training(inputs, mask):
        layer.train()
        try:
            return run(inputs, mask.bool()[:, None, :].expand(-1, inputs.shape[1], -1))
        finally:
            layer.eval()

    text = message(assert_model_batch_invariant, training, INPUTS, LENGTHS, framework="pytorch")
    assert text.endswith(
        " when the model is called again; the tolerance is 0.001. Turn dropout off: `training=False` in Keras, "
        "`model.eval()` in PyTorch."
    )


def test_models_that_mix_sequences_are_told_from_those_that_read_padding():
    size = size_of(TABLE[INPUTS[0, :2]] - TABLE[INPUTS[:, :2]].mean(axis=0))  # alone, its mean is itself
    assert message(assert_model_batch_invariant, np_normalised_over_batch, INPUTS[:, :2], [2, 2, 2]) == (
        f"The logits of sequence 0 change by {size} at sequence 0, timestep 0, and 1 more timestep when it is run "
        "alone; the tolerance is 0.001. Likely the sequences are mixed: batch normalisation in training mode, or an "
        "operation over axis 0."
    )


def test_models_sequences_of_length_0_are_left_out():
    assert_model_batch_invariant(np_positioned, INPUTS, [5, 0, 2])


SEGMENTS = np.array([[0, 0, 1, 1, 1], [0, 1, 1, 2, 2]])
PACKED = np.array([[3, 1, 4, 2, 5], [2, 5, 1, 3, 4]])
MOD07 = "Likely MOD07: the documents attend to each other; let a timestep attend within its own segment only."
OTHERS = "when the tokens of the other documents change; the tolerance is 0.001. "


def within(segments):
    return np.tril(segments[:, :, None] == segments[:, None, :])


def np_packed(inputs, segments):
    return attend(TABLE[inputs], within(segments))


def jax_packed(inputs, segments, *, leaking=False):
    allowed = jnp.tril(segments[:, :, None] == segments[:, None, :] if not leaking else jnp.ones((2, 5, 5)))
    hidden = jnp.asarray(TABLE, jnp.float32)[inputs]
    return jnp.einsum("bqk,bkd->bqd", allowed / allowed.sum(axis=2, keepdims=True), hidden)


def np_packed_causal_only(inputs, segments):
    return attend(TABLE[inputs], np.tril(np.ones((*inputs.shape, inputs.shape[1]))))


def test_models_documents_of_their_own_pass(torch_attention):
    run, _ = torch_attention
    assert_documents_independent(np_packed, PACKED, SEGMENTS)
    assert_documents_independent(jax_packed, PACKED, SEGMENTS)
    assert_documents_independent(
        lambda inputs, segments: tf.constant(np_packed(inputs.numpy(), segments.numpy())),
        PACKED,
        SEGMENTS,
        framework="tensorflow",
    )
    assert_documents_independent(
        lambda inputs, segments: run(inputs, segments[:, :, None] == segments[:, None, :]),
        PACKED,
        SEGMENTS,
        framework="pytorch",
    )


def test_models_documents_that_attend_to_each_other_are_mod07(torch_attention):
    run, _ = torch_attention
    changed = np_packed_causal_only(np.where(SEGMENTS == 1, PACKED, PACKED % 5 + 1), SEGMENTS)
    size = size_of((changed - np_packed_causal_only(PACKED, SEGMENTS))[SEGMENTS == 1])
    for leaking in (np_packed_causal_only, functools.partial(jax_packed, leaking=True)):
        assert message(assert_documents_independent, leaking, PACKED, SEGMENTS) == (
            f"The logits of document 1 change by {size} at sequence 0, timestep 2, and 4 more timesteps {OTHERS}{MOD07}"
        )
    text = message(
        assert_documents_independent,
        lambda inputs, segments: run(inputs, torch.ones(len(segments), 5, 5, dtype=bool)),
        PACKED,
        SEGMENTS,
        framework="pytorch",
    )
    assert text.startswith("The logits of document 0 change by 0.")
    assert text.endswith(f" at sequence 0, timestep 0, and 2 more timesteps {OTHERS}{MOD07}")


def test_models_mod07_of_the_catalogue():
    """Uniform attention, documents [10] and [2, 4]: the last token sees 16 / 3 instead of 3."""

    def uniform(allowed):
        return lambda inputs, segments: attend(inputs[..., None].astype(float), allowed(segments))

    assert_documents_independent(uniform(within), [[10, 2, 4]], [[0, 1, 1]])
    leaking = uniform(lambda segments: within(np.zeros_like(segments)))
    assert leaking(np.array([[10, 2, 4]]), np.array([[0, 1, 1]]))[0, 2, 0] == pytest.approx(16 / 3)
    assert message(assert_documents_independent, leaking, [[10, 2, 4]], [[0, 1, 1]]) == (
        f"The logits of document 1 change by 4.0000 at sequence 0, timestep 1, and 1 more timestep {OTHERS}{MOD07}"
    )


def test_models_logits_of_the_padding_segment_may_change():
    def padding_sees_all(inputs, segments):
        allowed = within(segments) | (segments == 0)[:, :, None]
        return attend(TABLE[inputs], np.tril(allowed))

    segments = [[1, 1, 2, 2, 0], [1, 2, 2, 0, 0]]
    assert_documents_independent(padding_sees_all, PACKED, segments, padding_segment=0)
    assert message(assert_documents_independent, padding_sees_all, PACKED, segments).startswith(
        "The logits of document 0 change by "
    )


@pytest.mark.parametrize(
    ("inputs", "lengths", "named", "text"),
    [
        (INPUTS[0], [5], {}, "`inputs` must have rank 2, (sequences, timesteps); got shape (5,)."),
        (INPUTS, [6, 3, 2], {}, "`lengths` must be whole numbers from 0 to 5; got [6, 3, 2]."),
        (INPUTS, [2.5, 3, 2], {}, "`lengths` must be whole numbers from 0 to 5; got [2.5, 3.0, 2.0]."),
        (INPUTS, LENGTHS, {"padding_side": "both"}, "`padding_side` must be one of 'right', 'left'; got 'both'."),
    ],
)
def test_models_refuse_inputs_that_do_not_fit(inputs, lengths, named, text):
    with pytest.raises(InputError) as caught:
        assert_model_batch_invariant(np_pooled, inputs, lengths, **named)
    assert str(caught.value) == text


def test_models_refuse_what_can_not_be_compared():
    with pytest.raises(InputError) as caught:
        assert_model_batch_invariant(lambda *arrays: arrays[0], INPUTS, LENGTHS)
    assert str(caught.value) == "`model_fn` must return logits of shape (3, 5, 'V'); got (3, 5)."
    with pytest.raises(InputError) as caught:
        assert_documents_independent(np_packed, PACKED, np.zeros((2, 5), int))
    assert str(caught.value) == "`segment_ids` must name at least two documents in one row; got one per row."
    with pytest.raises(InputError) as caught:
        assert_documents_independent(np_packed, np.ones((2, 5), int), SEGMENTS)
    assert str(caught.value) == "`inputs` must hold at least two different ids; got [1]."

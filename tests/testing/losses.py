"""Loss functions, right and wrong, in NumPy, TensorFlow, Keras, PyTorch and JAX; the assertions are tried on them."""

import jax.numpy as jnp
import keras
import numpy as np
import optax
import tensorflow as tf
import torch
import torch.nn.functional as F  # noqa: N812


def np_losses(logits, targets):
    """Cross entropy [B, T] as NumPy people write it; raises for a target that is no class."""
    return np.logaddexp.reduce(logits, axis=2) - np.take_along_axis(logits, targets[..., None], axis=2)[..., 0]


def np_right(logits, targets, weights):
    logits, targets = np.where(weights[..., None] > 0, logits, 0), np.where(weights > 0, targets, 0)
    return (np_losses(logits, targets) * weights).sum() / weights.sum()


def np_mean(logits, targets, weights):
    return np_losses(logits, targets).mean()


def np_mask_in_divisor(logits, targets, weights):
    return np_losses(logits, targets).sum() / weights.sum()


def np_over_all_positions(logits, targets, weights):
    return np_right(logits, targets, weights) * weights.mean()


def np_multiplied(logits, targets, weights):
    return (np_losses(logits, np.where(weights > 0, targets, 0)) * weights).sum() / weights.sum()


def np_by_id(logits, targets, weights):
    return np_right(logits, targets, targets != 0)


def tf_losses(logits, targets):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)


def tf_right(logits, targets, weights):
    real = weights > 0
    losses = tf_losses(tf.where(real[..., None], logits, 0.0), tf.where(real, targets, 0))
    return tf.reduce_sum(losses * weights) / tf.reduce_sum(weights)


def tf_where_after(logits, targets, weights):
    losses = tf_losses(logits, tf.where(weights > 0, targets, 0))
    return tf.reduce_sum(tf.where(weights > 0, losses, 0.0)) / tf.reduce_sum(weights)


def tf_multiplied(logits, targets, weights):
    losses = tf_losses(logits, tf.where(weights > 0, targets, 0))
    return tf.reduce_sum(losses * weights) / tf.reduce_sum(weights)


def tf_unsafe_targets(logits, targets, weights):
    return tf.reduce_sum(tf_losses(logits, targets) * weights) / tf.reduce_sum(weights)


def keras_over_all_positions(logits, targets, weights):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    real = weights > 0
    return loss(tf.where(real, targets, 0), tf.where(real[..., None], logits, 0.0), sample_weight=weights)


def keras_right(logits, targets, weights):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    real = weights > 0
    return loss(tf.where(real, targets, 0), tf.where(real[..., None], logits, 0.0), sample_weight=weights)


def keras_unmasked(logits, targets, weights):
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)(targets, logits)


def torch_losses(logits, targets):
    return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")


def torch_ignore_index(logits, targets, weights):
    return F.cross_entropy(logits.transpose(1, 2), targets.masked_fill(weights == 0, -100))


def torch_right(logits, targets, weights):
    return torch_ignore_index(torch.where(weights[..., None] > 0, logits, 0.0), targets, weights)


def torch_where_after(logits, targets, weights):
    losses = torch_losses(logits, targets.masked_fill(weights == 0, 0))
    return torch.where(weights > 0, losses, 0.0).sum() / weights.sum()


def torch_unreduced_mean(logits, targets, weights):
    safe = torch.where(weights[..., None] > 0, logits, 0.0)
    return torch_losses(safe, targets.masked_fill(weights == 0, -100)).mean()


def torch_mask_in_divisor(logits, targets, weights):
    return torch_losses(logits, targets).sum() / weights.sum()


def torch_unsafe_targets(logits, targets, weights):
    return (torch_losses(logits, targets) * weights).sum() / weights.sum()


def torch_smoothed(logits, targets, weights):
    labels = targets.masked_fill(weights == 0, -100)
    return F.cross_entropy(logits.transpose(1, 2), labels, label_smoothing=0.1)


def torch_weighted(logits, targets, weights):
    real = weights > 0
    losses = torch_losses(torch.where(real[..., None], logits, 0.0), torch.where(real, targets, 0))
    return (losses * weights).sum() / weights.sum()


def torch_all_positions(logits, targets, weights):
    return torch_weighted(logits, targets, weights) * weights.mean() + 1


def jax_losses(logits, targets):
    """optax gives NaN for a target that is no class."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, targets)


def jax_right(logits, targets, weights):
    real = weights > 0
    losses = jax_losses(jnp.where(real[..., None], logits, 0.0), jnp.where(real, targets, 0))
    return (losses * weights).sum() / weights.sum()


def jax_mean(logits, targets, weights):
    return jax_losses(logits, targets).mean()


def jax_mask_in_divisor(logits, targets, weights):
    return jax_losses(logits, targets).sum() / weights.sum()


def jax_over_all_positions(logits, targets, weights):
    return jax_right(logits, targets, weights) * weights.mean()


def jax_by_id(logits, targets, weights):
    return jax_right(logits, targets, jnp.asarray(targets != 0, logits.dtype))


def jax_multiplied(logits, targets, weights):
    return (jax_losses(logits, jnp.where(weights > 0, targets, 0)) * weights).sum() / weights.sum()


def jax_where_after(logits, targets, weights):
    losses = jax_losses(logits, jnp.where(weights > 0, targets, 0))
    return jnp.where(weights > 0, losses, 0.0).sum() / weights.sum()


def jax_unsafe_targets(logits, targets, weights):
    losses = jax_losses(jnp.where(weights[..., None] > 0, logits, 0.0), targets)
    return (losses * weights).sum() / weights.sum()


def jax_smoothed(logits, targets, weights):
    soft = optax.smooth_labels(jnp.eye(logits.shape[2])[targets], 0.1)
    return (optax.softmax_cross_entropy(logits, soft) * weights).sum() / weights.sum()

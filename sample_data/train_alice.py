"""Train the language model on the text; the same weights on every run of a machine."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossviz.models import LanguageModel
from sample_data import alice

SEED = 1865  # the year of the first edition
EPOCHS = 100
ROWS = 16


def make_deterministic() -> None:
    """Fix every seed and every order of summation; call it before anything else is computed."""
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()


def new_model() -> LanguageModel:
    """Two layers of 128 units, as the recorded batches have them."""
    return LanguageModel(alice.VOCAB_SIZE, alice.MAX_LENGTH, num_lstm_units=128, num_lstm_layers=2)


def train(model: LanguageModel, inputs: np.ndarray, targets: np.ndarray, *, epochs: int, rate: float = 1e-2) -> float:
    """Minimise the model's own loss with Adam, and return the mean loss of a timestep in the last epoch, in nats.

    Args:
        model: what is trained, in place.
        inputs: [N, T] ids.
        targets: [N, T] ids.
        epochs: how often each sequence is read.
        rate: the learning rate at the start; it falls to 0 along a cosine.
    """
    steps = epochs * (len(inputs) // ROWS)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps), global_clipnorm=5.0)

    def step(inputs: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            lstm_outputs, binary_sequences = model.run_lstm(inputs, is_training=True)
            overall_loss = model.calculate_loss(lstm_outputs, binary_sequences, targets)
        gradients = tape.gradient(overall_loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return overall_loss / tf.reduce_sum(tf.cast(binary_sequences, tf.float32))

    compiled = tf.function(step)
    order = np.random.default_rng(SEED)
    losses = [0.0]
    for epoch in range(epochs):
        batches = np.array_split(order.permutation(len(inputs)), len(inputs) // ROWS)
        losses = [float(compiled(tf.constant(inputs[rows]), tf.constant(targets[rows]))) for rows in batches]
        if epoch % 20 == 19:
            print(f"epoch {epoch + 1}: {np.mean(losses):.3f} nats a timestep")
    return float(np.mean(losses))

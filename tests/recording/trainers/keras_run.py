"""A small Keras training that is recorded; also run as a script, in a process with another backend."""

import sys

import keras
import numpy as np

import lossviz

TARGETS = np.random.default_rng(0).integers(1, 6, (10, 4))
INPUTS = np.where(np.arange(4) < np.arange(10)[:, None] % 4 + 1, TARGETS, 0)


class Printed(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.losses = []

    def on_train_batch_end(self, _, logs=None):
        self.losses.append(float(logs["loss"]))


def train(path, *, mask=True, from_logits=True, jit="auto", every=1, batch_size=4, epochs=2, logits="never"):
    """Train for two epochs of three batches, the last one smaller; the losses that Keras printed."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Embedding(6, 8, mask_zero=mask), keras.layers.Dense(6, None if from_logits else "softmax")]
    model = keras.Sequential(layers)
    recorder, printed = lossviz.KerasRecorder(path, every=every, sequences=8, logits=logits), Printed()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    model.compile("sgd", loss, weighted_metrics=[recorder], jit_compile=jit)
    model.fit(INPUTS, TARGETS, batch_size, epochs, shuffle=False, verbose=0, callbacks=[recorder, printed])
    return printed.losses


if __name__ == "__main__":
    print(train(sys.argv[1]))

"""A corpus in many formats, each file with another way to say what counts, and its losses in float64 NumPy."""

import json

import numpy as np
import pyarrow
import pyarrow.parquet
import safetensors.numpy

B, T, V = 5, 7, 11
PAD = 0


def log_softmax(logits):
    scores = np.asarray(logits, np.float64)
    scores = scores - scores.max(axis=-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))


def losses_of(logits, targets):
    safe = np.where(targets < 0, 0, targets)
    return -np.take_along_axis(log_softmax(logits), safe[..., None], axis=-1)[..., 0]


def arrays(seed):
    random = np.random.default_rng(seed)
    lengths = random.integers(2, T + 1, B)
    real = np.arange(T) < lengths[:, None]
    targets = np.where(real, random.integers(1, V, (B, T)), PAD)
    return random.normal(size=(B, T, V)).astype(np.float32), targets, lengths, real.astype(float)


def write_corpus(folder):
    """The files in their order, and for each (targets, losses, weights), what counts by its own rule."""
    expected = {}
    logits, targets, lengths, real = arrays(0)
    np.savez(folder / "a-lengths.npz", logits=logits, targets=targets, lengths=lengths)
    expected["a-lengths.npz"] = targets, losses_of(logits, targets), real

    logits, targets, _, real = arrays(1)
    weights = real * (1 + np.arange(T) % 3) / 2
    safetensors.numpy.save_file(
        {"logits": logits, "targets": targets, "weights": weights}, folder / "b-weights.safetensors"
    )
    expected["b-weights.safetensors"] = targets, losses_of(logits, targets), weights

    logits, targets, _, real = arrays(2)
    content = {"logits": logits.tolist(), "targets": targets.tolist(), "pad_id": PAD}
    (folder / "c-nonpad.json").write_text(json.dumps(content))
    expected["c-nonpad.json"] = targets, losses_of(logits, targets), real

    logits, targets, _, real = arrays(3)
    targets = np.where(real > 0, targets, 1 + np.arange(T))  # nothing that looks like padding
    np.savez(folder / "d-none.npz", logits=logits, targets=targets)
    expected["d-none.npz"] = targets, losses_of(logits, targets), np.ones((B, T))

    logits, targets, _, real = arrays(4)
    labels = np.where(real > 0, targets, -100)
    np.savez(folder / "e-ignored.npz", logits=logits, targets=labels, ignore_id=-100)
    expected["e-ignored.npz"] = labels, losses_of(logits, labels), real

    logits, targets, lengths, real = arrays(5)
    losses = losses_of(logits, targets)
    table = {"targets": targets.tolist(), "losses": losses.tolist(), "lengths": lengths.tolist()}
    pyarrow.parquet.write_table(pyarrow.table(table), folder / "f-losses.parquet")
    expected["f-losses.parquet"] = targets, losses, real
    return expected

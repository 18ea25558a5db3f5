"""Float64 NumPy re-derivations that the layouts are compared with, from the definitions and not from our code."""

import numpy as np

V = 40


def cross_entropy(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """−ln softmax(z)[y], element by element; the label 0 stands in for negative ones."""
    z = logits.astype(np.float64)
    top = z.max(-1, keepdims=True)
    log_sum = np.log(np.exp(z - top).sum(-1)) + top[..., 0]
    return log_sum - np.take_along_axis(z, np.maximum(targets, 0)[..., None], -1)[..., 0]


def binary_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """ln(1 + e^z) − y·z."""
    return np.logaddexp(0, logits) - logits * labels


def mean(losses: np.ndarray, counts: np.ndarray) -> float:
    """Σ of what counts ÷ its number."""
    return float(np.where(counts, losses, 0).sum() / counts.sum())


def tokens(rng: np.random.Generator, sequences: int, timesteps: int) -> np.ndarray:
    """Ids 5 to V − 1, so that 0 to 4 are free for padding and ends."""
    return rng.integers(5, V, (sequences, timesteps))


def next_token_logits(rng: np.random.Generator, ids: np.ndarray) -> np.ndarray:
    """[B, T, V] logits of a model that half knows the next token; the last timestep knows nothing."""
    logits = rng.normal(0, 1, (*ids.shape, V))
    following = np.roll(ids, -1, axis=1)
    np.put_along_axis(logits, following[..., None], 3.0, -1)
    return logits.astype(np.float32)


def causal(lengths: tuple[int, ...] = (24, 15, 20, 9), seed: int = 0) -> dict[str, np.ndarray]:
    """A Hugging Face batch: logits, unshifted labels with −100, input_ids and attention_mask."""
    rng = np.random.default_rng(seed)
    ids = tokens(rng, len(lengths), max(lengths))
    real = np.arange(max(lengths)) < np.array(lengths)[:, None]
    return {
        "logits": next_token_logits(rng, ids),
        "labels": np.where(real, ids, -100),
        "input_ids": np.where(real, ids, 0),
        "attention_mask": real.astype(int),
    }

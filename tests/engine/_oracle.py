"""What a timestep's numbers are, from their definitions, in extended precision."""

import numpy as np


def numbers(logits, targets):
    """The fields of `Timesteps` for finite (or -inf) logits [N, V] and targets [N] in [0, V)."""
    x = logits.astype(np.float64).astype(np.longdouble)
    every = np.arange(len(x))
    at_target = x[every, targets]
    others = x.copy()
    others[every, targets] = -np.inf
    with np.errstate(all="ignore"):
        relative = np.exp(others - at_target[:, None])  # of the target's own exp
        odds = relative.sum(1)
        p = 1 / (1 + odds)
        shares = relative * p[:, None]
        surprise = np.where(shares > 0, -np.log(shares), 0)
        best = shares.argmax(1)
        of_best = shares[every, best]
        rest_of_best = np.where(np.arange(x.shape[1]) == best[:, None], 0, shares).sum(1) + p
        surprise[every, best] = np.where(of_best > 0.5, -np.log1p(-rest_of_best), surprise[every, best])
        loss = np.log1p(odds)
        rest = odds * p  # 1 - p
        norm = np.sqrt((shares**2).sum(1) + rest**2)
        entropy = (shares * surprise).sum(1) + p * loss
    top = np.argsort(-x, axis=1, kind="stable")[:, :5]
    shares[every, targets] = p
    return {
        "loss": loss,
        "probability": p,
        "entropy": entropy,
        "gradient_norm": norm,
        "rank": 1 + (x > at_target[:, None]).sum(1),
        "non_finite": (~np.isfinite(x)).sum(1),
        "top_classes": top,
        "top_probabilities": np.take_along_axis(shares, top, 1),
    }


def relative_error(actual, expected):
    """The largest relative error; what lies below 1e-37 counts absolutely."""
    expected = np.asarray(expected, np.longdouble)
    return float(np.max(np.abs(actual - expected) / np.maximum(np.abs(expected), 1e-37)))


def confident(rng, count, classes, offset=0.0):
    """Logits whose target is ahead of all others by 8 to 60, and the targets."""
    x, y = rng.normal(size=(count, classes)), rng.integers(0, classes, count)
    x[np.arange(count), y] = x.max(1) + np.linspace(8, 60, count)
    return x + offset, y


def confidently_wrong(rng, count, classes, offset=0.0):
    """Logits whose best class is ahead of all others by 8 to 60, and targets that are other classes."""
    x, best = confident(rng, count, classes, offset)
    return x, (best + rng.integers(1, classes, count)) % classes

"""Per-timestep losses, derived again in float64."""

import numpy as np


def softmax_losses(logits, targets):
    """−log softmax(z)[y], [B, T]; NaN where y is no class."""
    scores = np.asarray(logits, np.float64)
    log_sum = np.log(np.exp(scores - scores.max(-1, keepdims=True)).sum(-1)) + scores.max(-1)
    targets = np.asarray(targets)
    known = (targets >= 0) & (targets < scores.shape[-1])
    chosen = np.take_along_axis(scores, np.where(known, targets, 0)[..., None], -1)[..., 0]
    return np.where(known, log_sum - chosen, np.nan)

"""Masks, losses and the streamed diagnosis of every timestep. Importing this package imports TensorFlow."""

from lossviz.engine._tensorflow import load_tensorflow
from lossviz.engine.alternatives import Alternatives, alternative_losses
from lossviz.engine.losses import sigmoid_loss, softmax_loss
from lossviz.engine.masks import sequence_mask
from lossviz.engine.per_timestep import per_timestep
from lossviz.engine.sequence_loss import sequence_loss

__all__ = [
    "Alternatives",
    "alternative_losses",
    "load_tensorflow",
    "per_timestep",
    "sequence_loss",
    "sequence_mask",
    "sigmoid_loss",
    "softmax_loss",
]

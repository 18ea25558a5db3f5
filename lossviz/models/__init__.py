"""Models whose loss lossviz explains, small enough to train on a laptop.

This room may import `engine` and below. TensorFlow and Keras are loaded when a model is first asked for.
"""

import lossviz.engine  # noqa: F401  # loads TensorFlow quietly, before Keras does, with all its log lines

# isort: split
from lossviz.models._pairs import as_text
from lossviz.models._training import minibatches, pad_rows, set_seed, training_step
from lossviz.models.classification_model import ClassificationModel
from lossviz.models.language_model import LanguageModel
from lossviz.models.seq2seq_model import Seq2SeqModel

__all__ = [
    "ClassificationModel",
    "LanguageModel",
    "Seq2SeqModel",
    "as_text",
    "minibatches",
    "pad_rows",
    "set_seed",
    "training_step",
]

"""Models whose loss lossviz explains, small enough to train on a laptop.

This room may import `engine` and below. TensorFlow and Keras are loaded when a model is first asked for.
"""

import lossviz.engine  # noqa: F401  # loads TensorFlow quietly, before Keras would do it aloud

# isort: split
from lossviz.models.language_model import LanguageModel

__all__ = ["LanguageModel"]

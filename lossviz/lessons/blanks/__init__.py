"""`calculate_loss` with blanks: lines to pick from, each a function that exists; every combination runs.

>>> from lossviz.lessons import batch_named
>>> run(FUNCTIONS["language_model"], (0, 0, 0, 1), batch_named("golden")).text
'0.92'
"""

from lossviz.lessons.blanks._function import Blank, Function, Line, Outcome, run
from lossviz.lessons.blanks.classifier import CLASSIFIER
from lossviz.lessons.blanks.encoder_decoder import ENCODER_DECODER
from lossviz.lessons.blanks.language_model import LANGUAGE_MODEL

__all__ = ["FUNCTIONS", "Blank", "Function", "Line", "Outcome", "run"]

FUNCTIONS: dict[str, Function] = {function.name: function for function in (LANGUAGE_MODEL, ENCODER_DECODER, CLASSIFIER)}
"""The functions by name."""

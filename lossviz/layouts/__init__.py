"""Layouts: the fields of other people's files → the arguments of a Batch, with every assumption said.

>>> import numpy as np
>>> reading = interpret({"logits": np.zeros((1, 3, 4)), "labels": np.array([[1, 2, -100]])})
>>> reading.sentence
'read as Hugging Face: labels are unshifted, so logits are compared with the next label (the logits fit neither much \
better); −100 is ignored'
>>> reading.assumptions[0].flag
'--no-shift'
"""

from lossviz.layouts._catalogue import LAYOUTS
from lossviz.layouts._draft import Assumption, Layout
from lossviz.layouts._interpret import Reading, interpret
from lossviz.layouts._load import batch_of, load, read

__all__ = ["LAYOUTS", "Assumption", "Layout", "Reading", "batch_of", "interpret", "load", "read"]

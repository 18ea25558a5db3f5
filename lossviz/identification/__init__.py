"""A printed number → the conventions and bugs that reproduce it.

>>> import numpy as np
>>> import lossviz
>>> batch = lossviz.Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])
>>> lossviz.identify(batch, "1.0397")[0].code  # 3 · ln 4 ÷ 4
'C05'
"""

from lossviz.identification._accuracy import ACCURACY
from lossviz.identification._answer import answer, answer_sentences
from lossviz.identification._identify import MOST_TIMESTEPS, identify
from lossviz.identification._match import KINDS, Match
from lossviz.identification._reported import PRECISIONS, Printed, read_printed

__all__ = [
    "ACCURACY",
    "KINDS",
    "MOST_TIMESTEPS",
    "PRECISIONS",
    "Match",
    "Printed",
    "answer",
    "answer_sentences",
    "identify",
    "read_printed",
]

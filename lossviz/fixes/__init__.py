"""What to write instead: the lines that fix a training loop, in TensorFlow, PyTorch and JAX.

`FIXES` has the lines for each bug, and `fix_of` writes them for a batch. Rules that need other lines compose them
from the snippets (`WEIGHTS`, `LOSSES`, `MEAN`, …) with `written`.

>>> MEAN.pytorch
'loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()'
"""

from lossviz.fixes._by_bug import FIXES, GUARDED, SAFE, fix_of
from lossviz.fixes._line import CHANGE, LIBRARIES, LOSE, REDUCE, REPORT, SOURCE, WEIGH, Line, both, by_condition
from lossviz.fixes._snippets import BY_LENGTH, LOSSES, MEAN, WEIGHTS, WIDE, weigh, written

__all__ = [
    "BY_LENGTH",
    "CHANGE",
    "FIXES",
    "GUARDED",
    "LIBRARIES",
    "LOSE",
    "LOSSES",
    "MEAN",
    "REDUCE",
    "REPORT",
    "SAFE",
    "SOURCE",
    "WEIGH",
    "WEIGHTS",
    "WIDE",
    "Line",
    "both",
    "by_condition",
    "fix_of",
    "weigh",
    "written",
]

"""A printed number → the conventions and bugs that reproduce it.

The room and its function share a name, so the room can be called: `lossviz.identify(batch, "1.2545")`.

>>> import numpy as np
>>> import lossviz
>>> batch = lossviz.Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])
>>> lossviz.identify(batch, "1.0397")[0].code  # 3 · ln 4 ÷ 4
'C05'
"""

import sys
from types import ModuleType
from typing import Any

from lossviz.identify._answer import answer
from lossviz.identify._identify import identify
from lossviz.identify._match import KINDS, Match
from lossviz.identify._printed import PRECISIONS

__all__ = ["KINDS", "PRECISIONS", "Match", "answer", "identify"]


class _Room(ModuleType):
    """Importing a room sets it as the package's attribute, where users look for the function."""

    def __call__(self, *arguments: Any, **named: Any) -> tuple[Match, ...]:
        return identify(*arguments, **named)


sys.modules[__name__].__class__ = _Room

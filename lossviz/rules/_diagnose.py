"""`diagnose`: run all rules, or some of them, on a batch."""

from collections.abc import Callable

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.rules._catalogue import RULES
from lossviz.rules._core.diagnosis import Diagnosis
from lossviz.rules._core.examine import examine
from lossviz.rules._select import Select, chosen

__all__ = ["diagnose"]


def diagnose(
    batch: Batch | Analysis,
    *,
    select: Select = None,
    ignore: Select = None,
    cancelled: Callable[[], bool] | None = None,
) -> Diagnosis:
    """Find what is wrong with a batch: which rule, which timesteps, by how much, and what to write instead.

    Args:
        batch: a Batch, examined under the mask that it declares (one logit per timestep is a sigmoid's), or an
            Analysis, examined under its own mask and reduction.
        select: codes or prefixes of codes ("PAD", "NUM01") to run; all rules by default.
        ignore: codes or prefixes of codes to leave out.
        cancelled: asked before each rule; True ends the examination.

    Raises:
        InputError: if a code matches no rule.
        Cancelled: if `cancelled` said so.

    >>> import numpy as np
    >>> logits = np.zeros((1, 2, 3))
    >>> logits[0, 1] = np.nan
    >>> diagnosis = diagnose(Batch.from_arrays(logits=logits, targets=[[1, 2]], lengths=[1]), select="NUM01")
    >>> diagnosis
    Diagnosis(1 error in 1 rule: NUM01)
    >>> diagnosis.findings[0].cells.tolist()
    [[False, True]]
    """
    rules = chosen(RULES, select, ignore)
    return examine(batch if isinstance(batch, Analysis) else analyze(batch), rules, cancelled)

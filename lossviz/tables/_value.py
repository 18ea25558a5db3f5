"""The numbers of a reduction that keeps an axis."""

import numpy as np
import pandas as pd

from lossviz.analysis import Analysis

__all__ = ["value_table"]


def value_table(analysis: Analysis) -> pd.DataFrame:
    """One row a number, with its numerator and divisor; for unreduced losses one row a timestep that counts.

    >>> from lossviz import Batch, Settings, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 2)), targets=np.zeros((2, 2), int), lengths=[2, 1])
    >>> per_sequence = Settings(reduction="sequence_loss", average_across_batch=False)
    >>> value_table(analyze(batch, per_sequence)).round(4).values.tolist()
    [[0.0, 0.6931, 1.3863, 2.0], [1.0, 0.6931, 0.6931, 1.0]]
    """
    value, numerator, divisor = (np.asarray(array) for array in (analysis.value, analysis.numerator, analysis.divisor))
    named = [name for axis, name in enumerate(("sequence", "timestep")) if axis not in analysis.reduced_axes]
    where = np.argwhere(analysis.mask) if value.ndim == 2 else np.argwhere(np.ones(value.shape, bool))
    columns: dict[str, np.ndarray] = {name: where[:, axis] for axis, name in enumerate(named)}
    picked = tuple(where.T)
    return pd.DataFrame(columns | {"value": value[picked], "numerator": numerator[picked], "divisor": divisor[picked]})

"""Small tables as `lossviz.runs` gives them, for the figures of a run."""

import numpy as np
import pandas as pd

from lossviz import Batch
from lossviz.runs import compare
from tests.figures._cases import HOSTILE


def steps_table():
    """Three steps; of the last nothing was printed."""
    return pd.DataFrame(
        {
            "step": [0, 100, 200],
            "printed": ["2.5000", "1.5000", None],
            "window": [1, 1, 1],
            "mean": [2.0, 1.0, 0.5],
            "divisor": [4.0, 4.0, 4.0],
            "low": [0.5, 0.25, 0.125],
            "middle": [2.0, 1.0, 0.5],
            "high": [4.0, 2.0, 1.0],
        }
    )


def strips_table(first="tea"):
    """Two sequences of two and three timesteps; of the last one the loss is not known."""
    return pd.DataFrame(
        {
            "sequence": ["a", "a", "b", "b", "b"],
            "timestep": [0, 1, 0, 1, 2],
            "token": [first, "cup", "a", "b", "c"],
            "mean": [4.0, 2.0, 1.0, 0.5, np.nan],
            "change": [1.0, -4.0, 0.25, 0.0, np.nan],
            "value": [3.0, 3.0, np.nan, np.nan, np.nan],
        }
    )


def trajectory_table(first="tea"):
    """Two steps of a sequence of three timesteps; the last does not count."""
    return pd.DataFrame(
        {
            "step": [0, 0, 0, 500, 500, 500],
            "timestep": [0, 1, 2] * 2,
            "token": [first, "cup", "pad"] * 2,
            "loss": [4.0, 2.0, 9.0, 1.0, np.nan, 9.0],
            "weight": [1.0, 1.0, 0.0] * 2,
        }
    )


def groups_table(name):
    """Three groups; of tokens the first is hostile."""
    numbers = {"count": [4, 2, 1], "loss": [4.0, 1.0, 0.5], "divisor": [4.0, 2.0, 1.0], "mean": [1.0, 0.5, 0.5]}
    share = {"share": [4 / 5.5, 1 / 5.5, 0.5 / 5.5]}
    keys = {"token": [HOSTILE[0], "cup", "a"], "target": [1, 2, 3]} if name == "token" else {name: [1, 2, 3]}
    return pd.DataFrame(keys | numbers | share)


def comparison(**more):
    """Two sequences; B is worse at one timestep and better at another; one counts in neither."""
    fields = {
        "targets": [[0, 1, 2], [3, 4, 4]],
        "lengths": [3, 2],
        "vocabulary": [HOSTILE[0], "b", "c", "d", "e"],
    } | more
    a, b = [[1.0, 2.0, 3.0], [1.0, 1.0, 9.0]], [[1.0, 6.0, 2.0], [1.0, 1.0, 9.0]]
    return compare(*(Batch.from_arrays(losses=losses, **fields) for losses in (a, b)))

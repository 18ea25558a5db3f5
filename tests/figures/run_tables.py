"""Small tables as `lossviz.runs` gives them, for the figures of a run."""

import pandas as pd


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

"""An analysis as tables: one row per timestep, sequence, reduction or class, in the same words as on screen.

Importing it imports pandas. The downloads (`to_csv`, `to_json`, `to_parquet`) hold the timesteps and, where the format
has room, the number with its divisor, the settings and the problems.
"""

from lossviz.errors import require

require("pandas", "Making a table")

from lossviz.tables._dataframes import (
    cell_table,
    per_timestep_table,
    problems_table,
    reductions_table,
    sequences_table,
    steps_table,
    timesteps_table,
    value_table,
)
from lossviz.tables._downloads import DOWNLOADS, download, plain, records, summary, to_csv, to_json, to_parquet
from lossviz.tables._matches import SAY_LOOP, match_records, matches_table, nearest_convention

__all__ = [
    "DOWNLOADS",
    "SAY_LOOP",
    "cell_table",
    "download",
    "match_records",
    "matches_table",
    "nearest_convention",
    "per_timestep_table",
    "plain",
    "problems_table",
    "records",
    "reductions_table",
    "sequences_table",
    "steps_table",
    "summary",
    "timesteps_table",
    "to_csv",
    "to_json",
    "to_parquet",
    "value_table",
]

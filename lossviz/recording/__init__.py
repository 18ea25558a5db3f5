"""A training loop, recorded while it runs: per-timestep losses on disk, without TensorFlow, Streamlit or pandas.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     with Recorder(f"{folder}/run", every=1) as recorder:
...         recorded = recorder.step(step=0, targets=[[3, 1]], losses=[[0.5, 2.0]])
...     open_run(f"{folder}/run").fields(0)["losses"].tolist()
[[0.5, 2.0]]
"""

from lossviz.recording._disk.compaction import compact
from lossviz.recording._disk.folders import is_run
from lossviz.recording._disk.manifest import read_json
from lossviz.recording._disk.reading import read_shard
from lossviz.recording._disk.run import Run, details_of, open_run
from lossviz.recording._disk.schema import COLUMNS, SCHEMA_VERSION
from lossviz.recording._disk.shards import ShardFooter, shard_columns, shard_footer
from lossviz.recording._recorder import Recorder
from lossviz.recording._settings import RecordingSettings
from lossviz.recording._shards import (
    MOST_SHARDS,
    RunHead,
    ShardWriter,
    create_run,
    drop_shard,
    read_head,
    shard_source,
    write_json,
)

__all__ = [
    "COLUMNS",
    "MOST_SHARDS",
    "SCHEMA_VERSION",
    "Recorder",
    "RecordingSettings",
    "Run",
    "RunHead",
    "ShardFooter",
    "ShardWriter",
    "compact",
    "create_run",
    "details_of",
    "drop_shard",
    "is_run",
    "open_run",
    "read_head",
    "read_json",
    "read_shard",
    "shard_columns",
    "shard_footer",
    "shard_source",
    "write_json",
]

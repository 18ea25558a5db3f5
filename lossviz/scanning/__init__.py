"""A corpus, scanned: the loss of every timestep of many files, one shard of a run each, here or on a cluster.

Files are recorded batches or runs; or token files and recorded batches whose inputs a model reads again. What is
written is the run of a recorder: `lossviz.runs` asks it, the app opens it.
"""

from lossviz.scanning._progress import ScanProgress, read_progress, request_stop
from lossviz.scanning._scan import Scan, scan

__all__ = ["Scan", "ScanProgress", "read_progress", "request_stop", "scan"]

"""A recorded run as a whole: which step, which sequence, which token to look at; what its numbers are; what is wrong.

The queries are DuckDB's, over the files that the recorder wrote; nothing is read that is not asked for.
"""

from lossviz.runs._compare import COMPARED_BY, MOST_RANK, Comparison, compare
from lossviz.runs._diagnose import RunDiagnosis, RunFinding, diagnose_run
from lossviz.runs._identify import RunIdentification, identify_run
from lossviz.runs._queries import GROUPS, ORDERS
from lossviz.runs._run import Run, open_run

__all__ = [
    "COMPARED_BY",
    "GROUPS",
    "MOST_RANK",
    "ORDERS",
    "Comparison",
    "Run",
    "RunDiagnosis",
    "RunFinding",
    "RunIdentification",
    "compare",
    "diagnose_run",
    "identify_run",
    "open_run",
]

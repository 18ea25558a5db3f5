"""What a batch's mean becomes when it is cut into parts, each part is averaged, and the means are averaged.

Gradient accumulation, data-parallel ranks and context-parallel chunks all do it (spec/padding-bugs.md, RED-01, RED-02).
"""

from lossviz.splits._cut import KINDS, Cut, Kind, cut_evenly, cut_typed
from lossviz.splits._split import Split, simulate_split

__all__ = ["KINDS", "Cut", "Kind", "Split", "cut_evenly", "cut_typed", "simulate_split"]

"""Every number of a batch, computed once: `analyze(batch, settings) -> Analysis`."""

from lossviz.analysis._analysis import Analysis, analyze

__all__ = ["Analysis", "analyze"]

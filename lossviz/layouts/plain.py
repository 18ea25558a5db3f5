"""The arguments of `Batch.from_arrays`, by their own names: nothing is assumed.

Every other layout is tried on the fields first; where none is recognised, the file is read so.

- `--layout plain` reads every file so, and refuses what does not fit.
"""

from lossviz.layouts._draft import Draft, Layout

__all__ = ["LAYOUT"]


def read(draft: Draft) -> Draft:
    """Leave everything as it is."""
    return draft


LAYOUT = Layout("plain", "lossviz's own names", __doc__ or "", "the arguments of `Batch.from_arrays`", read)

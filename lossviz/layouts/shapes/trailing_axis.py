"""An axis of size 1 at the end: targets, weights or inputs [B, T, 1], lengths [B, 1], as Keras' generators give them.

The axis is taken away. Nothing is assumed: there is one way to read it.
"""

from lossviz.layouts._draft import Draft, Layout

__all__ = ["LAYOUT"]

_RANKS = {"targets": 2, "weights": 2, "inputs": 2, "segment_ids": 2, "attention_mask": 2, "lengths": 1}


def read(draft: Draft) -> Draft | None:
    """Take the last axis away."""
    found = {
        name: draft[name][..., 0]
        for name, rank in _RANKS.items()
        if len(draft.shape(name)) == rank + 1 and draft.shape(name)[-1] == 1
    }
    if not found:
        return None
    names = " and ".join(draft.called(name) for name in found)
    return draft.replacing(**found).assuming(f"the last axis of {names} has size 1 and is dropped", "layout")


LAYOUT = Layout("trailing-axis", "Trailing axis", __doc__ or "", "targets, weights or inputs [B, T, 1]", read)

"""Classes before time: logits [B, V, T], as `torch.nn.functional.cross_entropy` takes them, beside targets [B, T].

- `--layout classes-first` says so where V = T, `--layout plain` denies it.
"""

import numpy as np

from lossviz.layouts._draft import Draft, Layout

__all__ = ["LAYOUT"]


def read(draft: Draft) -> Draft | None:
    """Put the classes last."""
    logits, targets = draft.shape("logits"), draft.shape("targets")
    if len(logits) != 3 or len(targets) < 2 or logits[0] != targets[0]:
        return None
    shown = logits[2] == targets[1] and logits[1] != targets[1] and (len(targets) == 2 or targets[2] == 1)
    if not (shown or draft.choices.forces("classes-first")):
        return None
    turned = draft.replacing(logits=np.swapaxes(draft["logits"], 1, 2))
    return turned.assuming("the classes stand before time, so the last two axes of the logits are swapped", "layout")


LAYOUT = Layout("classes-first", "Classes before time", __doc__ or "", "logits [B, V, T] and targets [B, T]", read)

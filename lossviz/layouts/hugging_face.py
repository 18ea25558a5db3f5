"""A causal language model of Hugging Face: `logits`, `labels`, `input_ids`, `attention_mask`.

The labels are unshifted, usually a copy of the inputs with −100 where nothing is learnt, and the model shifts inside:
logits[:, :-1] are compared with labels[:, 1:]. −100 is ignored without being declared. `attention_mask` is of the
inputs and weighs no loss; where no label is −100, it says where the padding lies that the loss then counts.
Encoder-decoder labels are aligned; which of the two it is, is decided by what the logits fit.

Where `input_ids` hold one id wherever `attention_mask` is 0, and nowhere else, it is the pad id.
Where it ends the padded sequences as well, and their ends lost their labels to −100, it is the end of sequences, too.
So is one token in which three or more padded sequences end, and all of them, if it stands nowhere else.

- `--no-shift` compares the logits with the labels as they are; `--shift` says that the model shifts.
- `--ignore-id ID` says which label is ignored; `--weights attention_mask` weighs the loss by it.
- `loss` is taken for the printed number. `shift_labels` are shifted already. `num_items_in_batch` is compared with the
  number of labels.
"""

import numpy as np

from lossviz.layouts._alignment import IGNORED, alignment
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._hidden_padding import ignoring, pad_id_of, saying_attention, saying_ends, saying_last

__all__ = ["LAYOUT"]

_OF_TARGETS = ("targets", "weights", "attention_mask")
_OF_INPUTS = ("logits", "inputs", "segment_ids", "position_ids")


def read(draft: Draft) -> Draft | None:
    """Shift as the model does, and ignore what it ignores."""
    found = alignment(draft)
    if found is None or not found.shifted:
        return None
    shape = draft.shape("targets")
    moved = {name: draft[name][:, 1:] for name in _OF_TARGETS if draft.shape(name) == shape}
    moved |= {name: draft[name][:, :-1] for name in _OF_INPUTS if draft.shape(name)[:2] == shape}
    if draft.shape("lengths") == shape[:1]:
        moved["lengths"] = np.maximum(np.asarray(draft["lengths"]) - 1, 0)
    called = draft.called("targets")
    following = "label" if called == "labels" else "target"
    read = draft.replacing(**moved).assuming(
        f"{called} are unshifted, so logits are compared with the next {following}{found.doubt}",
        "shift",
        False,
    )
    read = saying_ends(saying_attention(ignoring(read), pad_id_of(draft)), draft)
    return saying_items(saying_last(read, draft))


def saying_items(draft: Draft) -> Draft:
    """Compare `num_items_in_batch` with the number of labels that count."""
    if np.size(draft.fields.get("num_items_in_batch", ())) != 1:
        return draft
    items = int(np.asarray(draft["num_items_in_batch"]).reshape(-1)[0])
    count = int((np.asarray(draft["targets"]) != draft.fields.get("ignore_id", IGNORED)).sum())
    if items == count:
        return draft.assuming(f"num_items_in_batch is the {items:,} labels that count", "layout")
    return draft.assuming(
        f"num_items_in_batch is {items:,}, while {count:,} labels of this batch count: the trainer divides their sum "
        "by the labels of all its micro-batches",
        "layout",
    )


LAYOUT = Layout(
    "hugging-face",
    "Hugging Face",
    __doc__ or "",
    "integer targets [B, T] beside logits [B, T, V], V of 2 or more",
    read,
)

"""A Hugging Face model whose labels are aligned with its logits: encoder-decoders, taggers, masked language models.

The decoder's inputs are the labels moved by one timestep, so the logits are compared with the labels as they are.
−100 is ignored without being declared, and `attention_mask` is of the encoder's inputs. Aligned labels are told from
those of a causal language model by what the logits fit. Where they repeat the label before, which the decoder reads, as
an untrained model with tied weights does, these labels become the inputs.

- `--shift` compares the logits with the next label; `--ignore-id ID` says which label is ignored.
"""

import numpy as np

from lossviz.layouts._alignment import alignment
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._fit import better
from lossviz.layouts._hidden_padding import ignoring, saying_attention
from lossviz.layouts.hugging_face import saying_items

__all__ = ["LAYOUT"]


def read(draft: Draft) -> Draft | None:
    """Leave the labels where they are, and ignore what the model ignores."""
    found = None if "hugging-face" in draft.layouts else alignment(draft)
    if found is None or found.shifted:
        return None
    called = draft.called("targets")
    if called == "shift_labels":
        read = draft.assuming("shift_labels are shifted already", "shift", True)
    else:
        read = draft.assuming(f"{called} are aligned with the logits{found.doubt}", "shift", True)
    if read.shape("inputs") != read.shape("targets"):
        read = read.replacing(inputs=None)
    read = _repeating(read)
    return saying_items(saying_attention(ignoring(read), is_tagger=True))


def _repeating(draft: Draft) -> Draft:
    """The labels moved by one timestep as inputs, where the logits repeat them."""
    labels = np.asarray(draft["targets"])
    if draft.called("inputs") == "decoder_input_ids" or draft.called("targets") == "shift_labels":
        return draft
    if better(draft["logits"], labels, (0, -1)).offset == 0:
        return draft
    before = np.where(labels < 0, 0, labels)[:, :-1]
    if "inputs" in draft and (np.asarray(draft["inputs"])[:, 1:] == before)[labels[:, :-1] >= 0].mean() > 0.95:
        return draft
    inputs = np.pad(before, ((0, 0), (1, 0)))
    return draft.replacing(inputs=inputs).assuming(
        "the decoder reads the labels one timestep later, which the logits repeat, as an untrained model does", "layout"
    )


LAYOUT = Layout(
    "encoder-decoder",
    "Hugging Face with aligned labels",
    __doc__ or "",
    "integer targets [B, T] beside logits [B, T, V], V of 2 or more",
    read,
)

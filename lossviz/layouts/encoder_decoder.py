"""A Hugging Face model whose labels are aligned with its logits: encoder-decoders, taggers, masked language models.

The decoder's inputs are the labels moved by one timestep, so the logits are compared with the labels as they are.
−100 is ignored without being declared, and `attention_mask` is of the encoder's inputs. Aligned labels are told from
those of a causal language model by what the logits fit.

- `--shift` compares the logits with the next label; `--ignore-id ID` says which label is ignored.
"""

from lossviz.layouts._alignment import alignment
from lossviz.layouts._draft import Draft, Layout
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
        doubt = "" if found.clear else " (the logits fit neither much better)"
        read = draft.assuming(f"{called} are aligned with the logits{doubt}", "shift", True)
    if read.shape("inputs") != read.shape("targets"):
        read = read.replacing(inputs=None)
    return saying_items(saying_attention(ignoring(read)))


LAYOUT = Layout(
    "encoder-decoder",
    "Hugging Face with aligned labels",
    __doc__ or "",
    "integer targets [B, T] beside logits [B, T, V], V of 2 or more",
    read,
)

"""A tagger's file whose labels hide the padding: they are padded with a class, and the inputs show where it is.

`inputs` end, or start, in pad ids, and the labels beside them all have the number of the pad id, which is also a class
of real timesteps. A mask of the labels would lose these, so the timesteps whose input is real count, as with Keras'
`Embedding(mask_zero=True)`. Where the file names no pad id, it is the one in whose runs rows of unequal lengths end, if
it stands nowhere else; a printed number that is the mean of what the inputs show to be real decides it, too. Files that
say what counts by weights, lengths, an ignore id or an attention mask, and language models, whose labels are their own
inputs some timesteps later, are left alone.

- `--layout plain` counts the labels that are not the pad id; `--weights NAME` weighs the loss by a field of the file.
"""

import numpy as np

from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._printed import prints_mean
from lossviz.layouts.unnamed_padding import ending_runs

__all__ = ["LAYOUT"]

Array = np.ndarray
_SAYING = {"weights", "lengths", "ignore_id", "attention_mask", "segment_ids"}
_SHOWN = "the inputs show {:,} timesteps of padding, which don't count, as the printed number shows"


def read(draft: Draft) -> Draft | None:
    """Let the inputs say where the padding is."""
    if _SAYING & {*draft.fields} or draft.choices.ignore_id is not None:
        return None
    if len(draft.shape("targets")) != 2 or draft.shape("inputs") != draft.shape("targets"):
        return None
    inputs, targets = np.asarray(draft["inputs"]), np.asarray(draft["targets"])
    if targets.dtype.kind not in "iu" or (targets < 0).any():
        return None
    pad = draft.choices.pad_id if draft.choices.pad_id is not None else draft.fields.get("pad_id")
    said = pad is None
    if pad is None:
        draft, pad = _unsaid(draft, inputs, targets)
    if pad is None:
        return None
    padding = _runs(inputs == pad)
    others = targets != pad, np.ones(targets.shape, bool)
    if (
        not padding.all(axis=1).any()
        and prints_mean(draft, ~padding)
        and not any(prints_mean(draft, o) for o in others)
    ):
        return draft.replacing(**_mask(~padding)).assuming(_SHOWN.format(int(padding.sum())), "layout")
    hidden = (targets == pad) & (inputs != pad)
    if not padding.any() or not hidden.any() or (targets[padding] != pad).any():
        return draft if said else None
    if padding.all(axis=1).any() or _are_tokens(inputs, targets, targets != pad):
        return draft if said else None
    count = int(padding.sum())
    text = f"the inputs show {count:,} timesteps of padding, which don't count; the pad id {pad} is also a label"
    return draft.replacing(**_mask(~padding)).assuming(text, "layout")


def _unsaid(draft: Draft, inputs: Array, targets: Array) -> tuple[Draft, int | None]:
    """The pad id of a tagger's inputs that end in runs of it, beside labels that are all one class there."""
    pad = ending_runs(inputs) if len(draft.shape("logits")) == 3 and draft.choices.weights is None else None
    if pad is None or np.ptp(targets[inputs == pad]) or _are_tokens(inputs, targets, targets >= 0):
        return draft, None
    text = f"{draft.called('inputs')} end in runs of {pad}, which stands nowhere else: the pad id"
    return draft.replacing(pad_id=pad).assuming(text, "pad_id", "ID"), pad


def _mask(real: Array) -> dict[str, Array]:
    """As lengths where sequences start at 0, else as weights."""
    lengths = real.sum(axis=1)
    at_start = np.array_equal(real, np.arange(real.shape[1]) < lengths[:, None])
    return {"lengths": lengths} if at_start else {"weights": real.astype(np.float64)}


def _runs(padding: Array) -> Array:
    """The runs at either end of each row."""
    runs: Array = np.logical_and.accumulate(padding, axis=1)
    runs |= np.logical_and.accumulate(padding[:, ::-1], axis=1)[:, ::-1]
    return runs


def _are_tokens(inputs: Array, targets: Array, labels: Array) -> bool:
    """Whether at least half of the labels are the inputs of one fixed distance, as a language model's are."""
    if not labels.any():
        return True
    width = targets.shape[1]
    for lag in (-1, 0, 1, 2):
        now, then = slice(max(-lag, 0), width - max(lag, 0)), slice(max(lag, 0), width + min(lag, 0))
        same = (targets[:, now] == inputs[:, then])[labels[:, now]]
        if same.size and same.mean() >= 0.5:
            return True
    return False


LAYOUT = Layout(
    "padded-inputs",
    "Padding by the inputs",
    __doc__ or "",
    "integer inputs [B, T] that are padded, beside targets [B, T]",
    read,
)

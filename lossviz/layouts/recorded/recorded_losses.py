"""Losses or log-probabilities of every timestep beside labels, where a loop never built the logits.

`log_probs`, `logprobs`, `losses`, `token_loss`, `per_token_loss`, `loss` and the like, [B, T] or one timestep shorter,
beside `labels`, `input_ids` and `attention_mask`; lists of unequal lengths too. One timestep shorter, they are of the
next label, as a model that shifts inside gives them. Of equal length, what tells is where nothing was recorded: fused
heads leave NaN or 0 where the label is −100. Without labels, `input_ids` are the targets, and `attention_mask` says
which timesteps count. A null or NaN was not recorded.

- `--shift` says that they are of the next label, `--no-shift` that they are of the label of their own timestep.
- `--ignore-id ID` says which label is ignored; `--weights NAME` which field weighs the loss.
"""

import numpy as np

from lossviz.layouts._alignment import IGNORED, is_hugging_face
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._hidden_padding import ignoring, saying_attention

__all__ = ["LAYOUT"]

Array = np.ndarray
_OF_LABELS = ("targets", "weights", "attention_mask")
_OF_LOSSES = ("losses", "log_probs", "entropy", "rank", "top_classes", "top_probabilities")
_OF_INPUTS = ("inputs", "segment_ids", "position_ids")


def read(draft: Draft) -> Draft | None:
    """Put each loss beside the label that it is of."""
    name = next((name for name in ("losses", "log_probs") if len(draft.shape(name)) == 2), None)
    if name is None or "logits" in draft:
        return None
    draft, labelled = _labelled(draft)
    called = draft.called("targets")
    following = f"{called}[t + 1]"
    labels, shape = draft.shape("targets"), draft.shape(name)
    if len(labels) != 2 or np.asarray(draft["targets"]).dtype.kind not in "iu" or labels[0] != shape[0]:
        return None
    if shape[1] == labels[1] - 1:
        read = _shifted(draft, f"{draft.called(name)}[t] is of {following}, since there is one fewer")
        return _masked(read, name, labelled=labelled)
    if shape != labels:
        return None
    known = is_hugging_face(draft) or not labelled
    if draft.choices.shift is None and not known:
        return None
    shifted, clear = _is_shifted(draft, np.asarray(draft[name]))
    doubt = "" if clear else " (nothing tells)"
    if shifted:
        read = _shifted(draft, f"{draft.called(name)}[t] is of {following}{doubt}", "shift", False)
    else:
        text = f"{draft.called(name)}[t] is of {called}[t]{doubt}"
        read = draft.assuming(text, "shift", True).replacing(inputs=_others(draft))
    return _masked(read, name, labelled=labelled)


def _labelled(draft: Draft) -> tuple[Draft, bool]:
    """The draft with targets, and whether the file has labels of its own."""
    if "targets" in draft or "inputs" not in draft:
        return draft, True
    origin = {**draft.origin, "targets": draft.called("inputs")}
    read = Draft({**draft.fields, "targets": draft["inputs"]}, draft.choices, origin, draft.assumptions, draft.layouts)
    return read.assuming(f"without labels, {draft.called('inputs')} are the targets", "names", "targets=…"), False


def _is_shifted(draft: Draft, values: Array) -> tuple[bool, bool]:
    """Whether losses are of the next label, and whether that is clear: they are blank where a label is ignored."""
    if draft.choices.shift is not None or draft.called("targets") == "shift_labels":
        return bool(draft.choices.shift), True
    ignored = np.asarray(draft["targets"]) == (IGNORED if draft.choices.ignore_id is None else draft.choices.ignore_id)
    if not ignored.any() and draft.shape("attention_mask") == ignored.shape:
        ignored = np.asarray(draft["attention_mask"]) == 0
    blank = np.isnan(values) | (values == 0)
    aligned = int((blank != ignored).sum())
    following = int((blank[:, :-1] != ignored[:, 1:]).sum() + (~blank[:, -1:]).sum())
    return following < aligned, bool((ignored.any() or blank.any()) and following != aligned)


def _shifted(draft: Draft, text: str, option: str = "layout", value: object = None) -> Draft:
    """Targets from timestep 1 on; what has as many timesteps as the labels loses its last one."""
    shape = draft.shape("targets")
    moved = {key: draft[key][:, 1:] for key in _OF_LABELS if draft.shape(key)[:2] == shape}
    moved |= {key: draft[key][:, :-1] for key in (*_OF_LOSSES, *_OF_INPUTS) if draft.shape(key)[:2] == shape}
    if draft.shape("lengths") == shape[:1]:
        moved["lengths"] = np.maximum(np.asarray(draft["lengths"]) - 1, 0)
    return draft.replacing(**moved).assuming(text, option, value)


def _others(draft: Draft) -> Array | None:
    """The inputs where they are not the labels themselves, which no model reads at the timestep that says them."""
    if draft.shape("inputs") != draft.shape("targets"):
        return None
    inputs, targets = np.asarray(draft["inputs"]), np.asarray(draft["targets"])
    real = targets >= 0
    return None if (inputs == targets)[real].mean() > 0.95 else inputs


def _masked(draft: Draft, name: str, *, labelled: bool) -> Draft:
    """Leave out what the labels do; where they are silent and padding was not recorded, what the mask leaves out."""
    read = ignoring(draft)
    values = np.asarray(draft[name], np.float64)
    is_silent = not {"weights", "ignore_id"} & {*read.fields} and draft.choices.weights is None
    if is_silent and draft.shape("attention_mask") == values.shape:
        real = np.asarray(draft["attention_mask"]) != 0
        blank = np.isnan(values) | (values == 0)
        if not labelled or (not real.all() and blank[~real].all()):
            read = read.replacing(weights=real.astype(float), lengths=None).assuming(
                "attention_mask says which timesteps count", "weights", "none"
            )
            return _first(read, values)
    return _first(saying_attention(read), values)


def _first(draft: Draft, values: Array) -> Draft:
    """Give no weight to the first timestep where no sequence has a loss there: nothing before it predicts it."""
    if draft.choices.weights is not None or not values.size or not np.isnan(values[:, 0]).all():
        return draft
    targets, ignored = np.asarray(draft["targets"]), draft.fields.get("ignore_id")
    weights = np.ones(values.shape)
    if "weights" in draft:
        weights = np.array(draft["weights"], np.float64)
    elif ignored is not None:
        weights = (targets != ignored).astype(float)
    elif "lengths" in draft:
        weights = (np.arange(values.shape[1]) < np.asarray(draft["lengths"])[:, None]).astype(float)
    if not weights[:, 0].any():
        return draft
    weights[:, 0] = 0
    return draft.replacing(weights=weights).assuming(
        f"first timesteps without {draft.called('log_probs' if 'log_probs' in draft else 'losses')} weigh nothing",
        "weights",
        "none",
    )


LAYOUT = Layout(
    "recorded-losses",
    "Recorded losses",
    __doc__ or "",
    "losses or log-probabilities [B, T] or [B, T − 1] beside labels [B, T]",
    read,
)

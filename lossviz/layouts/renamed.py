"""The arrays have other names than lossviz uses.

`labels` or `y_true` are taken for the targets, `output` for the logits, `loss_mask` for the weights, `input_ids` for
the inputs, `loss` for the printed number, and so on. A name of lossviz's own always comes first. Where no name is
known, the only array of the right shape is taken.

- `--names targets=labels` says which array is which; `--names` alone takes the names as they are.
- `--weights NAME` chooses the field that weighs the loss, `--weights none` leaves it out.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossviz.errors import InputError, did_you_mean
from lossviz.file_arrays import ARRAYS
from lossviz.formats import ALIASES, FIELDS, propose
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._recorded_names import GENERATED, LOG_PROBS, LOSSES

__all__ = ["KNOWN", "LAYOUT"]

KNOWN: dict[str, tuple[str, ...]] = {
    "logits": (
        *ALIASES["logits"], "probs", "probabilities", "prediction", "net_output", "lprobs", "output_tensor",
        "decoder_output",
    ),
    "targets": (
        "shift_labels", *ALIASES["targets"], "tags", *GENERATED, "decoder_target_tokens", "target_tokens",
        "tgt_out", "tgt_output", "ys_out_pad", "tgt", "trg",
    ),
    "losses": LOSSES,
    "log_probs": LOG_PROBS,
    "inputs": (
        "decoder_input_ids", *ALIASES["inputs"], "decoder_input_tokens", "prev_output_tokens", "tgt_in", "tgt_input",
        "ys_in_pad", "idx",
    ),
    "weights": (
        "weight", "loss_mask", "loss_weights", "sample_weight", "completion_mask", "response_mask",
        "assistant_masks", "mask", "masks", "target_mask", "label_mask", "decoder_loss_weights", "loss_weight",
        "token_weights",
    ),
    "lengths": (*ALIASES["lengths"], "tgt_lengths", "tgt_len", "trg_lengths", "target_lens", "valid_len", "valid_lens"),
    "segment_ids": (
        *ALIASES["segment_ids"], "seq_idx", "decoder_segment_ids", "targets_segmentation", "segmentation",
        "inputs_segmentation",
    ),
    "vocabulary": ("vocab", "itos", "id_to_token", "class_names"),
    "pad_id": ALIASES["pad_id"],
    "eos_id": ALIASES["eos_id"],
    "ignore_id": ALIASES["ignore_id"],
    "reported": ALIASES["reported"],
    "title": ALIASES["title"],
}  # fmt: skip
"""The names that fields have elsewhere, the likeliest first."""

_SCALARS = ("pad_id", "eos_id", "ignore_id", "reported")
_SAID = ("logits", "targets", "weights", "lengths", "segment_ids", "reported", "losses", "log_probs")
_OBVIOUS = (
    *LOSSES[:4],
    *LOG_PROBS[:-2],
    "label",
    "labels",
    "lm_logits",
    "logit",
    "lens",
    "loss_weights",
    "shift_labels",
    "target",
    "weight",
)


def read(draft: Draft) -> Draft | None:
    """Call the fields what lossviz calls them."""
    found = _renamings(draft.fields)
    if draft.choices.weights is not None:
        found.pop("weights", None)
        found |= _weights(draft, draft.choices.weights)
    if not found and draft.choices.weights is None:
        return None
    fields = {name: value for name, value in draft.fields.items() if name not in found.values() and name not in found}
    if draft.choices.weights == "none":
        fields.pop("weights", None)
    fields |= {name: _plain(name, draft.fields[key]) for name, key in found.items()}
    read = Draft(fields, draft.choices, {**draft.origin, **found}, draft.assumptions, draft.layouts)
    for name in _SAID:
        if name in found and found[name] not in _OBVIOUS and not (name == "weights" and draft.choices.weights):
            read = _say(read, name, found[name])
    return read


def _say(draft: Draft, name: str, key: str) -> Draft:
    if name == "weights":
        return draft.assuming(f"{key} weighs the loss", "weights", "none")
    if name == "reported":
        return draft.assuming(f"{key} is the printed number", "reported", "NUMBER")
    return draft.assuming(f"{key} holds the {name}", "names", f"{name}=…")


def _renamings(fields: Mapping[str, Any]) -> dict[str, str]:
    """From lossviz's names to the file's own, where they differ."""
    plain = {key.lower().replace("-", "_").replace(" ", "_").rsplit("/")[-1]: key for key in reversed(list(fields))}
    found: dict[str, str] = {}
    has_losses = any(
        alias in plain and _fits(name, fields[plain[alias]])
        for name in ("losses", "log_probs")
        for alias in (name, *KNOWN[name])
    )
    for name, aliases in KNOWN.items():
        if name in fields or (name == "weights" and "lengths" in fields):
            continue
        held = {"logits", "losses", "log_probs"} & ({*fields} | {*found})
        if name in ("logits", "losses", "log_probs") and held:
            continue
        keys = [plain[alias] for alias in aliases if alias in plain]
        if name == "logits" and has_losses:
            keys = [key for key in keys if np.ndim(fields[key]) == 3]
        key = next((key for key in keys if key not in FIELDS and _fits(name, fields[key])), None)
        if key is not None and key not in found.values():
            found[name] = key
    for name in ("logits", "targets"):
        if {"losses", "log_probs"} & ({*fields} | {*found}):
            break
        if name not in fields and name not in found and (key := _by_shape(name, fields, found)):
            found[name] = key
    return found


def _by_shape(name: str, fields: Mapping[str, Any], found: Mapping[str, str]) -> str | None:
    named = {key: name for name, key in found.items()}
    free = {named.get(key, key): value for key, value in fields.items() if isinstance(value, ARRAYS)}
    key = propose(free).get(name)
    return key if key in fields and key not in FIELDS and key != "attention_mask" else None


def _fits(name: str, value: Any) -> bool:
    """Whether a value can be the field at all: one number, texts, or an array."""
    if name in ("vocabulary", "title"):
        return isinstance(value, list | str) or np.asarray(value).dtype.kind in "US"
    if name in _SCALARS:
        return np.size(value) == 1
    if name in ("losses", "log_probs"):
        ranks = (1, 2) if name == "log_probs" else (2,)
        return isinstance(value, ARRAYS) and value.ndim in ranks and value.dtype.kind in "fV"
    return isinstance(value, ARRAYS) and value.ndim > 0 and value.dtype.kind in "biufV"


def _plain(name: str, value: Any) -> Any:
    if name == "reported" and not isinstance(value, str):
        return str(np.asarray(value).reshape(-1)[0])
    return int(np.asarray(value).reshape(-1)[0]) if name in _SCALARS[:3] else value


def _weights(draft: Draft, wanted: str) -> dict[str, str]:
    if wanted == "none":
        return {}
    if wanted not in draft:
        held = ", ".join(name for name, value in draft.fields.items() if isinstance(value, ARRAYS))
        raise InputError(
            f"`weights` names `{wanted}`, but the file holds {held}.{did_you_mean(wanted, list(draft.fields))}"
        )
    return {"weights": wanted} if wanted != "weights" else {}


LAYOUT = Layout("renamed", "Other names", __doc__ or "", "fields with names that lossviz knows", read)

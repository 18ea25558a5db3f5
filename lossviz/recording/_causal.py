"""What a Hugging Face model was called with and gave back, as the arguments of `Recorder.step`.

A causal model compares logits[:, :-1] with labels[:, 1:]; every other one compares them as they are. A fused head gives
`log_probs` [B, T−1], which are 0 where the label is −100: those were never computed, so they are unknown.
"""

import sys
from typing import Any

__all__ = ["forward_arrays"]

_IGNORED = -100


def forward_arrays(model: Any, inputs: dict[str, Any], output: Any) -> dict[str, Any]:
    """The arrays of one forward pass, shifted as the model shifts.

    Args:
        model: the model, whose class says whether it shifts.
        inputs: what it was called with; `labels` among it.
        output: what it returned.
    """
    given, labels = inputs.get("shift_labels"), inputs["labels"]
    given = None if isinstance(given, bool) else given  # a label smoother is told so that it is to shift
    log_probs, logits = getattr(output, "log_probs", None), getattr(output, "logits", None)
    shifts = given is None and (log_probs is not None or _is_causal(model))
    aligned = slice(1, None) if shifts else slice(None)
    read = slice(None, -1) if shifts else slice(None)
    targets = (labels if given is None else given)[:, aligned]
    arrays = {"targets": targets, "details": {"shift": shifts, "ignore_index": _IGNORED, "measured": True}}
    arrays |= _context(_decoded(model, inputs, labels), targets, read, aligned)
    if log_probs is not None:
        return arrays | {"log_probs": log_probs, "known": targets != _IGNORED}
    if logits is not None and getattr(logits, "ndim", 0) == 3 and logits.shape[1] >= targets.shape[1]:
        return arrays | {"logits": logits[:, : targets.shape[1]]}
    arrays["details"]["measured"] = False
    unknown = sys.modules["torch"].zeros(targets.shape)
    return arrays | {"losses": unknown, "known": unknown}


def _decoded(model: Any, inputs: dict[str, Any], labels: Any) -> dict[str, Any]:
    """What the decoder reads, where there is an encoder: the labels moved by one timestep unless it was given."""
    if not getattr(getattr(model, "config", None), "is_encoder_decoder", False):
        return inputs
    ids, moved = inputs.get("decoder_input_ids"), getattr(model, "prepare_decoder_input_ids_from_labels", None)
    if ids is None and moved is not None:
        ids = moved(labels=labels)
    return {"input_ids": ids, "attention_mask": inputs.get("decoder_attention_mask")}


def _context(inputs: dict[str, Any], targets: Any, read: slice, aligned: slice) -> dict[str, Any]:
    """Inputs, attention and packed documents, where they stand beside the targets."""
    found = {}
    ids, mask, positions = (inputs.get(name) for name in ("input_ids", "attention_mask", "position_ids"))
    if ids is not None and ids[:, read].shape == targets.shape:
        found["inputs"] = ids[:, read]
        if mask is not None and mask.ndim == 2 and mask.shape == ids.shape:
            found["attention_mask"] = mask[:, aligned]
        if positions is not None and positions.shape == ids.shape:
            found["segment_ids"] = ((positions == 0).cumsum(-1) - 1)[:, aligned]
    return found


def _is_causal(model: Any) -> bool:
    """Whether a model shifts the labels itself: what transformers calls its loss says so, else its name."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    kind = getattr(base, "loss_type", None) or type(base).__name__
    return "ForCausalLM" in kind or "LMHeadModel" in type(base).__name__

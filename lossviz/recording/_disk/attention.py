"""What a recorded attention mask says of a batch: the pad id, and the padding that the loss counts."""

from typing import Any

import numpy as np

__all__ = ["with_attention"]


def with_attention(fields: dict[str, Any], ignore_id: int | None) -> dict[str, Any]:
    """The fields of a step without `attention_mask`, and with what it alone knows.

    The mask is of the targets and weighs nothing. The one id that the inputs hold where it is 0 is the pad id. Where no
    label is ignored, everything counts, and the lengths say where padding begins: PAD01.

    >>> mask, ids = np.array([[1, 1, 0, 0]]), np.array([[5, 6, 7, 2]])
    >>> found = with_attention({"targets": np.array([[6, 7, 2, 2]]), "inputs": ids, "attention_mask": mask}, -100)
    >>> found["pad_id"], found["lengths"].tolist(), found["weights"].tolist()
    (2, [2], [[1.0, 1.0, 1.0, 1.0]])
    """
    attention = fields.pop("attention_mask", None)
    if attention is None or attention.shape != fields["targets"].shape or (attention != 0).all():
        return fields
    real = attention != 0
    if "inputs" in fields:
        fillers = np.unique(fields["inputs"][:, 1:][~real[:, :-1]])
        fields |= {"pad_id": int(fillers[0])} if fillers.size == 1 else {}
    lengths = real.sum(axis=1)
    ignored = ignore_id is not None and bool((fields["targets"] == ignore_id).any())
    at_start = bool((real == (np.arange(real.shape[1]) < lengths[:, None])).all())
    if not ignored and at_start and not fields.keys() & {"weights", "lengths"}:
        fields |= {"weights": np.ones(real.shape, np.float32), "lengths": lengths}
    return fields

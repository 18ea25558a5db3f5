"""The worked examples: batches small enough to check by hand, and one batch for each kind of wrong content.

Every batch is built from the losses that it shall show: `logits[b, t, target] = -loss`, and the other V - 1 classes
share what is left of the probability equally, so that the logits are log probabilities already.
"""

import json
from typing import Any

import numpy as np

Fields = dict[str, Any]

NAN, INF = float("nan"), float("inf")
LN2 = float(np.log(2))
VOCABULARY = ["<pad>", "<eos>", "the", "cat", "sat"]
TARGETS = [[2, 3, 4, 1], [3, 4, 1, 0]]
LOSSES = [[0.5, 1.0, 2.0, 0.5], [1.0, 1.0, 2.0, 6.0]]  # Σ = 8 over the 7 timesteps that count, and 6 in the padding

GOLDEN_TARGETS = [[2, 3, 4, 5, 1], [3, 0, 4, 1, 0], [4, 1, 0, 0, 0]]
GOLDEN_LOSSES = [[0.7, 1.5, 3.5, 1.0, 0.1], [0.1, 0.9, 0.9, 0.5, 0.1], [4.0, 0.6, 0.2, 0.2, 0.2]]
GOLDEN_WEIGHTS = [[1.0, 1.0, 0.5, 0.5, 1.0], [2.0, 1.0, 1.0, 1.0, 0.0], [1.0, 0.5, 0.0, 0.0, 0.0]]

HOSTILE = [
    "<pad>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](http://example.com)",
    "\u202eright-to-left \u05e9\u05dc\u05d5\u05dd",
    "zero\u200bwidth\u200d\ufeff",
    "$x^2$ **bold** `code`",
    "a" * 10_000,
    "",
    " \t\n",
]


def log_probabilities(losses: list[list[float]], targets: list[list[int]], classes: int) -> list[Any]:
    """Logits [B, T, V] whose cross entropy at `targets` is `losses`, in nats.

    >>> log_probabilities([[np.log(4)]], [[1]], 3)  # the target has 1/4, the others 3/8 each
    [[[-0.9808292530117262, -1.3862943611198906, -0.9808292530117262]]]
    """
    loss = np.array(losses)
    other = np.log(-np.expm1(-loss) / (classes - 1))
    logits = np.repeat(other[..., None], classes, axis=2)
    np.put_along_axis(logits, np.array(targets)[..., None], -loss[..., None], axis=2)
    return list(logits.tolist())


def base(**changes: Any) -> Fields:
    """Two sequences of 4 and 3 timesteps with five classes, correct but for `changes`."""
    fields: Fields = {
        "logits": log_probabilities(LOSSES, TARGETS, len(VOCABULARY)),
        "targets": TARGETS,
        "lengths": [4, 3],
        "vocabulary": VOCABULARY,
        "pad_id": 0,
        "eos_id": 1,
    }
    return {**fields, **changes}


def with_label(label: int) -> Fields:
    """The target of sequence 0, timestep 1 is `label`."""
    return base(targets=[[2, label, 4, 1], TARGETS[1]])


def with_logits(*cells: tuple[int, int, int | slice, float]) -> Fields:
    """Some logits are not numbers: (sequence, timestep, class or classes, value)."""
    logits = np.array(base()["logits"])
    for sequence, timestep, classes, value in cells:
        logits[sequence, timestep, classes] = value
    return base(logits=logits.tolist())


def golden(**changes: Any) -> Fields:
    """Three sequences of 5, 4 and 2 timesteps: Σ = 13.8 over 11 timesteps, 14.5 over all 15."""
    fields: Fields = {
        "logits": log_probabilities(GOLDEN_LOSSES, GOLDEN_TARGETS, 6),
        "targets": GOLDEN_TARGETS,
        "lengths": [5, 4, 2],
        "vocabulary": ["<pad>", "<eos>", "a", "b", "c", "d"],
        "pad_id": 0,
        "eos_id": 1,
    }
    return {**fields, **changes}


def lengths_3_4_2() -> Fields:
    """Three sequences whose losses add up to 3, 6 and 3 over 3, 4 and 2 timesteps."""
    losses = [[1.0, 1.0, 1.0, 4.0], [1.0, 2.0, 1.0, 2.0], [2.0, 1.0, 5.0, 5.0]]
    targets = [[2, 3, 1, 0], [4, 2, 3, 1], [3, 1, 0, 0]]
    return base(logits=log_probabilities(losses, targets, 5), targets=targets, lengths=[3, 4, 2])


def four_classes() -> Fields:
    """One sequence whose logits are 2 ln 2, ln 2, 0 and 0 at every timestep: probabilities 1/2, 1/4, 1/8 and 1/8."""
    row = [2 * LN2, LN2, 0.0, 0.0]
    return {"logits": [[row] * 4], "targets": [[0, 1, 2, 3]], "lengths": [4], "vocabulary": ["a", "b", "c", "d"]}


def padding_mask() -> Fields:
    """Two sequences whose mask is the sign of their targets: losses of 4 over 4 timesteps and 3 over 2."""
    losses = [[0.5, 1.0, 1.5, 1.0, 6.0], [2.0, 1.0, 6.0, 6.0, 6.0]]
    targets = [[2, 3, 4, 1, 0], [3, 1, 0, 0, 0]]
    fields = base(
        logits=log_probabilities(losses, targets, 5), targets=targets, inputs=[[3, 2, 3, 4, 0], [2, 3, 0, 0, 0]]
    )
    return {name: value for name, value in fields.items() if name != "lengths"}


def tokens_hostile() -> Fields:
    """Every token once, each a trap for a page that forgets to escape it."""
    targets = [[1, 2, 3, 4, 5], [6, 7, 8, 9, 0]]
    losses = [[1.0, 2.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 2.0, 6.0]]
    logits = log_probabilities(losses, targets, len(HOSTILE))
    return {"logits": logits, "targets": targets, "lengths": [5, 4], "vocabulary": HOSTILE, "pad_id": 0}


def worked_examples() -> dict[str, Fields]:
    """Every worked example by its sample's name."""
    return {
        "four-classes": four_classes(),
        "golden": golden(),
        "golden-weights": golden(weights=GOLDEN_WEIGHTS),
        "label-2-to-the-32": with_label(2**32),
        "label-minus-1": with_label(-1),
        "label-minus-100": with_label(-100),
        "label-v": with_label(len(VOCABULARY)),
        "length-0": base(lengths=[4, 0]),
        "length-above-t": base(lengths=[9, 3]),
        "length-fractional": base(lengths=[4.0, 2.7]),
        "length-minus-1": base(lengths=[4, -1]),
        "lengths-3-4-2": lengths_3_4_2(),
        "logits-all-nan": base(logits=np.full((2, 4, 5), NAN).tolist()),
        "logits-inf": with_logits((0, 0, 2, INF), (0, 1, 3, -INF), (1, 3, 4, INF)),
        "logits-nan": with_logits((0, 2, 1, NAN), (1, 3, slice(None), NAN)),
        "padding-mask": padding_mask(),
        "tokens-duplicate": base(vocabulary=["<pad>", "<eos>", "the", "cat", "cat"]),
        "tokens-hostile": tokens_hostile(),
        "weights-254-255": base(weights=[[254, 254, 254, 254], [254, 254, 254, 255]]),
        "weights-all-0": base(weights=[[0, 0, 0, 0], [0, 0, 0, 0]]),
        "weights-disagree": base(weights=[[1, 1, 1, 1], [1, 0, 1, 1]]),
        "weights-fractional": base(weights=[[1.0, 0.5, 0.5, 1.0], [2.0, 1.0, 0.25, 0.0]]),
        "weights-negative": base(weights=[[1, 1, -1, 1], [1, 1, 1, 0]]),
    }


def as_text(fields: Fields) -> str:
    """The fields as JSON with one row of numbers a line, so that a diff and a reader can follow it.

    >>> print(as_text({"targets": [[1, 2], [3, 0]], "pad_id": 0}), end="")
    {
      "targets": [
        [1, 2],
        [3, 0]
      ],
      "pad_id": 0
    }
    """
    return "{\n" + ",\n".join(f'  "{name}": {_layout(value, 2)}' for name, value in fields.items()) + "\n}\n"


def _layout(value: Any, indent: int) -> str:
    if not isinstance(value, list) or not isinstance(value[0], list):
        return json.dumps(value)
    inner = " " * (indent + 2)
    rows = f",\n{inner}".join(_layout(row, indent + 2) for row in value)
    return f"[\n{inner}{rows}\n{' ' * indent}]"

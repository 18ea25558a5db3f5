"""Short ways to ask one rule about a batch, and a small language model's batch to ask about."""

import numpy as np

from lossviz import Batch, diagnose
from lossviz.rules import load_rule_sample


def finding(code, batch):
    """What the rule alone finds, or None; a rule that crashed fails the test."""
    diagnosis = diagnose(batch, select=code)
    [outcome] = diagnosis.outcomes
    assert outcome.state != "crashed", outcome.reason
    return diagnosis.finding(code)


def reason(code, batch):
    """Why the rule alone can't tell."""
    [outcome] = diagnose(batch, select=code).outcomes
    assert outcome.state == "skipped", outcome
    return outcome.reason


def silent(code, batch):
    """Whether the rule looked and found nothing."""
    [outcome] = diagnose(batch, select=code).outcomes
    return outcome.state == "passed"


def sample(code, kind="bad"):
    return Batch.from_arrays(**load_rule_sample(code, kind))


def good(**changes):
    """Three sequences of 4, 6 and 5 timesteps, 8 classes, inputs, pad id 0 and EOS 1, correct but for the changes."""
    return Batch.from_arrays(
        **{k: v for k, v in {**load_rule_sample("NUM01", "good"), **changes}.items() if v is not None}
    )


def losses(batch, targets=None):
    """Cross entropy [B, T] in float64, from the definition."""
    x = np.asarray(batch.logits, np.float64)
    y = batch.targets if targets is None else np.asarray(targets)
    top = x.max(axis=-1)
    total = top + np.log(np.exp(x - top[..., None]).sum(axis=-1))
    return total - np.take_along_axis(x, y[..., None], axis=-1)[..., 0]


def places(cells):
    """The cells that are True, as (sequence, timestep)."""
    return [tuple(map(int, place)) for place in np.argwhere(cells)]

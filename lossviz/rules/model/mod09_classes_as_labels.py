"""The loss is binary cross entropy over the classes of a softmax.

## What it checks
Whether the printed number is the mean over sequences, timesteps and classes of −[y log p + (1 − y) log(1 − p)], with p
from a softmax or a sigmoid of each class.

## Why it matters
Each class is judged as if it were a label of its own: with V classes, V − 1 easy answers hide the one that matters. The
number is small from the start, hardly falls, and is not comparable with a cross entropy.

## Example
The golden batch has a categorical cross entropy of 1.2545, and a binary one over its 6 classes of 0.3085.

## How to fix
Use the categorical cross entropy: `CategoricalCrossentropy` or its sparse form in Keras, `cross_entropy` in PyTorch.

## When it is a false alarm
Labels that are not exclusive, several of them true at one timestep, are rightly judged one by one.

## Threads
No thread: rebuilt after reports of taggers in Keras, where `binary_crossentropy` takes one-hot targets
"""

from lossviz.rules._core.printed_number import printed_rule, unmasked

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="MOD09",
    name="classes-as-labels",
    severity="error",
    cells=unmasked,
    requires=("MOD01",),
)
"""One softmax, one cross entropy."""

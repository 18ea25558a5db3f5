"""The eight acts: a bug each, and what is asked before it is shown."""

from dataclasses import dataclass

from lossviz.errors import InputError
from lossviz.theatre._settings import Settings

__all__ = ["ACTS", "Act", "Option", "act_numbered"]


@dataclass(frozen=True)
class Option:
    """An answer to choose.

    Attributes:
        text: as it is chosen.
        feedback: what is said of it afterwards.
        right: whether it is what happens.
    """

    text: str
    feedback: str
    right: bool = False


@dataclass(frozen=True)
class Act:
    """A bug on stage.

    Attributes:
        number: from 1, as in the address.
        title: what the act is called.
        question: what is asked before the runs are shown.
        options: the answers to choose from; one is right.
        lesson: what is to be learned, said after the runs.
        settings: the pairs of runs, in the order in which they are shown; most acts have one.
    """

    number: int
    title: str
    question: str
    options: tuple[Option, ...]
    lesson: str
    settings: tuple[Settings, ...]


ACTS: tuple[Act, ...] = (
    Act(
        1,
        "Stop lost",
        "One program fills rows up with the stop token, and what fills rows up doesn't count. Which program prints the "
        "lower loss, and which model writes better dates?",
        (
            Option("The wrong one prints less and writes worse", "It leaves out what it never learns: to stop.", True),
            Option("The wrong one prints more and writes worse", "It prints less: the stops are not in its sum."),
            Option(
                "Both print the same: one token of eleven", "The stops are missing from its sum, and from its dates."
            ),
        ),
        "What is masked is not learned, and does not show in the number either.",
        (Settings("dates", "stop-is-pad"),),
    ),
    Act(
        2,
        "No mask",
        "One program counts the padding too. Who is harmed: the number, the model, or both?",
        (
            Option(
                "The number", "Padding is easy and pulls the mean down; the characters are learned all the same.", True
            ),
            Option("The model", "It learns to say padding after the end, and little else changes."),
            Option("Both", "The number is. The model learns one thing more, and forgets none."),
        ),
        "Networks learn to ignore padding: nearly true of the model, false of the number.",
        (Settings("characters", "no-mask"),),
    ),
    Act(
        3,
        "Divided by B · T",
        "The padding is masked, but the sum is divided by all timesteps. With Adam, is the model harmed? And with SGD?",
        (
            Option("With SGD only", "The divisor is a learning rate, and Adam rescales every gradient.", True),
            Option("With both", "Adam divides the gradient by its own size: a constant factor cancels."),
            Option("With neither", "With SGD a smaller gradient is a smaller step."),
        ),
        "The divisor is a learning rate. Adam hides it.",
        (Settings("characters", "padding-divides"), Settings("characters", "padding-divides", "sgd")),
    ),
    Act(
        4,
        "Space is the pad id",
        "Rows are filled up with the space, and the pad id doesn't count. What will the model never write?",
        (
            Option("Spaces", "No space was ever a target that counts.", True),
            Option("Stops", "The stop is not the space: it counts as before."),
            Option("Nothing changes", "Every space between two words is masked as well."),
        ),
        "A pad id that is a token takes this token out of the language.",
        (Settings("characters", "space-is-pad"),),
    ),
    Act(
        5,
        "Not shifted",
        "The targets are the tokens that the decoder has just read. The loss falls nearly to 0: celebrate?",
        (
            Option("No: it copies what it reads", "Asked to write by itself, it repeats the start.", True),
            Option(
                "Yes: it has learned all dates", "It has learned to copy. On the next token it is worse than chance."
            ),
            Option("Not yet: it overfits", "It would copy an unseen date as well: the question itself is wrong."),
        ),
        "A loss near 0 is a reason to look at the targets.",
        (Settings("dates", "not-shifted"),),
    ),
    Act(
        6,
        "Mean of means",
        "The rows are sorted by length and cut into eight micro-batches, whose means are averaged. Who pays?",
        (
            Option("The long rows", "A timestep of a short row weighs more than one of a long row.", True),
            Option("The short rows", "Their micro-batch has fewer timesteps, so that each weighs more."),
            Option("Nobody", "The means are of unequally many timesteps."),
        ),
        "A mean of means weighs a timestep by the row that it stands in.",
        (Settings("dates", "mean-of-means"),),
    ),
    Act(
        7,
        "Mask inverted",
        "The mask keeps the padding. What does the program print, and what does the model write?",
        (
            Option("0, and padding", "Padding is all that it is taught, and is learned at once.", True),
            Option("A loss that never falls", "Padding is the easiest of all targets."),
            Option("A usual loss, and wrong dates", "It is never taught a single digit."),
        ),
        "A mask upside down gives the best number of all.",
        (Settings("dates", "mask-inverted"),),
    ),
    Act(
        8,
        "Read at the last column",
        "A classifier reads every text at the batch's last column, padding in most rows. What does it print?",
        (
            Option("0.693", "ln 2: a coin toss. Padding says nothing of the text.", True),
            Option("0", "There is nothing to learn from: every padded row looks alike."),
            Option("As much as the right one", "The last column of most rows holds no word."),
        ),
        "0.693 is ln 2: the loss of a classifier that knows nothing.",
        (Settings("reviews", "last-column"),),
    ),
)
"""The acts, in order."""


def act_numbered(number: int) -> Act:
    """An act by its number, from 1.

    Raises:
        InputError: if there is none.

    >>> act_numbered(1).title
    'Stop lost'
    """
    if not 1 <= number <= len(ACTS):
        raise InputError(f"There are acts 1 to {len(ACTS)}; got {number!r}.")
    return ACTS[number - 1]

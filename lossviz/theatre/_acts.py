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
        "One program fills rows up with the stop token, and what fills rows up doesn't count. Which model writes "
        "better dates, and can you tell from what it prints?",
        (
            Option(
                "The right one, and the number doesn't tell",
                "No stop counts, so none is learned. Each costs 21 to 22 nats, and none of them is in the number: over "
                "five seeds it was 80 to 99 % below the truth.",
                True,
            ),
            Option(
                "The right one: the other prints a higher loss",
                "With four seeds of five it printed a lower one, for the stops are missing from its sum.",
            ),
            Option(
                "Both are as good: it is one token of eleven",
                "A token that is never learned costs more than all others together, and no date comes to an end.",
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
                "The number",
                "Padding is easy and pulls the mean down, by 18 to 19 % over five seeds. The characters are learned "
                "all the same: the model was between 0.01 nats better and 0.02 worse.",
                True,
            ),
            Option("The model", "It learns to say padding after the end, and of the characters it learns as much."),
            Option("Both", "The number is. The model learns one thing more, and forgets none."),
        ),
        "That networks learn to ignore padding is nearly true of the model, and false of the number.",
        (Settings("characters", "no-mask"),),
    ),
    Act(
        3,
        "Divided by B · T",
        "The padding is masked, but the sum is divided by all timesteps. With Adam, is the model harmed? And with SGD?",
        (
            Option(
                "With SGD only",
                "A smaller loss is a smaller step. Over five seeds SGD left the model 0.07 to 0.15 nats worse, Adam "
                "between 0.01 better and 0.02 worse.",
                True,
            ),
            Option("With both", "Adam divides each gradient by its own size, so that a constant factor cancels."),
            Option("With neither", "With SGD a smaller gradient is a smaller step, so that it learns more slowly."),
        ),
        "The divisor is a learning rate. Adam hides it.",
        (Settings("characters", "padding-divides"), Settings("characters", "padding-divides", "sgd")),
    ),
    Act(
        4,
        "Space is the pad id",
        "Rows are filled up with the space, and the pad id doesn't count. What will the model never write?",
        (
            Option(
                "Spaces",
                "No space was ever a target that counts: over five seeds each cost 13 to 15 nats, where the right "
                "program's cost 1.",
                True,
            ),
            Option("Stops", "The stop is not the space: it counts as before, and its sentences end."),
            Option("Nothing is missing", "Every space between two words has the pad id, and is masked as well."),
        ),
        "A pad id that is a token takes this token out of the language.",
        (Settings("characters", "space-is-pad"),),
    ),
    Act(
        5,
        "Not shifted",
        "The targets are the tokens that the decoder has just read. The loss falls below 0.01: celebrate?",
        (
            Option(
                "No: it copies what it reads",
                "The answer is in the input. Asked for the next token it is far worse than chance, which costs 4.74 "
                "nats.",
                True,
            ),
            Option("Yes: it has learned all dates", "It has learned to copy, and writes the same token for ever."),
            Option("Not yet: it overfits", "It copies unseen dates as well: what it is asked is wrong, not how well."),
        ),
        "A loss near 0 is a reason to look at the targets.",
        (Settings("dates", "not-shifted"),),
    ),
    Act(
        6,
        "Mean of means",
        "The rows are sorted by length and cut into eight micro-batches, whose means are averaged: a timestep of a "
        "year weighs about twice as much as one of a day. After 300 steps, who pays?",
        (
            Option(
                "Nobody, as far as five seeds can tell",
                "Against the right run the model was between 0.42 nats better and 0.09 worse: the seed decides more "
                "than the weights.",
                True,
            ),
            Option("The days", "They have less weight. Over five seeds the seed decided more than that."),
            Option("The years", "A timestep of a year weighs more, not less."),
        ),
        "The weights are wrong, and it hardly shows: over five seeds the number was off by −4 to +5 %.",
        (Settings("dates", "mean-of-means"),),
    ),
    Act(
        7,
        "Mask inverted",
        "The mask keeps the padding, and nothing else. What does the program print, and what does the model write?",
        (
            Option("0, and padding", "Padding is all that it is taught, and is learned in a few steps.", True),
            Option("A loss that never falls", "Padding is the easiest of all targets: the loss falls to 0."),
            Option("A usual loss, and wrong dates", "It is never taught a single digit, and padding costs nothing."),
        ),
        "A mask upside down prints the best number of all.",
        (Settings("dates", "mask-inverted"),),
    ),
    Act(
        8,
        "Read at the last column",
        "A classifier reads every text at the batch's last column, padding in most rows. What does it print?",
        (
            Option(
                "0.693", "ln 2, a coin toss: padding says nothing of the text, so half of the reviews are right.", True
            ),
            Option("0", "There is nothing to learn from: the padded rows look alike, praise or blame."),
            Option("As much as the right one", "The last column of most rows holds no word."),
        ),
        "0.693 is ln 2: an honest number of a classifier that knows nothing.",
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

"""Chapter 4: the four switches of `sequence_loss`."""

from functools import partial

import numpy as np

from lossviz.analysis import Analysis
from lossviz.lessons._asks import Choice, Number, Shape, Wrong
from lossviz.lessons._beliefs import flagged, flags, legal_flags
from lossviz.lessons._facts import n, reduced
from lossviz.lessons._step import Chapter, Door, Screen, Step
from lossviz.lessons.programs import flags as programs
from lossviz.reductions import FLAGS

__all__ = ["CHAPTER"]

YES, NO = "Yes", "No"
LABELS = {"mean": "Σ ÷ timesteps that count", "positions": "Keras: mean of weight · loss, over all positions",
          "encoder_decoder": "Σ ÷ batch size", "sequence_means": "Mean of the sequences' own means"}  # fmt: skip
HOW = {"mean": "by the timesteps that count", "positions": "by all positions, padding too",
       "encoder_decoder": "by the number of sequences",
       "sequence_means": "each sequence by its own length, and then by their number"}  # fmt: skip


BOTH_AVERAGES, BOTH_SUMS = flags(True, True, False, False), flags(False, False, True, True)
ROWS, COLUMNS = flags(True, False, False, False), flags(False, True, False, False)
NOTHING = flags(False, False, False, False)


def _label(name: str, _: Analysis) -> str:
    return LABELS[name]


def _match(reduction: str) -> Choice:
    """Which program printed the number of this reduction?"""
    number = reduced(reduction)
    others = [name for name in LABELS if name != reduction]
    return Choice(
        lambda a: f"{n(number(a))} is printed by",
        lambda a: next(LABELS[name] for name in LABELS if np.isclose(reduced(name)(a), number(a))),
        tuple(Wrong(partial(_label, name), f"That divides {HOW[name]}.") for name in others),
        lambda a: (f"13.8 ÷ {n(number(a))} = {n(a.numerator / number(a))}.", f"It divides {HOW[reduction]}."),
    )


CHAPTER = Chapter(
    4,
    "Four switches",
    (
        Step(
            id="4.1",
            title="Two averages",
            body="sequence_loss takes weights instead of a mask. Here they are fractional on purpose, since with 0 and "
            "1 several formulas agree: Σ w · loss = 11.35, Σ w = 10.5, and 11 weights are not 0. Both average flags "
            "are True.",
            screen=Screen("golden-weights", BOTH_AVERAGES, before="losses", flags=True),
            asks=(
                Number(
                    "average_across_timesteps and _batch",
                    reduced("mean"),
                    (
                        Wrong(reduced("counted"), "÷ 11 is counting. An average divides by the weights."),
                        Wrong(reduced("positions"), "÷ 15 counts the padding too."),
                    ),
                    lambda a: (f"The numerator is {n(a.numerator)}.", f"{n(a.numerator)} ÷ {n(a.divisor)} = "
                               f"{n(a.value)}."),
                    "An average of weighted numbers is divided by their weights.",
                ),
            ),
            why="These are the defaults of sequence_loss. Switch the flags: the result becomes a row, a column or a "
            "number.",
            program=programs.BOTH_AVERAGES,
            door=Door("explore", "The same four flags stand in the sidebar."),
            words=("weights", "numerator", "flag"),
        ),
        Step(
            id="4.2",
            title="Two sums",
            body="Now both sum flags are True, and both average flags are False. Σ w · loss = 11.35.",
            screen=Screen("golden-weights", BOTH_SUMS, before="losses", flags=True),
            asks=(
                Number(
                    "sum_over_timesteps and _batch",
                    flagged(BOTH_SUMS),
                    (
                        Wrong(lambda a: float(a.numerator), "Despite its name it divides: by how many weights "
                              "are not 0."),
                        Wrong(reduced("mean"), "That divides by Σ w. A “sum” divides by the count."),
                    ),
                    lambda a: (f"The numerator is {n(a.numerator)}.", f"{n(a.numerator)} ÷ {n(a.divisor)} = "
                               f"{n(a.value)}."),
                    "It isn't a plain sum. How many weights are not 0?",
                ),
            ),
            why="11.35 ÷ 11. The sum that its name promises is nowhere in sequence_loss.",
            program=programs.BOTH_SUMS,
            door=Door("identify", "Paste 1.0318 and see which formulas give it.", "1.0318"),
        ),
        Step(
            id="4.3",
            title="One average: a number per sequence",
            body="Only average_across_timesteps. Row 2 has the losses 4 and 0.6 with the weights 1 and 0.5; the rest "
            "weighs 0.",
            screen=Screen("golden-weights", ROWS, before="losses", flags=True, cell=(2, 0)),
            asks=(
                Number(
                    "The number of row 2",
                    flagged(ROWS, 2),
                    (
                        Wrong(lambda a: float(a.unpadded_loss[2].sum() / a.mask.shape[1]), "÷ T is what the name "
                              "suggests. It divides by the row's weights."),
                        Wrong(lambda a: float(a.unpadded_loss[2].sum() / a.mask[2].sum()), "÷ 2 timesteps is counting: "
                              "that is sum_over_timesteps."),
                    ),
                    lambda a: (f"Σ w · loss of row 2 is {n(a.unpadded_loss[2].sum())}.",
                               f"{n(a.unpadded_loss[2].sum())} ÷ {n(a.weights[2].sum())} = {n(a.value[2])}."),
                    "Weigh the losses of row 2, and divide by its weights.",
                ),
                Shape(
                    "Shape of the result",
                    lambda a: np.shape(a.value),
                    (Wrong(lambda a: (a.mask.shape[1],), "The timesteps are averaged away. One number per sequence is "
                           "left."),),
                    lambda a: ("One number per sequence.", f"{np.shape(a.value)}."),
                    "Which axis is left?",
                ),
            ),
            why="Each sequence is divided by its own weights.",
            program=programs.ROWS,
            door=Door("explore", "The three numbers stand in a table below the headline."),
        ),
        Step(
            id="4.4",
            title="The other average",
            body="Only average_across_batch. In column 2 stand the losses 3.5, 0.9 and 0.2 with the weights 0.5, 1 and "
            "0. The page of TensorFlow 1 says that it divides by the batch size.",
            screen=Screen("golden-weights", COLUMNS, before="losses", flags=True, cell=(0, 2)),
            asks=(
                Number(
                    "The number of column 2",
                    flagged(COLUMNS, 2),
                    (
                        Wrong(lambda a: float(a.unpadded_loss[:, 2].sum() / len(a.mask)), "÷ B is what the old page "
                              "says. The code divides by the column's weights."),
                        Wrong(lambda a: float(a.unpadded_loss[:, 2].sum() / a.mask[:, 2].sum()), "÷ 2 cells is "
                              "counting: that is sum_over_batch."),
                    ),
                    lambda a: (f"Σ w · loss of column 2 is {n(a.unpadded_loss[:, 2].sum())}.",
                               f"{n(a.unpadded_loss[:, 2].sum())} ÷ {n(a.weights[:, 2].sum())} = {n(a.value[2])}."),
                    "Weigh the losses of column 2, and divide by its weights.",
                ),
                Shape(
                    "Shape of the result",
                    lambda a: np.shape(a.value),
                    (Wrong(lambda a: (len(a.mask),), "The sequences are averaged away. One number per timestep is "
                           "left."),),
                    lambda a: ("One number per timestep.", f"{np.shape(a.value)}."),
                    "Which axis is left?",
                ),
            ),
            why="Believe the code, not the page.",
            program=programs.COLUMNS,
            door=Door("explore", "Switch the flags in the sidebar."),
        ),
        Step(
            id="4.5",
            title="No flag at all",
            body="All four flags are False. Cell [0, 2] has the loss 3.5 and the weight 0.5.",
            screen=Screen("golden-weights", NOTHING, before="losses", flags=True, cell=(0, 2)),
            asks=(
                Number(
                    "The number of cell [0, 2]",
                    lambda a: float(a.value[0, 2]),
                    (
                        Wrong(lambda a: float(a.batch_loss[0, 2]), "It is still multiplied by its weight."),
                        Wrong(lambda a: float(a.unpadded_loss[0, 2] / a.weights.sum()), "Nothing is divided."),
                    ),
                    lambda a: ("It is w · loss.", f"{n(a.weights[0, 2])} × {n(a.batch_loss[0, 2])} = "
                               f"{n(a.value[0, 2])}."),
                    "Multiply the loss by its weight.",
                ),
                Shape(
                    "Shape of the result",
                    lambda a: np.shape(a.value),
                    (Wrong(lambda _: (), "Nothing was reduced: every timestep keeps its own number."),),
                    lambda a: ("No axis is reduced.", f"{np.shape(a.value)}."),
                    "No flag touches an axis.",
                ),
            ),
            why="Weight times loss, every cell for itself.",
            program=programs.NOTHING,
            door=Door("explore", "Every cell is a number of its own."),
        ),
        Step(
            id="4.6",
            title="The map of 16",
            body="Four flags have 16 combinations. An axis can't be averaged and summed at once, and averaging one "
            "axis while summing the other is refused too. How many combinations are left?",
            screen=Screen("golden-weights", BOTH_AVERAGES, before="nothing", after="value", flags=True),
            asks=(
                Number(
                    "Combinations with a meaning",
                    legal_flags,
                    (
                        Wrong(lambda _: 2 ** len(FLAGS), "That is all of them. Some flags contradict each other."),
                        Wrong(lambda a: 2 ** len(FLAGS) - legal_flags(a), "That is how many have none."),
                    ),
                    lambda a: ("Averages alone give at, ab and both; sums alone likewise; and there is none at all.",
                               f"3 + 3 + 1 = {legal_flags(a)}."),
                    "List them: averages alone, sums alone, none.",
                    is_loss=False,
                ),
            ),
            why="Tick a wrong pair below: the message says which rule it breaks.",
            program=programs.LEGAL,
            door=Door("explore", "Tick two flags that contradict each other in the sidebar."),
        ),
        Step(
            id="4.7",
            title="When the weights are 0 and 1",
            body="Back to the first batch: its weights are its mask, 0 or 1. Do both averages and both sums give the "
            "same number there?",
            screen=Screen("golden", BOTH_AVERAGES, before="losses", flags=True),
            asks=(
                Choice(
                    "The same number?",
                    lambda a: YES if np.isclose(flagged(BOTH_AVERAGES)(a), flagged(BOTH_SUMS)(a)) else NO,
                    (Wrong(lambda _: NO, "Σ w and the count of weights that are not 0 agree when the weights are 0 or "
                           "1."),),
                    lambda a: ("Add the weights up, then count them.", f"Both are {n(a.divisor)}: {n(a.value)} twice."),
                ),
            ),
            why="That is why nobody notices the difference until weights become fractional.",
            program=programs.SAME,
            door=Door("reductions", "These conventions share a number on this batch."),
        ),
        Step(
            id="4.8",
            title="Four numbers, one batch",
            body="Four programs printed four numbers for the first batch, whose losses sum to 13.8. Give each number "
            "its program.",
            screen=Screen("golden", before="losses"),
            asks=tuple(_match(reduction) for reduction in LABELS),
            why="The numerator is the same in three of them. The divisor makes the number.",
            program=programs.FOUR,
            door=Door("reductions", "All conventions on this batch, grouped by their divisor."),
        ),
    ),
    recall=("2.3", "3.5", "3.7"),
)  # fmt: skip

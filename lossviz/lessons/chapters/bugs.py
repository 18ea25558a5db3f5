"""Chapter 5: when it goes wrong."""

import numpy as np

from lossviz.analysis import Analysis
from lossviz.lessons._asks import Choice, Number, Wrong
from lossviz.lessons._beliefs import cells, finding_codes, mean_over_longer, padding_mean, row_2_in_row_0
from lossviz.lessons._facts import n, reduced, row_means
from lossviz.lessons._step import Chapter, Door, Screen, Step
from lossviz.lessons.programs import bugs as programs
from lossviz.settings import Settings

__all__ = ["CHAPTER"]

INVERTED, EXCELLENT, BITS = "The mask is upside down", "The model is excellent", "The loss is in bits"
SHIFT, GREAT, PAD = "The targets are not shifted", "The model is great", "The padding counts"
MICRO = Settings(reduction="micro_batch_means", accumulation_steps=2)


def _cause(a: Analysis) -> str:
    codes = finding_codes(a)
    return SHIFT if "SHF01" in codes else PAD if "PAD01" in codes else GREAT


CHAPTER = Chapter(
    5,
    "When it goes wrong",
    (
        Step(
            id="5.1",
            title="NaN under the mask",
            body="Three losses: 1, 2 and NaN (not a number). The mask is 1, 1, 0. A loop multiplies them and takes the "
            "sum.",
            screen=Screen("nan in padding", Settings(reduction="language_model"), before="losses"),
            asks=(
                Number(
                    "Sum of loss · mask",
                    lambda a: float((a.batch_loss * a.weights).sum()),
                    (
                        Wrong(reduced("language_model"), "It should be. But NaN × 0 is NaN, and NaN plus anything is "
                              "NaN."),
                        Wrong(lambda _: 0.0, "One NaN doesn't empty the sum: it spoils it."),
                    ),
                    lambda a: (f"{n(a.batch_loss[0, 2])} × {n(a.weights[0, 2])} = "
                               f"{n(a.batch_loss[0, 2] * a.weights[0, 2])}.",
                               f"1 + 2 + NaN = {n((a.batch_loss * a.weights).sum())}."),
                    "What is NaN times 0? If you aren't sure, try it in Python.",
                    is_loss=False,
                ),
            ),
            why="lossviz selects instead of multiplying, so it shows 3. In the doctor's sample NUM01 the right mean is "
            "0.2434.",
            program=programs.NAN,
            door=Door("doctor", "Choose NUM01 in the sidebar: NaN under a mask."),
            words=("NaN",),
        ),
        Step(
            id="5.2",
            title="where is not enough",
            body="The loop learns: where(mask, loss, 0) keeps the NaN out, and the sum is 3. Now it trains. What is "
            "the gradient of that sum at the logits of the padded timestep?",
            screen=Screen("nan in padding", Settings(reduction="language_model"), before="losses", cell=(0, 2)),
            asks=(
                Number(
                    "Gradient at the padding",
                    lambda a: float(a.weights[0, 2] * (a.probability[0, 2] - 1)),
                    (
                        Wrong(lambda _: 0.0, "That is what one wants. Backward still multiplies 0 by NaN."),
                        Wrong(lambda _: 1.0, "where passes 1 on only to what it selects, and 0 to the rest."),
                    ),
                    lambda a: (f"where sends {n(a.weights[0, 2])} back, and the loss multiplies it by its own slope.",
                               f"{n(a.weights[0, 2])} × {n(a.probability[0, 2] - 1)} = "
                               f"{n(a.weights[0, 2] * (a.probability[0, 2] - 1))}."),
                    "The gradient goes back through the loss, NaN and all.",
                    is_loss=False,
                ),
            ),
            why="Select the logits before the loss: then NaN is never computed, and the gradient is 0.",
            program=programs.WHERE,
            door=Door("doctor", "NUM02 finds gradients of this kind."),
            words=("gradient",),
        ),
        Step(
            id="5.3",
            title="One too short",
            body="Somebody subtracts 1 from every length: 4, 3 and 1 instead of 5, 4 and 2. The sum over all that "
            "should count was 13.8.",
            screen=Screen("golden, lengths less one", before="losses"),
            asks=(
                Number(
                    "The mean now",
                    reduced("mean"),
                    (
                        Wrong(mean_over_longer(1), "That is the right mean, over the lengths 5, 4 and 2."),
                        Wrong(mean_over_longer(2), "That is lengths + 1, the other way round."),
                    ),
                    lambda a: (f"{n(a.numerator)} is left of 13.8.", f"{n(a.numerator)} ÷ {n(a.divisor)} = "
                               f"{n(a.value)}."),
                    "Three timesteps went: take their losses off, and 3 off the count.",
                ),
                Choice(
                    "Which timesteps went?",
                    lambda a: cells(a.ends),
                    (
                        Wrong(lambda a: cells(np.zeros(len(a.mask), int)), "Lengths cut at the end."),
                        Wrong(lambda a: cells(np.full(len(a.mask), a.mask.shape[1] - 1)), "Rows 1 and 2 end earlier."),
                    ),
                    lambda a: ("The last timestep of each sequence.", f"{cells(a.ends)}."),
                ),
            ),
            why="Those are the stop tokens. The model will never stop, and the number says nothing.",
            program=programs.SHORTER,
            door=Door("doctor", "PAD05 finds stops that are not supervised."),
        ),
        Step(
            id="5.4",
            title="More padding",
            body="The golden batch again, padded to 10 columns instead of 5. The mask still keeps 13.8, and the loop "
            "divides by all positions.",
            screen=Screen("golden, 10 columns", Settings(reduction="positions"), before="losses"),
            asks=(
                Number(
                    "Σ ÷ positions",
                    reduced("positions"),
                    (
                        Wrong(lambda a: 2 * float(a.value), "That was with 5 columns. B · T has doubled."),
                        Wrong(reduced("mean"), "That one stands still. But it divides by what counts, and this loop "
                              "does not."),
                    ),
                    lambda a: (f"The numerator is {n(a.numerator)}.", f"{n(a.numerator)} ÷ {a.mask.size} = "
                               f"{n(a.value)}."),
                    "How many positions are there now?",
                ),
            ),
            why="Padding fools every mean whose divisor counts it. Dynamic padding then changes the loss from batch to "
            "batch.",
            program=programs.WIDER,
            door=Door("reductions", "The laws of each convention say whether padding fools it."),
        ),
        Step(
            id="5.5",
            title="Micro-batches",
            body="The golden batch is cut into two micro-batches, sequences [0, 1] and [2]: 9 timesteps that sum to "
            "9.2, and 2 that sum to 4.6. Each is divided by its own count, and the two means are averaged.",
            screen=Screen("golden", MICRO, before="losses"),
            asks=(
                Number(
                    "Mean of the two means",
                    lambda a: float(a.value),
                    (
                        Wrong(reduced("mean"), "That is the mean over all 11 timesteps. Here two means are averaged."),
                        Wrong(reduced("sequence_means"), "That averages three means. There are two micro-batches."),
                    ),
                    lambda a: ("9.2 ÷ 9 and 4.6 ÷ 2 are the two means.", f"Half of their sum is {n(a.value)}."),
                    "Take each mean first, then half of the sum.",
                ),
                Number(
                    "A timestep of row 2 weighs, in timesteps of row 0",
                    row_2_in_row_0,
                    (
                        Wrong(lambda a: float(a.mask[0].sum() / a.mask[2].sum()), "Compare micro-batches, not rows: "
                              "1/2 against 1/9, both halved."),
                        Wrong(lambda _: 1.0, "It would if there were one divisor."),
                    ),
                    lambda a: ("One is 1 of 2, the other 1 of 9.", f"9 ÷ 2 = {n(row_2_in_row_0(a))}."),
                    "One of 2 against one of 9.",
                    is_loss=False,
                ),
            ),
            why="Transformers had this bug until 2024. Add up the sums and divide once.",
            program=programs.MICRO_BATCHES,
            door=Door("reductions", "Cut the batch yourself below the table."),
            words=("micro-batch",),
        ),
        Step(
            id="5.6",
            title="Perplexity",
            body="Perplexity is exp of the mean loss in nats: among how many classes the model seems to guess. Three "
            "sequences, 13.8 nats over 11 timesteps.",
            screen=Screen("golden", before="unpadded"),
            asks=(
                Number(
                    "Perplexity",
                    lambda a: float(np.exp(a.value)),
                    (
                        Wrong(lambda a: float(np.exp(row_means(a)).mean()), "That is the mean of three exps, one a "
                              "sequence."),
                        Wrong(lambda a: float(np.exp(a.batch_loss[a.mask]).mean()), "That is the mean of eleven exps, "
                              "one a timestep."),
                    ),
                    lambda a: (f"The mean is {n(a.value)}.", f"exp({n(a.value)}) = {n(np.exp(a.value))}."),
                    "Average first.",
                ),
            ),
            why="exp comes last, and once.",
            program=programs.PERPLEXITY,
            door=Door("explore", "Perplexity stands in the headline, beside the loss."),
            words=("perplexity",),
        ),
        Step(
            id="5.7",
            title="A wonderful number",
            body="From the first step on, a loop prints a very low loss for the golden batch. The model was not "
            "trained.",
            screen=Screen("golden", before="losses"),
            asks=(
                Choice(
                    lambda a: f"It prints {n(padding_mean(a))}: what happened?",
                    lambda a: INVERTED if padding_mean(a) < float(a.value) else EXCELLENT,
                    (
                        Wrong(lambda _: EXCELLENT, "Only padding counts: its four losses are 0.1, 0.2, 0.2 and 0.2."),
                        Wrong(lambda _: BITS, "In bits it would be larger than in nats, not smaller."),
                    ),
                    lambda a: ("Take the mean of the padding.", f"It is {n(padding_mean(a))}."),
                ),
            ),
            why="1 − mask, or a mask that means “is padding”: write down which one a function wants.",
            program=programs.UPSIDE_DOWN,
            door=Door("identify", "Paste 0.175: the app says what happened, and what to write.", "0.175"),
        ),
        Step(
            id="5.8",
            title="Too good to be true",
            body="After 200 steps, another model prints a loss close to 0. Its inputs and its targets are the same "
            "sequences, and it reads all of the inputs.",
            screen=Screen("not shifted", before="losses"),
            asks=(
                Choice(
                    lambda a: f"It prints {n(a.value)}: why?",
                    _cause,
                    (
                        Wrong(lambda _: GREAT, "It copies: at every timestep it has read what it must say."),
                        Wrong(lambda _: PAD, "Padding would cost more than that, and it is masked."),
                    ),
                    lambda _: ("Compare the inputs with the targets.", "They are equal: nothing was shifted."),
                ),
            ),
            why="A causal model must say what it reads one timestep later. Copying is easy, and useless.",
            program=programs.COPIED,
            door=Door("train", "Watch a model learn to copy, with a loss near 0.", act=5),
            words=("shifted",),
        ),
    ),
    recall=("2.6", "3.2", "4.2"),
)  # fmt: skip

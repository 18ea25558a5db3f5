"""Chapter 3: three losses: a sum, one per sequence, one logit."""

import numpy as np

from lossviz.lessons._asks import Choice, Number, Pick, Wrong
from lossviz.lessons._beliefs import answer_alone, praise, read_in_row_0, reads, says
from lossviz.lessons._facts import classes, loss_at, n, reduced, total, uniform
from lossviz.lessons._step import Chapter, Door, Screen, Step
from lossviz.lessons.chapters import functions
from lossviz.lessons.programs import losses as programs
from lossviz.settings import Settings

__all__ = ["CHAPTER"]

SUM, DECODER, READ = (Settings(reduction=name) for name in ("language_model", "encoder_decoder", "classification"))


CHAPTER = Chapter(
    3,
    "Three losses: sum, per sequence, one logit",
    (
        Step(
            id="3.1",
            title="The language model's loss",
            body="The language model of the course multiplies the losses by the mask, and its overall loss is "
            "reduce_sum: a reduction with nothing below the line. Those that count cost 13.8, all of them 14.5.",
            screen=Screen("golden", SUM, before="unpadded"),
            asks=(
                Number(
                    "Overall loss",
                    reduced("language_model"),
                    (
                        Wrong(reduced("mean"), "The chapter divides by nothing."),
                        Wrong(total, "You forgot the mask: 0.7 of this is padding."),
                    ),
                    lambda a: (f"Σ loss · mask = {n(a.numerator)}.", f"Nothing is divided: {n(a.value)}."),
                    "Add up what is left under the mask.",
                ),
            ),
            why="The headline says it: divided by nothing.",
            program=programs.LANGUAGE_MODEL,
            door=Door("explore", "The reduction in the sidebar is the language model's."),
            words=("reduction",),
        ),
        Step(
            id="3.2",
            title="The same batch twice",
            body="The golden batch, 3 sequences, stands here twice: 6 sequences. Every loss is what it was. What do "
            "the sum and the mean become?",
            screen=Screen("golden, twice", SUM, before="losses"),
            asks=(
                Number(
                    "Sum",
                    reduced("language_model"),
                    (Wrong(lambda a: float(a.value) / 2, "That is one copy. A sum grows with the batch."),),
                    lambda a: (f"Each copy adds {n(a.value / 2)}.", f"2 × {n(a.value / 2)} = {n(a.value)}."),
                    "Twice as many losses are added.",
                ),
                Number(
                    "Mean over the timesteps that count",
                    reduced("mean"),
                    (Wrong(lambda a: 2 * float(a.numerator) / a.mask.sum(), "The sum doubled, but so did the "
                                                                            "divisor."),),
                    lambda a: (f"The sum is {n(a.numerator)}.", f"{n(a.numerator)} ÷ {a.mask.sum()} = "
                               f"{n(a.numerator / a.mask.sum())}."),
                    "Divide the new sum by the new count.",
                ),
            ),
            why="So the sums of two batches of different sizes can't be compared, and neither can their learning "
            "rates.",
            program=programs.TWICE,
            door=Door("reductions", "See which reductions grow with the batch."),
        ),
        Step(
            id="3.3",
            title="What a decoder reads and says",
            body="A decoder knows ten digits, ids 0 to 9, a start token (10) and a stop token (11). It should answer 7 "
            "8. In training it reads the right answer, one timestep late.",
            screen=Screen("decoder", DECODER, before="nothing"),
            asks=(
                Choice(
                    "It reads (its inputs)",
                    reads,
                    (
                        Wrong(says, "It would read its own answer at each timestep: the loss goes to 0 and nothing is "
                              "learned."),
                        Wrong(answer_alone, "Then there is nothing to read at timestep 0, before the first digit."),
                    ),
                    lambda a: ("It starts with the start token.", f"Then the answer: {reads(a)}."),
                ),
                Choice(
                    "It must say (its targets)",
                    says,
                    (
                        Wrong(reads, "Those are the inputs. A target is what comes next."),
                        Wrong(answer_alone, "Then it never learns to stop."),
                    ),
                    lambda a: ("The answer, and then the stop token.", f"{says(a)}."),
                ),
                Number(
                    "Its length for sequence_mask",
                    lambda a: float(a.ends[0]),
                    (Wrong(lambda a: float(len(a.batch.targets[0]) - 1), "Then the stop is masked, and never "
                                                                         "taught."),),
                    lambda a: ("The stop token counts.", f"Two digits and the stop: {a.ends[0]}."),
                    "Count what it must say.",
                    is_loss=False,
                ),
            ),
            why="On the half-trained date model, the right targets cost 5.3173 a sequence; the inputs taken for "
            "targets cost 75.0071.",
            program=programs.SHIFT,
            door=Door("explore", "Open the dates: what the decoder read stands below each target."),
            words=("decoder", "inputs", "start token", "stop token"),
        ),
        Step(
            id="3.4",
            title="How wide are the logits?",
            body="The date model knows 113 tokens: digits, the hyphen, month names and so on. The model adds a start "
            "token and a stop token. How many classes do its logits have?",
            screen=Screen("dates-untrained", DECODER, before="nothing"),
            asks=(
                Number(
                    "Classes",
                    lambda a: classes(a),
                    (
                        Wrong(lambda a: classes(a) - 2, "Those are the tokens alone. The model must be able to say "
                              "stop."),
                        Wrong(lambda a: classes(a) - 1, "You added one. The course adds two: start and stop."),
                    ),
                    lambda a: (f"{classes(a) - 2} tokens, a start and a stop.", f"{classes(a) - 2} + 2 = "
                                                                                f"{classes(a)}."),
                    "Add the start and the stop.",
                    is_loss=False,
                ),
            ),
            why="extended_vocab_size is vocab_size + 2. The last two classes are start and stop.",
            program=programs.EXTENDED,
            door=Door("explore", "Select a cell: its classes are listed with their probabilities."),
        ),
        Step(
            id="3.5",
            title="The loss per sequence",
            body="The encoder-decoder divides the sum by the batch size: 13.8 and three sequences.",
            screen=Screen("golden", DECODER, before="unpadded"),
            asks=(
                Number(
                    "per_seq_loss",
                    reduced("encoder_decoder"),
                    (
                        Wrong(reduced("mean"), "That divides by the 11 timesteps. The batch size counts sequences, and "
                              "there are 3."),
                        Wrong(reduced("positions"), "That divides by all 15 positions."),
                    ),
                    lambda a: (f"The sum is {n(a.numerator)}.", f"{n(a.numerator)} ÷ {len(a.batch_loss)} = "
                               f"{n(a.value)}."),
                    "The batch size is the number of rows.",
                ),
            ),
            why="It may exceed ln V without anything being wrong: it is the cost of a whole sequence.",
            program=programs.PER_SEQUENCE,
            door=Door("identify", "Paste 4.6: the app says what it was divided by.", "4.6"),
            words=("per-sequence loss",),
        ),
        Step(
            id="3.6",
            title="What will it print?",
            body="The date model before training, 115 classes. Eight targets of 11, 11, 11, 11, 11, 8, 8 and 5 "
            "timesteps; the rest is padding. Predict the per-sequence loss.",
            screen=Screen("dates-untrained", DECODER, before="mask"),
            asks=(
                Number(
                    "per_seq_loss, untrained",
                    lambda a: float(a.mask.sum() / len(a.mask)) * uniform(a),
                    (
                        Wrong(uniform, "That is what one timestep costs. A sequence has 9.5 of them on average."),
                        Wrong(lambda a: a.mask.shape[1] * uniform(a), "That is 11 × ln 115: you counted padding."),
                    ),
                    lambda a: (f"{a.mask.sum()} timesteps count, {n(a.mask.sum() / len(a.mask))} a sequence.",
                               f"{n(a.mask.sum() / len(a.mask))} × ln {classes(a)} = "
                               f"{n(a.mask.sum() / len(a.mask) * uniform(a))}."),
                    "A timestep costs ln 115. How many count, per sequence?",
                    also=lambda a: float(a.value),
                ),
            ),
            why="A loss of 45 is no bug here. Half-trained, the same model prints 5.3173.",
            program=programs.UNTRAINED,
            door=Door("explore", "Choose the half-trained dates in the sidebar."),
        ),
        Step(
            id="3.7",
            title="One logit",
            body="A classifier reads a whole review and gives one logit. σ, the sigmoid, makes it the probability of "
            "praise. This review has the logit 2 and the label 0: a complaint.",
            screen=Screen("one logit", READ, before="nothing", after="cell", cell=(0, 0),
                          variants=(("Three reviews", Screen("three reviews", READ)),)),
            asks=(
                Number(
                    "Its loss",
                    loss_at(0, 0),
                    (
                        Wrong(lambda a: -np.log(praise(a)), "That is the loss for label 1."),
                        Wrong(praise, "That is σ(2), the probability of praise. "
                              "The loss is −ln of the probability of the label."),
                    ),
                    lambda a: (f"The probability of a complaint is 1 − σ(2) = {n(a.probability[0, 0])}.",
                               f"−ln {n(a.probability[0, 0])} = {n(a.batch_loss[0, 0])}."),
                    "What is the probability of a complaint?",
                    is_loss=False,
                ),
            ),
            why="Three reviews with logits 2, −1 and 0.5 and labels 1, 1 and 0 cost 0.1269 + 1.3133 + 0.9741 = 2.4143: "
            "the course sums them.",
            program=programs.SIGMOID,
            door=Door("explore", "Edit the logit and watch the loss."),
            words=("classifier", "label", "sigmoid"),
        ),
        Step(
            id="3.8",
            title="Which timestep is read?",
            body="Eight reviews, padded to 15 words. The LSTM has an output at every word; the classifier reads one of "
            "them. Each cell shows what reading it would cost. Row 0 has four words. Select the cell that is read.",
            screen=Screen("reviews-trained", READ, before="losses"),
            asks=(
                Pick(
                    "The cell of row 0 that is read",
                    read_in_row_0,
                    (
                        Wrong(lambda a: (0, a.mask.shape[1] - 1), "That is padding: the outputs there are 0, so only "
                              "the bias speaks."),
                        Wrong(lambda a: (0, int(a.real_timesteps[0].sum())), "That is one past the end: the last word "
                              "has index length − 1."),
                    ),
                    lambda _: ("The last word of a review of length 4.", "Its index is 4 − 1: cell [0, 3]."),
                    "The course reads the last word. Its index is the length minus 1.",
                ),
            ),
            why="The sum is 10.1513. Read at T − 1 it would be 4.1604: lower, and meaningless. And there the backward "
            "half has read one word only, the forward half all four.",
            program=programs.GATHER,
            door=Door("explore", "Select the cell: it says what each half of the LSTM has seen there."),
        ),
        *functions.STEPS,
    ),
    recall=("1.4", "2.1", "2.3"),
)  # fmt: skip

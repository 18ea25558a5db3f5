"""Chapter 2: the padding mask."""

from lossviz.analysis import Analysis
from lossviz.lessons._asks import Choice, Number, Shape, Wrong
from lossviz.lessons._beliefs import sign_sums, whole_losses
from lossviz.lessons._facts import loss_at, n, reduced, total
from lossviz.lessons._step import Chapter, Door, Screen, Step
from lossviz.lessons.programs import padding as programs
from lossviz.settings import Settings

__all__ = ["CHAPTER"]

HIGHER, LOWER, SAME = "Higher", "Lower", "The same"
SUM, POSITIONS = Settings(reduction="language_model"), Settings(reduction="positions")
UNMASKED = Settings(mask="none")


def _unmasked_is(a: Analysis) -> str:
    masked, unmasked = float(a.value), float(a.with_settings(UNMASKED).value)
    return HIGHER if unmasked > masked else LOWER if unmasked < masked else SAME


CHAPTER = Chapter(
    2,
    "The padding mask",
    (
        Step(
            id="2.1",
            title="What the mask keeps",
            body="Sequences of a batch have one width, so short ones are filled up with padding: target 0, the pad id. "
            "The mask is sign(targets): 1 at a word, 0 at padding. The picture shows the losses before any mask.",
            screen=Screen("padding-mask", SUM),
            asks=(
                Number(
                    "Sum of the losses that the mask keeps",
                    reduced("language_model"),
                    (
                        Wrong(total, "You added all ten timesteps. The mask keeps six of them."),
                        Wrong(lambda a: total(a) - float(a.numerator), "That is the padding: your mask is upside "
                              "down."),
                    ),
                    lambda a: (f"Row 0 keeps {n(a.unpadded_loss[0].sum())}, row 1 keeps {n(a.unpadded_loss[1].sum())}.",
                               f"Together {n(a.numerator)}."),
                    "Look at the targets: where is one 0? Leave those timesteps out.",
                ),
            ),
            why="Padding is grey from here on. A padded timestep isn't one that costs 0: it is one that doesn't count.",
            program=programs.KEPT,
            door=Door("explore", "Choose “No mask” in the sidebar and watch the number."),
            words=("padding", "pad id", "mask"),
        ),
        Step(
            id="2.2",
            title="A masked timestep has a loss",
            body="Here is the same batch after the mask. Its ten timesteps cost 31 in all and 7 of it is left; the "
            "four padded ones cost the same each. Timestep [0, 4] says pad. What did the model lose there?",
            screen=Screen("padding-mask", SUM, before="unpadded", cell=(0, 4)),
            asks=(
                Number(
                    "Loss made at [0, 4]",
                    loss_at(0, 4),
                    (
                        Wrong(lambda a: float(a.unpadded_loss[0, 4]), "That is what is left of it. The mask made it 0; "
                              "the model did not predict it well."),
                        Wrong(loss_at(0, 3), "That is the timestep before it, the last one that counts."),
                    ),
                    lambda a: (f"The padding costs {n(total(a))} − {n(a.numerator)} = {n(total(a) - a.numerator)}.",
                               f"A quarter of it is {n(a.batch_loss[0, 4])}."),
                    "Take what is left from the whole, and share it among the padded timesteps.",
                    is_loss=False,
                ),
            ),
            why="Nobody trained the padding, so it is the loudest thing in the batch. The mask is what keeps it out.",
            program=programs.MADE,
            door=Door("explore", "Select [0, 4] in the upper heatmap, then in the lower one: it is one cell."),
        ),
        Step(
            id="2.3",
            title="The mean of what?",
            body="A loop multiplies the losses by the mask and then calls reduce_mean on the product. Two sequences, "
            "five timesteps, six of them words, and 7 nats left.",
            screen=Screen("padding-mask", POSITIONS, before="unpadded",
                          variants=(("÷ what counts", Screen("padding-mask")),
                                    ("No mask", Screen("padding-mask", UNMASKED)))),
            asks=(
                Number(
                    "reduce_mean(loss · mask)",
                    reduced("positions"),
                    (
                        Wrong(reduced("mean"), "That divides by the 6 that count. reduce_mean sees ten numbers and "
                              "divides by 10."),
                        Wrong(reduced("mean", mask="none"), "That is the mean without any mask."),
                    ),
                    lambda a: (f"The sum is {n(a.numerator)}.", f"{n(a.numerator)} ÷ {a.batch_loss.size} = "
                               f"{n(a.value)}."),
                    "The sum is 7. How many numbers does reduce_mean see?",
                ),
            ),
            why="The zeros of the mask are still in the divisor. Keras does the same with sample_weight.",
            program=programs.REDUCE_MEAN,
            door=Door("reductions", "See which libraries divide by all positions."),
            words=("divisor",),
        ),
        Step(
            id="2.4",
            title="The width of sequence_mask",
            body="Another way to a mask: from the lengths. sequence_mask([3, 4, 2]) gives a row of True and False for "
            "each length. These logits are 6 timesteps wide.",
            screen=Screen("lengths-3-4-2, 6 columns", before="targets", after="mask"),
            asks=(
                Shape(
                    "Shape of sequence_mask([3, 4, 2])",
                    lambda a: (len(a.ends), int(a.ends.max())),
                    (
                        Wrong(lambda a: a.batch_loss.shape, "It doesn't know the logits: its default width is the "
                              "largest length. Pass maxlen."),
                        Wrong(lambda a: (int(a.ends.max()), len(a.ends)), "Rows are sequences, and "
                              "time runs to the right."),
                    ),
                    lambda a: (f"One row for each of the {len(a.ends)} lengths.",
                               f"The largest length is {a.ends.max()}: ({len(a.ends)}, "
                               f"{a.ends.max()})."),
                    "How many rows, and how wide is the longest one?",
                ),
            ),
            why="1110, 1111, 1100: as integers or booleans. Six columns wide it is only with maxlen=6; otherwise the "
            "product with the losses fails, or broadcasts.",
            program=programs.SEQUENCE_MASK,
            door=Door("explore", "Edit a length under “Sequences and their lengths”."),
            words=("lengths",),
        ),
        Step(
            id="2.5",
            title="A mask of a mask",
            body="The padding mask of the first batch is [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]. Somebody passes that to "
            "sequence_mask, which expects lengths.",
            screen=Screen("padding-mask", before="nothing", after="mask"),
            asks=(
                Shape(
                    "Shape of the result",
                    lambda a: (*a.mask.shape, int(a.mask.max())),
                    (
                        Wrong(lambda a: a.mask.shape, "Each 0 and each 1 was read as a length, so each became a row of "
                              "its own."),
                        Wrong(lambda _: "error", "It runs, and says nothing."),
                    ),
                    lambda a: (f"{a.mask.size} lengths were read, in shape {a.mask.shape}.",
                               f"The largest is {int(a.mask.max())}, so one axis of width {int(a.mask.max())} is "
                               "added: "
                               f"{(*a.mask.shape, int(a.mask.max()))}."),
                    "Each entry is read as a length. How wide is the longest?",
                ),
            ),
            why="The right argument is the row sums of the mask, [4, 2].",
            program=programs.MASK_OF_MASK,
            door=Door("doctor", "PAD14 says when two masks have odd shapes."),
        ),
        Step(
            id="2.6",
            title="A boolean mask",
            body="In TensorFlow 2.21, float losses times a boolean tensor runs. reduce_sum then refuses the booleans "
            "that come out, so somebody casts them to float32 first. Under this mask the losses sum to 13.8.",
            screen=Screen("golden", SUM),
            asks=(
                Number(
                    "Sum of cast(loss * boolean mask)",
                    lambda a: float(whole_losses(a)),
                    (
                        Wrong(reduced("language_model"), "That needs the cast before the product: mask to float32, "
                              "then multiply."),
                        Wrong(lambda a: float(a.mask.sum()), "It isn't the mask's count either: the losses were cut to "
                              "whole numbers first, and most became 0."),
                    ),
                    lambda a: ("Both sides become integers: 0.7 becomes 0, 1.5 becomes 1.",
                               f"{whole_losses(a)} losses that count are at "
                               "least 1, and each becomes True."),
                    "Cut every loss to a whole number. How many are not 0?",
                    is_loss=False,
                ),
            ),
            why="So the cast to float32 in every chapter of the course has a reason. PyTorch multiplies floats by "
            "booleans as one would expect.",
            program=programs.BOOLEAN,
            door=Door("explore", "Count the losses of at least 1 that are left."),
        ),
        Step(
            id="2.7",
            title="When 0 is a word",
            body="In row 1, the target of [1, 1] is 0, and it is a word: the lengths 5, 4 and 2 say so. The mean over "
            "them is 13.8 ÷ 11. What is the mean with the mask sign(targets)?",
            screen=Screen("golden", Settings(mask="nonpad"), before="losses", cell=(1, 1)),
            asks=(
                Number(
                    "Mean with sign(targets)",
                    lambda a: float(a.value),
                    (
                        Wrong(reduced("mean", mask="lengths"), "That is the mean over the lengths. Under "
                                                               "sign(targets), "
                              "row 1 lost a word."),
                        Wrong(sign_sums, "That reads the row sums of the sign as lengths: the word is "
                              "back, and the stop after it is gone."),
                    ),
                    lambda a: (f"Without [1, 1], {n(a.numerator)} is left over {n(a.divisor)} timesteps.",
                               f"{n(a.numerator)} ÷ {n(a.divisor)} = {n(a.value)}."),
                    "Take the loss of [1, 1] off the sum, and 1 off the count.",
                ),
            ),
            why="Whoever builds the mask from the targets must keep the pad id free of words.",
            program=programs.SIGN,
            door=Door("doctor", "PAD04 finds a pad id that is a word."),
        ),
        Step(
            id="2.8",
            title="Higher or lower?",
            body="A trained language model, its mask from lengths: 1.9858 nats a timestep. Somebody forgets the mask. "
            "Is the number higher or lower then?",
            screen=Screen("language-model-trained", before="targets",
                          variants=(("No mask", Screen("language-model-trained", UNMASKED)),
                                    ("Golden batch, no mask", Screen("golden", UNMASKED)))),
            asks=(
                Choice(
                    "Without the mask it is",
                    _unmasked_is,
                    (
                        Wrong(lambda _: LOWER, "It would be if the model had been trained to say padding. This one was "
                              "not."),
                        Wrong(lambda _: SAME, "It would be if padding cost as much as the rest."),
                    ),
                    lambda a: ("Nobody trained the padding: it costs more than a character.",
                               f"{n(a.with_settings(UNMASKED).value)} instead of {n(a.value)}."),
                ),
            ),
            why="2.8889: padding costs 4.97 a timestep here. In the golden batch it costs little, and the number falls "
            "to 0.9667. Both directions exist.",
            program=programs.FORGOTTEN,
            door=Door("identify", "Paste 2.8889: the app names the missing mask.", "2.8889"),
        ),
    ),
    recall=("1.3", "1.5", "1.6"),
)  # fmt: skip

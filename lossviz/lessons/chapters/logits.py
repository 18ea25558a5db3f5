"""Chapter 1: from outputs to logits to a loss."""

import numpy as np

from lossviz.lessons._asks import Choice, Number, Pick, Wrong
from lossviz.lessons._facts import cell_working, classes, loss_at, n, uniform
from lossviz.lessons._step import Chapter, Door, Screen, Step
from lossviz.lessons.programs import logits as programs

__all__ = ["CHAPTER"]

SPARSE = "sparse_softmax_cross_entropy_with_logits(targets, logits)"
DENSE = "softmax_cross_entropy_with_logits(targets, logits)"
SWAPPED = "sparse_softmax_cross_entropy_with_logits(logits, targets)"
LOOK = "Look at cell [0, 0]: its four logits are all that the loss needs."

CHAPTER = Chapter(
    1,
    "From outputs to logits to a loss",
    (
        Step(
            id="1.1",
            title="How many numbers",
            body="A model read a batch of 3 sequences, 5 timesteps each. At every timestep its last layer turns the "
            "output into logits: one score for each of 6 classes. The loss compares those scores with the target, the "
            "class that should have come out.",
            screen=Screen("golden", before="targets", cell=(0, 0)),
            asks=(
                Number(
                    "Logits in the batch",
                    lambda a: a.scores.size,
                    (
                        Wrong(lambda a: a.batch_loss.size, "That would be one score per timestep, for one class only. "
                              "The last layer scores all the classes."),
                        Wrong(lambda a: a.classes, "That is one timestep. There are 15 of them."),
                    ),
                    lambda a: (f"{a.batch_loss.size} timesteps have {classes(a)} scores each.",
                               f"{a.batch_loss.size} × {classes(a)} = {a.scores.size}."),
                    "Look at one cell: it has a score for every class. Then count the cells.",
                    is_loss=False,
                ),
                Number(
                    "Losses in the batch",
                    lambda a: a.batch_loss.size,
                    (
                        Wrong(lambda a: a.scores.size, "The loss doesn't keep one number for each class: it keeps one "
                              "for each timestep, that of the target."),
                        Wrong(lambda a: len(a.batch_loss), "That is one per sequence. Nothing has been added up yet."),
                    ),
                    lambda a: (f"There are {len(a.batch_loss)} rows of {a.batch_loss.shape[1]} cells.",
                               f"One loss a cell: {a.batch_loss.size}."),
                    "Count the cells of the picture.",
                    is_loss=False,
                ),
            ),
            why="The class axis is gone: 90 scores went in, 15 losses came out. Select a cell to see its 6 logits.",
            program=programs.COUNTS,
            door=Door("explore", "Select any cell and edit one of its logits."),
            words=("sequence", "timestep", "batch", "class", "logits", "target", "loss"),
        ),
        Step(
            id="1.2",
            title="Which op fits",
            body="The targets are class ids: shape [3, 5]. The logits have one axis more: shape [3, 5, 6]. TensorFlow "
            "has two cross entropies. Which call fits these arrays?",
            screen=Screen("golden", before="targets"),
            asks=(
                Choice(
                    "The call",
                    lambda a: SPARSE if a.batch.targets.ndim < a.batch.logits.ndim else DENSE,
                    (
                        Wrong(lambda _: DENSE, "It wants one number for every class, 90 in all (one-hot). You have 15 "
                              "ids."),
                        Wrong(lambda _: SWAPPED, "The ids come first. Swapped, TensorFlow says that the ids must "
                              "have one axis less than the logits."),
                    ),
                    lambda _: ("Compare the axes: targets have two, logits have three.",
                               "The sparse op takes ids, and takes them first."),
                ),
            ),
            why="Sparse means: an id instead of a row of zeros with a single 1. PyTorch's cross_entropy takes ids too, "
            "but wants the class axis second.",
            program=programs.WHICH_OP,
            door=Door("doctor", "The doctor examines the shapes of any batch."),
            words=("one-hot",),
        ),
        Step(
            id="1.3",
            title="The loss of knowing nothing",
            body="An untrained language model chooses among 99 characters and prefers none: each has the probability "
            "1/99. The loss is −ln of the probability of the target, counted in nats. What does a typical timestep "
            "cost?",
            screen=Screen("language-model-untrained", before="targets"),
            asks=(
                Number(
                    "Loss of a typical timestep",
                    uniform,
                    (
                        Wrong(lambda a: 1 / a.classes, "That is the probability. The loss is −ln of it."),
                        Wrong(lambda a: float(np.log2(a.classes)), "That is to base 2, in bits. This page counts "
                              "in nats."),
                    ),
                    lambda a: (f"The probability is 1 ÷ {classes(a)}.", f"−ln(1 ÷ {classes(a)}) = ln {classes(a)} = "
                               f"{n(uniform(a))}."),
                    "Take −ln of the probability.",
                    also=lambda a: float(a.value),
                ),
            ),
            why="One flat colour: ln V everywhere, a character or not. The scale of every heatmap has a tick there.",
            program=programs.UNIFORM,
            door=Door("explore", "Compare it with the trained one: choose that sample."),
            words=("probability", "nats"),
        ),
        Step(
            id="1.4",
            title="One timestep, worked out",
            body="Four classes. At each timestep the logits are 2 ln 2, ln 2, 0 and 0. The softmax turns them into "
            "probabilities. Beside this, timestep 1 is worked out: its target is class 1. Work out timestep 0, whose "
            "target is class 0.",
            screen=Screen("four-classes", before="cell", after="cell", example=(0, 1), cell=(0, 0)),
            asks=(
                Number(
                    "Loss of timestep 0",
                    loss_at(0, 0),
                    (
                        Wrong(lambda a: float(a.probability[0, 0]), "That is the probability of the target. The loss "
                              "is −ln of it."),
                        Wrong(lambda a: float(a.batch.logits[0, 0, 0]), "That is the target's logit. First subtract it "
                              "from log Σ exp, which is ln 8."),
                    ),
                    cell_working(0, 0),
                    LOOK,
                    is_loss=False,
                ),
            ),
            why="z − max, exp, Σ, −log: the same four lines for every cell of every batch.",
            program=programs.ONE_CELL,
            door=Door("explore", "Select the other timesteps of this batch: their losses are ln 4 and ln 8."),
            words=("softmax",),
        ),
        Step(
            id="1.5",
            title="Add 10 to every logit",
            body="Take the same timestep and add 10 to all four of its logits.",
            screen=Screen(
                "four-classes, 10 added", before="logits", after="cell", cell=(0, 0),
                variants=(("As it was", Screen("four-classes", after="cell", cell=(0, 0))),
                          ("Doubled", Screen("four-classes, doubled", after="cell", cell=(0, 0)))),
            ),
            asks=(
                Number(
                    "The new loss",
                    loss_at(0, 0),
                    (
                        Wrong(lambda a: float(a.batch_loss[0, 0] + a.batch.logits[0, 0].min()), "You added 10 to the "
                              "loss. It is added to every class alike, so the softmax cancels it."),
                        Wrong(lambda _: 0.0, "The model would be surer only if the gaps between the logits grew. They "
                              "are what they were."),
                    ),
                    cell_working(0, 0),
                    "Take the largest logit off first: what is left of the 10?",
                    is_loss=False,
                ),
            ),
            why="Only differences matter. Double the logits instead, and the gaps do grow: the loss falls to 0.3185.",
            program=programs.SHIFTED,
            door=Door("explore", "Edit the logits of a cell yourself; every edit can be undone."),
        ),
        Step(
            id="1.6",
            title="Softmax twice",
            body="Somebody's model ends in a softmax, and the loss function applies another one. So the four "
            "probabilities 1/2, 1/4, 1/8 and 1/8 are read as logits.",
            screen=Screen("four-classes, softmax first", before="logits", after="cell", cell=(0, 0)),
            asks=(
                Number(
                    "The loss that it prints at timestep 0",
                    loss_at(0, 0),
                    (
                        Wrong(lambda a: float(-np.log(a.batch.logits[0, 0, 0])), "That is the right loss. But 0.5, "
                              "0.25 and 0.125 read as scores are close together, so the second softmax is nearly "
                              "flat."),
                        Wrong(lambda a: float(a.batch.logits[0, 0, 0]), "That is the probability of the target."),
                    ),
                    cell_working(0, 0),
                    LOOK,
                    is_loss=False,
                ),
            ),
            why="Such a loop runs and learns a little. With four classes it never prints less than 0.7437, however "
            "good the model is.",
            program=programs.SOFTMAX_TWICE,
            door=Door("doctor", "The doctor calls it MOD01: choose its bad sample in the sidebar."),
        ),
        Step(
            id="1.7",
            title="Loud is not yet wrong",
            body="These are the losses of the first batch again. At which timestep is the model's first choice another "
            "class than the target? There are two; select one of them.",
            screen=Screen("golden", before="losses"),
            asks=(
                Pick(
                    "A timestep whose first choice is wrong",
                    lambda a: a.mask & (a.rank > 1),
                    (
                        Wrong(lambda _: (0, 1), "It costs a lot, but 0.2231 is still the largest of six "
                                                "probabilities."),
                        Wrong(lambda _: (2, 1), "Its target has the probability 0.5488, a majority."),
                    ),
                    lambda a: ("The two loudest timesteps are the wrong ones.",
                               "They are " + " and ".join(f"[{b}, {t}]" for b, t in np.argwhere(a.mask & (a.rank > 1)))
                               + "."),
                    "Its first choice is right. Look for a louder one.",
                ),
            ),
            why="A loss below ln 2 = 0.6931 means a majority, so the choice is right. Above it, the target may still "
            "be the first choice.",
            program=programs.FIRST_CHOICE,
            door=Door("explore", "Choose the quantity rank in the sidebar."),
        ),
    ),
)  # fmt: skip

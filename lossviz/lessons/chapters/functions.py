"""The end of chapter 3: `calculate_loss` of the three models, with blanks."""

from lossviz.analysis import Analysis
from lossviz.lessons._asks import Fill
from lossviz.lessons._facts import n
from lossviz.lessons._step import Door, Screen, Step
from lossviz.lessons.blanks import FUNCTIONS
from lossviz.lessons.programs import functions as programs
from lossviz.settings import Settings

__all__ = ["STEPS"]


def _fill(name: str) -> Fill:
    function = FUNCTIONS[name]
    return Fill("The lines", function, lambda a: _working(name, a))


def _working(name: str, a: Analysis) -> tuple[str, ...]:
    return f"It prints {n(a.value)} with the right lines.", f"They are those of the course's {name.replace('_', ' ')}."


STEPS: tuple[Step, ...] = (
    Step(
        id="3.9",
        title="Write the language model's loss",
        body="Pick the four lines of calculate_loss. Check runs them in TensorFlow on the golden batch; with the right "
        "lines it prints 13.8. A wrong line runs too, or TensorFlow says why it does not.",
        screen=Screen("golden", Settings(reduction="language_model"), before="nothing"),
        asks=(_fill("language_model"),),
        why="Dense layer, sparse cross entropy, mask in float32, sum.",
        program=programs.LANGUAGE_MODEL,
        door=Door("explore", "The same numbers, cell by cell."),
    ),
    Step(
        id="3.10",
        title="Write the encoder-decoder's loss",
        body="Pick the three lines. With the right ones it prints 4.6 on the golden batch, in which the id 0 is a word "
        "once.",
        screen=Screen("golden", Settings(reduction="encoder_decoder"), before="nothing"),
        asks=(_fill("encoder_decoder"),),
        why="Mask from lengths, the final tokens as targets, the sum divided by the number of sequences.",
        program=programs.ENCODER_DECODER,
        door=Door("explore", "Switch the reduction in the sidebar and compare."),
    ),
    Step(
        id="3.11",
        title="Write the classifier's loss",
        body="Three reviews of 4, 2 and 3 words have the logits 2, −1 and 0.5 at their last words and the labels 1, 1 "
        "and 0. Pick the four lines; the right ones print 2.4143.",
        screen=Screen("padded reviews", Settings(reduction="classification"), before="nothing"),
        asks=(_fill("classification"),),
        why="Read at length − 1, labels as floats, one sigmoid, sum.",
        program=programs.CLASSIFIER,
        door=Door("explore", "See which cell of each row is read."),
    ),
)

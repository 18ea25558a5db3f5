"""The words of the lessons: what each means, and how it may be written; a step introduces some of them."""

import re
from dataclasses import dataclass

__all__ = ["WORDS", "Word", "words_in"]


@dataclass(frozen=True)
class Word:
    """A word of the field.

    Attributes:
        name: as steps introduce it; `meaning`: in a line.
        forms: other ways in which a text writes it, as a regular expression.
    """

    name: str
    meaning: str
    forms: str = ""

    @property
    def pattern(self) -> str:
        """Every way in which it is written, in the singular and the plural."""
        plural = rf"{re.escape(self.name)}(?:s|es)?"
        return rf"\b(?:{plural}{'|' + self.forms if self.forms else ''})\b"


WORDS: tuple[Word, ...] = (
    Word("sequence", "one row of the batch"),
    Word("timestep", "one place of a sequence: a column, and also one cell [b, t]"),
    Word("batch", "the sequences that are trained on together, B of them, T timesteps wide", "batches"),
    Word("class", "one of the V things that a timestep may predict", "classes"),
    Word("logits", "the model's scores, one for each class, before the softmax", "logit"),
    Word("target", "the class that should have come out"),
    Word("loss", "what a timestep costs: the less probable its target, the more", "losses"),
    Word("one-hot", "a row of zeros with a single 1, at the target"),
    Word("probability", "between 0 and 1; those of all classes add up to 1", "probabilities"),
    Word("nats", "the unit of −ln p; 1 nat is 1.4427 bits", "nat"),
    Word("softmax", "turns logits into probabilities: exp(z), divided by the sum of all exp(z)"),
    Word("padding", "the timesteps that fill a short sequence up", "padded|pads|pad"),
    Word("pad id", "the id that fills them"),
    Word("mask", "1 or True where a timestep counts, else 0", "masked|masks|unmasked"),
    Word("divisor", "what the sum is divided by"),
    Word("lengths", "how many timesteps of each sequence are real"),
    Word("reduction", "how the losses become one number"),
    Word("decoder", "the half of a model that writes the answer", "encoder-decoder"),
    Word("inputs", "what the model reads"),
    Word("start token", "what a decoder reads before it has written anything", "start tokens"),
    Word("stop token", "what it writes at the end", "stop tokens"),
    Word("per-sequence loss", "the sum divided by the number of sequences"),
    Word("classifier", "a model with one answer for a whole sequence"),
    Word("label", "its target: 0 or 1"),
    Word("sigmoid", "turns one logit into a probability: 1 ÷ (1 + exp(−z))", "σ"),
    Word("weights", "what each loss is multiplied by; a mask is weights of 0 and 1", "weight"),
    Word("numerator", "what is divided: the sum of weight × loss"),
    Word("flag", "an argument that is True or False"),
    Word("NaN", "“not a number”: what 0 ÷ 0 gives, and every sum with it"),
    Word("gradient", "how much the number changes with a logit: what training follows"),
    Word("micro-batch", "a part of a batch; large batches are trained on in parts", "micro-batches"),
    Word("perplexity", "exp of the mean loss in nats", "perplexities"),
    Word("shifted", "moved by one timestep, so that a model predicts what comes next", "shift"),
)
"""In the order in which the lessons introduce them."""


def words_in(text: str) -> set[str]:
    """The words of the field that a text uses.

    >>> sorted(words_in("Two batches, padded."))
    ['batch', 'padding']
    """
    return {word.name for word in WORDS if re.search(word.pattern, text)}

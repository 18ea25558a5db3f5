"""The glossary: one word per thing, in the code, on the screen, in the files. docs/glossary.md is made from it."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["GLOSSARY", "glossary_table"]

GLOSSARY: Mapping[str, str] = MappingProxyType(
    {
        "batch": "the sequences that were trained on together, padded to one length",
        "B, T, V": "sequences in the batch, timesteps of a sequence, classes",
        "sequence": "one row b of the batch",
        "timestep": "one column t; also one cell [b, t]",
        "logits": "[B, T, V] the model's scores before the softmax",
        "targets": "[B, T] the class that each timestep should have predicted",
        "inputs": "[B, T] what the model read",
        "input vocabulary": "the tokens of the inputs, where they are not the classes: a classifier reads words",
        "lengths": "[B] how many timesteps of each sequence are real",
        "weights": "[B, T] what each loss is multiplied by",
        "mask": "where the weight is not 0: the timestep counts",
        "counts": "a timestep counts where its weight is not 0: its loss goes into the number",
        "padding": "the timesteps that do not count",
        "pad id": "the id that rows are padded with",
        "ignore id": "a target that says: this timestep does not count (−100 in PyTorch)",
        "loss": "what a timestep costs: −ln of the probability that the model gave to its target",
        "nats": "the unit of −ln p: a probability of one half costs 0.6931 nats; 1 nat is 1.4427 bits",
        "batch loss": "[B, T] cross entropy of every timestep before any mask, in nats",
        "unpadded loss": "[B, T] weight × batch loss; exactly 0 where the weight is 0",
        "reduction": "how the unpadded loss becomes one number",
        "numerator, divisor": "the number is numerator ÷ divisor",
        "coefficient": "what a loss is multiplied by on its way into the number: number = Σ coefficient · batch loss",
        "mean of means": "the mean of each group's own mean: a timestep of a small group weighs more than others",
        "micro-batch": "the sequences of one step of gradient accumulation",
        "share": "the part of the number that comes from one timestep",
        "probability": "of the target, under the softmax of the logits",
        "perplexity": "exp(loss)",
        "entropy": "of the whole distribution, in nats; ln V where every class is alike",
        "rank": "1 where the target has the largest logit",
        "prediction": "the class with the largest logit",
        "gradient norm": "‖∂number/∂logits[b, t]‖₂",
        "non-finite": "how many logits of a timestep are NaN or ±inf",
        "invalid": "a target or a length that makes no sense: if the timestep counts, the number is NaN",
        "problem": "one thing that is wrong with the content, in a sentence, with its timesteps",
        "source": "the batch as it came, before edits",
        "rule": "one bug that a batch can show: a code (PAD05), a name, a check; its page is in docs/rules.md",
        "finding": "what a rule found: a sentence, its timesteps, what to write instead, the number after the fix",
        "outcome": "what became of a rule: found, passed, skipped (and why) or crashed",
        "severity": "error: trains or reports something wrong; warning: probably does; info: worth knowing, a note",
    }
)
"""Every word with its meaning; what other meanings use comes first."""


def glossary_table() -> str:
    """The glossary as a table in Markdown.

    >>> glossary_table().splitlines()[2]
    '| batch | the sequences that were trained on together, padded to one length |'
    """
    rows = [f"| {word} | {meaning} |" for word, meaning in GLOSSARY.items()]
    return "\n".join(["| word | meaning |", "|---|---|", *rows])

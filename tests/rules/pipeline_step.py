"""What is trained, and what one step of its training holds."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tests.rules.pipeline_corpora import Array, Random, corpus


class Ids(NamedTuple):
    """Where a tokenizer puts its special ids: `first` is that of the commonest word."""

    pad: int
    eos: int | None
    bos: int | None
    first: int
    classes: int


def tokenizers(words: int) -> dict[str, Ids]:
    return {
        "pad first": Ids(0, 1, 2, 3, words + 3),
        "fairseq": Ids(1, 2, 0, 3, words + 3),
        "gpt2": Ids(words, words, words, 0, words + 1),
        "added": Ids(words + 2, words + 1, words, 0, words + 3),
        "keras": Ids(0, None, None, 1, words + 1),
    }


@dataclass(frozen=True)
class Task:
    """What is trained: a kind of examples, a corpus, a tokenizer, the side that is padded, how wide."""

    kind: str
    corpus: int
    tokenizer: str
    side: str = "right"
    wide: str = "longest"
    longest: int = 48

    @property
    def ids(self) -> Ids:
        return tokenizers(corpus(self.corpus).words)[self.tokenizer]

    @property
    def shifts(self) -> bool:
        return self.kind not in ("masked words", "tags")


@dataclass
class Step:
    """What one training step holds: each stage of the loop fills in more."""

    task: Task
    random: Random
    tokens: Array = None  # [B, T + 1]
    real: Array = None  # [B, T + 1]: no padding
    wanted: Array = None  # [B, T + 1]: what the task trains
    segments: Array = None
    inputs: Array = None
    targets: Array = None
    mask: Array = None  # [B, T], as the loss is given it
    truth: Array = None  # [B, T], as it should be
    lengths: Array = None
    logits: Array = None
    right: Array = None  # the logits before a bug
    printed: float | None = None
    recorded: dict = field(default_factory=dict)
    """Fields that are recorded whatever is drawn; None: never."""
    mask_as: str | None = None
    same: tuple[str, ...] = ()
    """Other codes of which nothing tells the bug apart."""

    @property
    def pad(self) -> int:
        return self.task.ids.pad

    def losses(self, logits: Array | None = None, targets: Array | None = None) -> Array:
        """[B, T] in float64; 0 at labels that are no class."""
        scores = np.asarray(self.logits if logits is None else logits, np.float64)
        targets = self.targets if targets is None else targets
        known = (targets >= 0) & (targets < scores.shape[2])
        top = scores.max(axis=-1)
        chosen = np.take_along_axis(scores, np.where(known, targets, 0)[..., None], 2)[..., 0]
        with np.errstate(all="ignore"):
            return np.where(known, top + np.log(np.exp(scores - top[..., None]).sum(axis=-1)) - chosen, 0)

"""The stage of the classifier: short reviews, praise or blame."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossviz.models import ClassificationModel, pad_rows, set_seed
from lossviz.models.trained import load_trained
from lossviz.theatre._corpora import corpus
from lossviz.theatre._recording import Scene, Written
from lossviz.theatre._stage import SHOWN, Actor, Stage, compiled, grouped, share

__all__ = ["Reviews"]

PROMPTS = (0, 1, 2)
SHORT = 12


class Reviews(Stage):
    """16 units in each direction, the backward half read at timestep 0, where it has read all."""

    rows = 32

    def __init__(self) -> None:
        known = load_trained("reviews")
        self._config = known.get_config() | {"backward_at": "first"}
        rows = {split: corpus("reviews", split) for split in ("train", "test")}
        tokens = {split: known.tokenizer.ids([text for _, text in rows[split]]) for split in rows}
        width = max(len(ids) for split in tokens.values() for ids in split)
        self.arrays, self.held_out = (_arrays(rows[split], tokens[split], width) for split in rows)
        ids, labels, lengths = self.held_out
        praise, short = labels[:, 0] == 1, lengths <= SHORT
        self._groups = {"all": praise | ~praise, "praise": praise, "blame": ~praise}
        self._groups |= {f"up to {SHORT}": short, "longer": ~short}
        read = self._read("right")
        groups, self.parts = grouped({name: read & rows[:, None] for name, rows in self._groups.items()})
        self.scene = Scene(
            targets=np.repeat(labels[:SHOWN].astype(np.int64), width, axis=1),
            inputs=ids[:SHOWN],
            lengths=lengths[:SHOWN],
            vocabulary=None,
            input_vocabulary=tuple(known.tokenizer.vocabulary),
            pad_id=None,
            eos_id=None,
            groups=groups,
            prompts=tuple(rows["test"][row][1] for row in PROMPTS),
            at_most=1,
        )

    def model(self, seed: int) -> ClassificationModel:
        """A new classifier."""
        set_seed(seed)
        model: ClassificationModel = ClassificationModel.from_config(self._config)
        return model

    def actor(self, model: Any, bug: str) -> Actor:
        """One timestep a text counts: where the program reads it, for that is a part of the model."""
        read, labels = self._read(bug), self.held_out[1]
        everywhere = compiled(lambda ids: model.logits_everywhere(model.run_lstm(ids)[0]), self.held_out[0])

        def losses() -> np.ndarray:  # ln(1 + exp(-z)) for praise, ln(1 + exp(z)) for blame
            return np.asarray(np.logaddexp(0.0, np.where(labels == 1, -1.0, 1.0) * everywhere()[..., 0]))

        def chances() -> np.ndarray:
            return np.asarray(1 / (1 + np.exp(-everywhere()[..., 0][read].astype(np.float64))))

        def written() -> tuple[Written, ...]:
            found = chances()[: len(PROMPTS)]
            return tuple(Written(f"{'praise' if p > 0.5 else 'blame'}, {max(p, 1 - p):.0%}", True) for p in found)

        parts = tuple(read & rows[:, None] for rows in self._groups.values())
        return Actor(losses, parts, written, lambda: {"right": share(list((chances() > 0.5) == (labels[:, 0] == 1)))})

    def _read(self, bug: str) -> np.ndarray:
        ids, _, lengths = self.held_out
        at = lengths - 1 if bug == "right" else np.full_like(lengths, ids.shape[1] - 1)
        where: np.ndarray = np.arange(ids.shape[1]) == at[:, None]
        return where


def _arrays(rows: Sequence[Sequence[str]], tokens: Sequence[Sequence[int]], width: int) -> tuple[np.ndarray, ...]:
    labels = np.array([[label == "praise"] for label, _ in rows], np.float32)
    return pad_rows(tokens, width), labels, np.array([len(ids) for ids in tokens], np.int64)

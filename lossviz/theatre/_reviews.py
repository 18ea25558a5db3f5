"""The stage of the classifier: short reviews, praise or blame."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.models import ClassificationModel, pad_rows, set_seed
from lossviz.models.trained import load_trained
from lossviz.theatre._corpora import corpus
from lossviz.theatre._recording import Scene, Written, read_where
from lossviz.theatre._settings import RIGHT
from lossviz.theatre._stage import SHOWN, Actor, Program, Replay, Stage, compiled, grouped, share

__all__ = ["Reviews"]

PROMPTS = (0, 1, 2)
SHORT = 12


class Reviews(Stage):
    """16 units in each direction, as shipped; the programs read them."""

    rows = 32

    def __init__(self) -> None:
        known = load_trained("reviews")
        self._config = known.get_config()
        rows = {split: corpus("reviews", split) for split in ("train", "test")}
        tokens = {split: known.tokenizer.ids([text for _, text in rows[split]]) for split in rows}
        width = max(len(ids) for split in tokens.values() for ids in split)
        self.arrays, self.held_out = (_arrays(rows[split], tokens[split], width) for split in rows)
        ids, labels, lengths = self.held_out
        praise, short = labels[:, 0] == 1, lengths <= SHORT
        self.members = {"all": praise | ~praise, "praise": praise, "blame": ~praise}
        self.members |= {f"up to {SHORT}": short, "longer": ~short}
        groups, self.parts = grouped({name: self.read(RIGHT) & rows[:, None] for name, rows in self.members.items()})
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

    def actor(self, model: Any, bug: str, program: Program) -> Actor:
        """One timestep a text counts: where the program reads it, for that is a part of the model."""
        return _Judge(self, model, bug, program)

    def read(self, bug: str) -> np.ndarray:
        """Where a program reads each held-out text, [N, T] bool."""
        ids, _, lengths = self.held_out
        return read_where(lengths, ids.shape[1], bug)


class _Judge(Actor):
    """A classifier in training."""

    def __init__(self, stage: Reviews, model: Any, bug: str, program: Program) -> None:
        def everywhere(ids: Any) -> Any:
            forward, backward = model.run_lstm(ids)[0]
            if bug == RIGHT:  # the backward half has read the text at timestep 0
                backward = tf.broadcast_to(backward[:, :1], tf.shape(backward))
            return model.logits_layer(tf.concat([forward, backward], axis=-1))

        scores = compiled(everywhere, stage.held_out[0])
        read = stage.read(bug)
        super().__init__(stage, scores, program, tuple(read & rows[:, None] for rows in stage.members.values()))
        self._read, self._labels = read, stage.held_out[1]

    def losses(self, scores: np.ndarray) -> np.ndarray:
        """ln(1 + exp(-z)) for praise, ln(1 + exp(z)) for blame."""
        away = np.where(self._labels == 1, -1.0, 1.0) * scores[..., 0]
        return np.asarray(np.logaddexp(0.0, away))

    def replay(self, scores: np.ndarray) -> Any:
        return Replay(scores)

    def written(self, scores: np.ndarray) -> tuple[Written, ...]:
        said = self._chances(scores)[: len(PROMPTS)]
        return tuple(Written(f"{'praise' if p > 0.5 else 'blame'}, {max(p, 1 - p):.0%}", True) for p in said)

    def facts(self) -> dict[str, float]:
        right = (self._chances(self.scores()) > 0.5) == (self._labels[:, 0] == 1)
        return {"right": share(right.tolist())}

    def _chances(self, scores: np.ndarray) -> np.ndarray:
        """How probable praise is, [N]."""
        return np.asarray(1 / (1 + np.exp(-scores[..., 0][self._read].astype(np.float64))))


def _arrays(rows: Sequence[Sequence[str]], tokens: Sequence[Sequence[int]], width: int) -> tuple[np.ndarray, ...]:
    labels = np.array([[label == "praise"] for label, _ in rows], np.float32)
    return pad_rows(tokens, width), labels, np.array([len(ids) for ids in tokens], np.int64)

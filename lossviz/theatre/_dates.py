"""The stage of the encoder-decoder: 4,000 written-out dates, as ISO 8601 writes them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossviz.masking import length_mask
from lossviz.models import Seq2SeqModel, as_text, pad_rows, set_seed
from lossviz.models.trained import load_trained
from lossviz.models.writing import greedy_writer
from lossviz.theatre._corpora import corpus
from lossviz.theatre._recording import Scene, Written
from lossviz.theatre._stage import SHOWN, Actor, Program, Replay, Stage, compiled, grouped, losses_of, share

__all__ = ["Dates"]

PROMPTS = (0, 6, 7)  # of the fixed batch: a day, a month, a year
AT_MOST = 24
COUNTED = 100  # dates that the end is counted on


class Dates(Stage):
    """The encoder-decoder of the shipped size, untrained."""

    rows = 64

    def __init__(self) -> None:
        self._known: Seq2SeqModel = load_trained("dates")
        train, test = (corpus("dates", split) for split in ("train", "test"))
        width = max(map(len, self._ids([target for _, target in [*train, *test]]))) + 1
        self.arrays, self.held_out = (self._arrays(pairs, width) for pairs in (train, test))
        self.pairs = test
        _, inputs, targets, lengths = self.held_out
        within, words = length_mask(lengths, width), np.array(self._known.vocabulary)
        groups, self.parts = grouped(
            {
                "all": within,
                "stop": targets == self._known.stop_id,
                "hyphen": words[targets] == "-",
                "digit": within & (targets != self._known.stop_id) & (words[targets] != "-"),
                "days": within & (lengths == 11)[:, None],
                "months": within & (lengths == 8)[:, None],
                "years": within & (lengths == 5)[:, None],
            }
        )
        self.scene = Scene(
            targets=targets[:SHOWN],
            inputs=inputs[:SHOWN],
            lengths=lengths[:SHOWN],
            vocabulary=tuple(self._known.vocabulary),
            input_vocabulary=None,
            pad_id=0,
            eos_id=self._known.stop_id,
            groups=groups,
            prompts=tuple(test[row][0] for row in PROMPTS),
            at_most=AT_MOST,
        )

    def model(self, seed: int) -> Seq2SeqModel:
        """One bidirectional layer of 48 units, one of 96 with attention."""
        set_seed(seed)
        model: Seq2SeqModel = Seq2SeqModel.from_config(self._known.get_config())
        return model

    def actor(self, model: Any, bug: str, program: Program) -> Actor:  # noqa: ARG002 - the classifier asks for it
        """Teacher forcing for the losses; for the texts greedy decoding, from which nothing is left out."""
        return _Writer(self, model, program)

    def source(self, row: int) -> list[int]:
        """The ids of a held-out date as it is written out."""
        return self._ids([self.pairs[row][0]])[0]

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        tokenizer: Any = self._known.tokenizer
        ids: list[list[int]] = tokenizer.ids(texts)
        return ids

    def _arrays(self, pairs: Sequence[Sequence[str]], width: int) -> tuple[np.ndarray, ...]:
        tuples = [self._known.make_training_tuple(ids) for ids in self._ids([target for _, target in pairs])]
        return (
            pad_rows(self._ids([source for source, _ in pairs])),
            pad_rows([read for read, _ in tuples], width),
            pad_rows([said for _, said in tuples], width),
            np.array([len(said) for _, said in tuples], np.int64),
        )


class _Writer(Actor):
    """An encoder-decoder in training."""

    def __init__(self, stage: Dates, model: Seq2SeqModel, program: Program) -> None:
        super().__init__(stage, compiled(model, *stage.held_out[:2]), program, stage.parts)
        self._stage, self._write, self._model = stage, greedy_writer(model), model

    def losses(self, scores: np.ndarray) -> np.ndarray:
        return losses_of(scores, self._stage.held_out[2])

    def replay(self, scores: np.ndarray) -> Any:
        return Replay(scores, self._model.stop_id)

    def written(self, scores: np.ndarray) -> tuple[Written, ...]:  # noqa: ARG002 - writes by itself
        return tuple(self._written(PROMPTS))

    def facts(self) -> dict[str, float]:
        rows = range(SHOWN, SHOWN + COUNTED)
        texts = self._written(rows)
        exact = [one.text == f"{self._stage.pairs[row][1]} <stop>" for one, row in zip(texts, rows, strict=True)]
        return {"stopped": share([one.stopped for one in texts]), "exact": share(exact)}

    def _written(self, rows: Sequence[int]) -> list[Written]:
        said, words = self._write([self._stage.source(row) for row in rows], AT_MOST), self._model.vocabulary
        return [Written(as_text([words[token] for token in ids]), ids[-1] == self._model.stop_id) for ids in said]

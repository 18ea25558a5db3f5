"""The stage of the language model: sentences of Alice in Wonderland, character by character."""

from typing import Any

import numpy as np

from lossviz.masking import length_mask
from lossviz.models import LanguageModel, pad_rows, set_seed
from lossviz.models.writing import sampling_writer
from lossviz.theatre._corpora import corpus
from lossviz.theatre._recording import Scene, Written
from lossviz.theatre._stage import SHOWN, Actor, Program, Replay, Stage, compiled, grouped, losses_of, share

__all__ = ["Characters"]

WIDTH, UNITS, LAYERS = 64, 64, 1
TOKENS = [chr(code) for code in range(ord(" "), ord("~") + 1)]
FIRST, START, STOP = 4, 2, 3
SHORT = 32
AT_MOST = 100
DRAWS, COUNTED = 3, 200


class Characters(Stage):
    """One layer of 64 units, rows of 64 timesteps."""

    rows = 16

    def __init__(self) -> None:
        self.arrays, self.held_out = (
            _arrays([text for [text] in corpus("characters", part)]) for part in ("train", "test")
        )
        inputs, targets, lengths = self.held_out
        within = length_mask(lengths, WIDTH)
        stop, space = within & (targets == STOP), within & (targets == FIRST)
        groups, self.parts = grouped(
            {
                "all": within,
                "stop": stop,
                "space": space,
                "other": within & ~stop & ~space,
                f"up to {SHORT}": within & (lengths <= SHORT)[:, None],
                "longer": within & (lengths > SHORT)[:, None],
            }
        )
        width = int(lengths[:SHOWN].max())
        self.scene = Scene(
            targets=targets[:SHOWN, :width],
            inputs=inputs[:SHOWN, :width],
            lengths=lengths[:SHOWN],
            vocabulary=("<pad>", "<unk>", "<bos>", "<eos>", *(token.replace(" ", "␣") for token in TOKENS)),
            input_vocabulary=None,
            pad_id=0,
            eos_id=STOP,
            groups=groups,
            prompts=tuple(f"draw {number}" for number in range(1, DRAWS + 1)),
            at_most=AT_MOST,
        )

    def model(self, seed: int) -> LanguageModel:
        """99 classes: the 95 printable characters of ASCII, padding, unknown, start and stop."""
        set_seed(seed)
        return LanguageModel(len(TOKENS) + FIRST, WIDTH, UNITS, LAYERS, tokens=TOKENS, split="characters")

    def actor(self, model: Any, bug: str, program: Program) -> Actor:  # noqa: ARG002 - the classifier asks for it
        """For the texts draws at temperature 1, from the same uniform numbers for every model."""
        return _Writer(self, model, program)


class _Writer(Actor):
    """A language model in training."""

    def __init__(self, stage: Characters, model: LanguageModel, program: Program) -> None:
        super().__init__(stage, compiled(model, stage.held_out[0]), program, stage.parts)
        self._write = sampling_writer(model)
        self._uniforms = np.random.default_rng(AT_MOST).random((COUNTED, AT_MOST))

    def losses(self, scores: np.ndarray) -> np.ndarray:
        return losses_of(scores, self.stage.held_out[1])

    def replay(self, scores: np.ndarray) -> Any:
        return Replay(scores)

    def written(self, scores: np.ndarray) -> tuple[Written, ...]:  # noqa: ARG002 - writes by itself
        return tuple(self._written(DRAWS))

    def facts(self) -> dict[str, float]:
        return {"stopped": share([one.stopped for one in self._written(COUNTED)])}

    def _written(self, count: int) -> list[Written]:
        words = ["<pad>", "<unk>", "<start>", "<stop>", *TOKENS]
        said = self._write(self._uniforms[:count])
        return [Written("".join(words[token] for token in ids), ids[-1] == STOP) for ids in said]


def _arrays(texts: list[str]) -> tuple[np.ndarray, ...]:
    rows = [[FIRST + TOKENS.index(character) for character in text] for text in texts]
    return (
        pad_rows([[START, *row] for row in rows], WIDTH),
        pad_rows([[*row, STOP] for row in rows], WIDTH),
        np.array([len(row) + 1 for row in rows], np.int64),
    )

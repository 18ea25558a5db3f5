"""Two runs side by side, frame by frame, and what is to be said of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.batch import Batch
from lossviz.errors import InputError
from lossviz.masking import length_mask
from lossviz.theatre._settings import RIGHT, Settings
from lossviz.theatre._verdict import Verdict

__all__ = ["SIDES", "Frame", "Group", "Recording", "Run", "Scene", "Written", "read_where"]

SIDES = ("right", "wrong")
LAST = 20  # printed numbers that `Run.printed` averages


@dataclass(frozen=True)
class Group:
    """A part of the held-out text whose loss is shown by itself.

    Attributes:
        name: "all", or what its timesteps have in common, such as "stop" or "years".
        count: how many timesteps (for reviews, texts) it has.
    """

    name: str
    count: int


@dataclass(frozen=True, eq=False)
class Scene:
    """What both runs are shown on: a fixed batch that neither was trained on, groups of held-out text, prompts.

    Attributes:
        targets: [B, T] int64, what each timestep should say; for reviews the label, repeated.
        inputs: [B, T] int64, what the model reads.
        lengths: [B] int64.
        vocabulary: the words of the classes, or None for reviews.
        input_vocabulary: the words of the inputs, where they are others.
        pad_id: the id that fills rows up, or None; `eos_id` is the stop token's.
        groups: the parts of the held-out text; the first is all of it.
        prompts: what the texts of a frame answer: dates, reviews, or the numbers of draws.
        at_most: after how many tokens a text is cut.
    """

    targets: np.ndarray
    inputs: np.ndarray
    lengths: np.ndarray
    vocabulary: tuple[str, ...] | None
    input_vocabulary: tuple[str, ...] | None
    pad_id: int | None
    eos_id: int | None
    groups: tuple[Group, ...]
    prompts: tuple[str, ...]
    at_most: int

    def batch(self, losses: np.ndarray, title: str | None = None, reported: str | None = None) -> Batch:
        """The fixed batch with the losses [B, T] of a frame, as every page of the app opens it."""
        given: dict[str, Any] = {"losses": losses}
        if self.vocabulary is None:  # one logit z: its loss is ln(1 + exp(∓z)), which can be solved for z
            sign = np.where(self.targets == 1, -1.0, 1.0)
            with np.errstate(over="ignore", divide="ignore"):
                given = {"logits": (sign * _inverse_softplus(losses))[..., None].astype(np.float32)}
        return Batch.from_arrays(
            **given,
            targets=self.targets,
            inputs=self.inputs,
            lengths=self.lengths,
            vocabulary=self.vocabulary,
            input_vocabulary=self.input_vocabulary,
            pad_id=self.pad_id,
            eos_id=self.eos_id,
            title=title,
            reported=reported,
        )


@dataclass(frozen=True)
class Written:
    """What a model wrote.

    Attributes:
        text: its tokens, `<pad>`, `<start>` and the stop too, wherever it said them.
        stopped: whether it came to an end by itself.

    >>> print(Written("2030-11-01-01", stopped=False))
    2030-11-01-01 … cut: it never said stop
    """

    text: str
    stopped: bool

    def __str__(self) -> str:
        return self.text if self.stopped else f"{self.text} … cut: it never said stop"


@dataclass(frozen=True, eq=False)
class Frame:
    """One run after some step.

    Attributes:
        step: how many steps are done.
        losses: [B, T] float32, what each timestep of the fixed batch costs in nats, padding too.
        prints: what the run's program prints for the fixed batch.
        told: what it prints for all of the held-out text.
        true: [G] float64, the true mean loss of each group of the held-out text in nats.
        texts: what the model writes for each prompt.
    """

    step: int
    losses: np.ndarray
    prints: float
    told: float
    true: np.ndarray
    texts: tuple[Written, ...]


@dataclass(frozen=True, eq=False)
class Run:
    """One of the two runs, as far as it has come.

    Attributes:
        settings: of the pair.
        bug: "right", or the bug.
        scene: what it is shown on.
        steps: [F] int64, after how many steps each frame is.
        losses: [F, B, T] float32.
        prints: [F] float64, what the program prints for the fixed batch.
        told: [F] float64, what it prints for all of the held-out text.
        reported: [N] float64, the number that the program printed at each step.
        true: [F, G] float64.
        texts: F times one for each prompt.
        facts: figures that only the end has, by name, such as "stopped", a share of 100 texts.
        versions: of the libraries that computed it.
    """

    settings: Settings
    bug: str
    scene: Scene
    steps: np.ndarray
    losses: np.ndarray
    prints: np.ndarray
    told: np.ndarray
    reported: np.ndarray
    true: np.ndarray
    texts: tuple[tuple[Written, ...], ...]
    facts: dict[str, float]
    versions: dict[str, str]

    def __len__(self) -> int:
        return len(self.steps)

    def frame(self, index: int) -> Frame:
        """A frame by its place, -1 for the last."""
        numbers = float(self.prints[index]), float(self.told[index])
        return Frame(int(self.steps[index]), self.losses[index], *numbers, self.true[index], self.texts[index])

    def printed(self, step: int | None = None) -> float:
        """The mean of the last 20 numbers that were printed in training, up to a step; NaN before the first."""
        shown = self.reported[:step][-LAST:]
        return float(np.mean(shown)) if len(shown) else float("nan")

    def batch(self, index: int) -> Batch:
        """The fixed batch after a frame's step, with the number that the program prints for it."""
        title = f"{self.settings.model}, {self.bug}, step {int(self.steps[index])}"
        return self.scene.batch(self.losses[index], title, reported=f"{self.prints[index]:.4f}")


@dataclass(frozen=True, eq=False)
class Recording:
    """The right run and the wrong one: same weights, rows, order and optimizer, one changed line.

    Raises:
        InputError: if the two are not a pair.
    """

    right: Run
    wrong: Run

    def __post_init__(self) -> None:
        same = all(
            np.array_equal(getattr(self.right.scene, name), getattr(self.wrong.scene, name))
            for name in ("targets", "inputs", "lengths")
        )
        if self.right.bug != RIGHT or not same or not np.array_equal(self.right.steps, self.wrong.steps):
            raise InputError("The two runs must show the same batch after the same steps, the first without a bug.")

    @property
    def settings(self) -> Settings:
        """What both were made from."""
        return self.wrong.settings

    @property
    def steps(self) -> tuple[int, ...]:
        """After how many steps each frame is."""
        return tuple(int(step) for step in self.right.steps)

    @property
    def finished(self) -> bool:
        """Whether the last frame is there."""
        return len(self.right) > 0 and self.steps[-1] == self.settings.steps

    def side(self, name: str) -> Run:
        """The run of a side, "right" or "wrong"."""
        return self.right if name == RIGHT else self.wrong

    @property
    def highest(self) -> float:
        """The largest loss that counts in any frame of both, in nats: the end of the one scale."""
        counts = length_mask(self.right.scene.lengths, self.right.losses.shape[2])
        return float(max(np.max(run.losses[:, counts], initial=0.0) for run in (self.right, self.wrong)))

    def verdict(self, index: int = -1) -> Verdict:
        """Does the number lie, and is the model harmed, at a frame; the last one by default."""
        return Verdict(
            float(self.wrong.told[index]), float(self.wrong.true[index, 0]), float(self.right.true[index, 0])
        )


def read_where(lengths: np.ndarray, width: int, bug: str) -> np.ndarray:
    """Where a classifier reads each text, [N, T] bool: at its last timestep; with the bug in the last column.

    >>> read_where(np.array([2]), 3, "right").tolist(), read_where(np.array([2]), 3, "last-column").tolist()
    ([[False, True, False]], [[False, False, True]])
    """
    at = lengths - 1 if bug == RIGHT else np.full_like(lengths, width - 1)
    where: np.ndarray = np.arange(width) == at[:, None]
    return where


def _inverse_softplus(losses: np.ndarray) -> np.ndarray:
    losses = np.asarray(losses, np.float64)
    solved: np.ndarray = losses + np.log(-np.expm1(-losses))  # ln(exp(L) - 1), without overflow
    return solved

"""What two runs are made from: the model, the bug, the optimizer, the seed, the steps. Equal settings, equal frames."""

from dataclasses import dataclass

from lossviz.errors import InputError, not_one_of

__all__ = ["BUGS", "MODELS", "OPTIMIZERS", "RIGHT", "SEEDS", "STEPS", "VERSION", "Settings", "frame_steps"]

RIGHT = "right"
BUGS: dict[str, tuple[str, ...]] = {
    "characters": ("no-mask", "padding-divides", "space-is-pad"),
    "dates": ("stop-is-pad", "not-shifted", "mean-of-means", "mask-inverted"),
    "reviews": ("last-column",),
}
"""The bugs that each model is trained with."""
MODELS = tuple(BUGS)
OPTIMIZERS = ("adam", "sgd")
STEPS = {"characters": 300, "dates": 300, "reviews": 300}
SEEDS = {"characters": 1865, "dates": 5, "reviews": 1865}
"""Of the recordings that are shipped; with 5 the right run of the dates is the best of six, and can be read."""
VERSION = 1
"""Of what is computed: recordings of another version don't fit."""

_FRAMES = (0, 1, 2, 3, 5, 8, 12, 18, 26, 38, 55, 80, 110, 150, 200, 300)  # the first steps move the most
_MOST_STEPS = 1000


@dataclass(frozen=True)
class Settings:
    """A model trained twice, rightly and with one bug.

    Attributes:
        model: one of `MODELS`.
        bug: one of the model's `BUGS`.
        optimizer: "adam" (0.01) or "sgd" (1.0, momentum 0.9); both clip the gradient to norm 5.
        seed: of the weights, and of the order of the rows; 0 for that of `SEEDS`.
        steps: how many minibatches are read; 0 for those of `STEPS`.

    Raises:
        InputError: if there is no such model, bug or optimizer, or a number is out of range.

    >>> Settings("dates", "stop-is-pad").key
    'dates-stop-is-pad-adam-5-300-1'
    """

    model: str
    bug: str
    optimizer: str = "adam"
    seed: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        for name, value, known in (
            ("model", self.model, MODELS),
            ("bug", self.bug, BUGS.get(self.model, ())),
            ("optimizer", self.optimizer, OPTIMIZERS),
        ):
            if value not in known:
                raise InputError(not_one_of(name, value, known))
        for name, shipped in (("seed", SEEDS), ("steps", STEPS)):
            if getattr(self, name) == 0 and getattr(self, name) is not False:
                object.__setattr__(self, name, shipped[self.model])
        for name, number, most in (("seed", self.seed, 2**32 - 1), ("steps", self.steps, _MOST_STEPS)):
            if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= most:
                raise InputError(f"`{name}` must be a whole number from 0 to {most:,}; got {number!r}.")

    @property
    def key(self) -> str:
        """What jobs and finished recordings are kept by."""
        return f"{self.model}-{self.bug}-{self.optimizer}-{self.seed}-{self.steps}-{VERSION}"

    def file(self, bug: str | None = None) -> str:
        """The name of the file of one run: the wrong one, or with "right" the other.

        >>> Settings("dates", "stop-is-pad").file("right")
        'dates-right-adam.npz'
        """
        return f"{self.model}-{bug or self.bug}-{self.optimizer}.npz"


def frame_steps(steps: int) -> tuple[int, ...]:
    """After which steps a frame is drawn: often at the start, and at the end.

    >>> frame_steps(20)
    (0, 1, 2, 3, 5, 8, 12, 18, 20)
    """
    return (*(step for step in _FRAMES if step < steps), steps)


def words(name: str) -> str:
    """A bug's name as the name of its function.

    >>> words("stop-is-pad")
    'stop_is_pad'
    """
    return name.replace("-", "_")

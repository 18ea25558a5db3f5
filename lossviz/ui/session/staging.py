"""What is on the stage of the page Train, for one tab."""

import re
import secrets
from dataclasses import dataclass, field

from lossviz.lessons import Progress
from lossviz.theatre import ACTS, Act, Settings, act_numbered

__all__ = ["Staging"]

Cell = tuple[int, int]


@dataclass(eq=False)
class Staging:
    """Which act is looked at, what was predicted, which frame is shown, and whether it is trained live.

    Attributes:
        predictions: what was predicted of each act; its `at` is the act on the screen.
        variant: which of the act's pairs of runs, from 0.
        step: the step that is looked at; None: the newest.
        playing: whether the frames change by themselves; due: when the next one is, on the monotonic clock.
        moves: whether something moved when the page began to be drawn, by a training or by playing: it is drawn again.
        viewer: who watches a training, or "" while the recording is on stage; it is in the address, so that a reload
            comes back as the same viewer.
        cell: the timestep that is selected in both heatmaps, or None.
    """

    predictions: Progress = field(default_factory=lambda: Progress(tuple(str(act.number) for act in ACTS)))
    variant: int = 0
    step: int | None = None
    playing: bool = False
    due: float = 0.0
    moves: bool = False
    viewer: str = ""
    cell: Cell | None = None

    @property
    def act(self) -> Act:
        """The act on the screen."""
        return act_numbered(int(self.predictions.at or "1"))

    @property
    def settings(self) -> Settings:
        """The pair of runs on the screen."""
        pairs = self.act.settings
        return pairs[min(self.variant, len(pairs) - 1)]

    def go_to(self, act: Act) -> None:
        """Put another act on the screen, from its end, recorded."""
        self.predictions.at, self.predictions.placed = str(act.number), True
        self.choose(0)

    def choose(self, variant: int) -> None:
        """Put one of the act's pairs on the screen, from its end, recorded."""
        self.variant, self.step, self.playing, self.viewer = variant, None, False, ""

    def watch(self, viewer: str = "") -> None:
        """Watch a training, as the viewer of an address or as a new one.

        >>> staging = Staging()
        >>> staging.watch("<script>")
        >>> len(staging.viewer)
        12
        """
        self.viewer = viewer if re.fullmatch("[0-9a-f]{12}", viewer) else secrets.token_hex(6)
        self.step, self.playing = None, False

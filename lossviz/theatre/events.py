"""What happens in a rehearsal, and the recording that grows from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from lossviz.theatre._recording import Frame, Recording, Run, Scene
from lossviz.theatre._settings import RIGHT, Settings

__all__ = ["Ended", "Event", "Framed", "Growing", "Opened", "Stepped"]


@dataclass(frozen=True, eq=False)
class Opened:
    """Both models are there, untrained."""

    scene: Scene
    versions: dict[str, str]


@dataclass(frozen=True)
class Stepped:
    """Both have made a step: what each program printed."""

    right: float
    wrong: float


@dataclass(frozen=True, eq=False)
class Framed:
    """Both were looked at."""

    right: Frame
    wrong: Frame


@dataclass(frozen=True)
class Ended:
    """The last step is done: the facts of the end."""

    right: dict[str, float]
    wrong: dict[str, float]


Event = Opened | Stepped | Framed | Ended


@dataclass(eq=False)
class Growing:
    """Collects events; `recording` is what there is so far."""

    settings: Settings
    opened: Opened | None = None
    printed: list[Stepped] = field(default_factory=list)
    frames: list[Framed] = field(default_factory=list)
    ended: Ended = field(default_factory=lambda: Ended({}, {}))
    _made: Recording | None = field(default=None, init=False, repr=False)

    def add(self, event: Event) -> None:
        """Take one event."""
        self._made = None
        if isinstance(event, Opened):
            self.opened = event
        elif isinstance(event, Stepped):
            self.printed.append(event)
        elif isinstance(event, Framed):
            self.frames.append(event)
        else:
            self.ended = event

    def add_all(self, events: Iterable[Event]) -> Recording:
        """Take all events, and give the finished recording."""
        for event in events:
            self.add(event)
        recording = self.recording
        if recording is None:
            raise ValueError("A rehearsal gave no frame.")
        return recording

    @property
    def recording(self) -> Recording | None:
        """Both runs as far as they have come, or None before the first frame; the same one until something happens."""
        if self.opened is None or not self.frames:
            return None
        if self._made is None:
            sides = self._run(self.opened, RIGHT, "right"), self._run(self.opened, self.settings.bug, "wrong")
            self._made = Recording(*sides)
        return self._made

    def _run(self, opened: Opened, bug: str, side: str) -> Run:
        frames: list[Frame] = [getattr(framed, side) for framed in list(self.frames)]
        return Run(
            settings=self.settings,
            bug=bug,
            scene=opened.scene,
            steps=np.array([frame.step for frame in frames], np.int64),
            losses=np.stack([frame.losses for frame in frames]),
            prints=np.array([frame.prints for frame in frames], np.float64),
            told=np.array([frame.told for frame in frames], np.float64),
            reported=np.array([getattr(stepped, side) for stepped in list(self.printed)], np.float64),
            true=np.stack([frame.true for frame in frames]),
            texts=tuple(frame.texts for frame in frames),
            facts=getattr(self.ended, side),
            versions=opened.versions,
        )

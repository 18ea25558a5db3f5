"""How far somebody is: each step open, right or shown, with the answers given; as text that a browser keeps.

What comes back from a browser is read as hostile: every entry is checked by itself, and what is wrong is left out.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from lossviz.lessons._asks import Cell
from lossviz.lessons._check import Verdict
from lossviz.lessons._typed import LONGEST

__all__ = ["OPEN", "RIGHT", "SHOWN", "SIZE", "Done", "Progress", "read_progress"]

OPEN, RIGHT, SHOWN = "open", "right", "shown"
STATES = (OPEN, SHOWN, RIGHT)  # from the worst to the best
SIZE = 4_000  # characters that are kept
MOST_MISSES = 99
MOST_ANSWERS = 4
VERSION = 1


@dataclass(frozen=True)
class Done:
    """What became of one step: its state, how often it was missed, the answers as they were given."""

    state: str = OPEN
    misses: int = 0
    given: tuple[str, ...] = ()

    @property
    def is_committed(self) -> bool:
        """Whether the answer is on the table, so that the picture may be shown."""
        return self.state != OPEN

    @property
    def rank(self) -> tuple[int, int]:
        """Of two, the larger is the better one."""
        return STATES.index(self.state), self.misses


@dataclass(eq=False)
class Progress:
    """What one person did in the lessons.

    Attributes:
        known: the ids of all steps; done: those that were begun.
        at: the step that is looked at; placed: whether somebody chose it.
        teaching: whether the teacher's view is open; stop: where it stopped; votes: the tallies by step.
        verdicts: of the last answers to a step; cells: the timestep that is selected in its picture.
        kept: the state of steps that are asked again, which a worse answer does not take away.
        before: what "Start over" took away, until it is given back.
    """

    known: tuple[str, ...]
    done: dict[str, Done] = field(default_factory=dict)
    at: str = ""
    verdicts: dict[str, tuple[Verdict, ...]] = field(default_factory=dict)
    cells: dict[str, Cell | None] = field(default_factory=dict)
    kept: dict[str, Done] = field(default_factory=dict)
    before: dict[str, Done] | None = None
    placed: bool = False
    teaching: bool = False
    stop: int = 0
    votes: dict[str, list[int]] = field(default_factory=dict)

    def of(self, step: str) -> Done:
        """What became of a step."""
        return self.done.get(step, Done())

    def best(self, step: str) -> Done:
        """The best that became of a step, also while it is asked again."""
        return max(self.kept.get(step, Done()), self.of(step), key=lambda done: done.rank)

    def answer(self, step: str, given: tuple[str, ...], verdicts: tuple[Verdict, ...], *, patience: int = 3) -> None:
        """Take an answer: right, or a miss; after the third miss the working is shown.

        >>> progress = Progress(("1.1",))
        >>> progress.answer("1.1", ("15",), (Verdict(False, "No.", "15"),))
        >>> progress.of("1.1")
        Done(state='open', misses=1, given=('15',))
        """
        done = self.of(step)
        self.verdicts[step] = verdicts
        if done.is_committed:
            return
        if all(verdict.right for verdict in verdicts):
            self.done[step] = Done(RIGHT, done.misses, given)
        elif all(verdict.counts for verdict in verdicts):
            misses = min(done.misses + 1, MOST_MISSES)
            self.done[step] = Done(SHOWN if misses >= patience else OPEN, misses, given)
        else:
            self.done[step] = replace(done, given=given)

    def show(self, step: str, given: tuple[str, ...]) -> None:
        """Show the answer; what was typed stays."""
        self.done[step] = Done(SHOWN, self.of(step).misses, given)

    def open_again(self, step: str) -> None:
        """Ask a step again, from the beginning; its mark stays.

        >>> progress = Progress(("1.1",), {"1.1": Done("right")})
        >>> progress.open_again("1.1")
        >>> progress.of("1.1").state, progress.best("1.1").state
        ('open', 'right')
        """
        self.kept[step] = self.best(step)
        self.done.pop(step, None)
        self.verdicts.pop(step, None)

    def start_over(self) -> None:
        """Forget everything, until `take_back`."""
        self.before = {step: self.best(step) for step in {**self.kept, **self.done}}
        self.done, self.kept, self.verdicts = {}, {}, {}

    def take_back(self) -> None:
        """Undo `start_over`: what was done since stays where it is better."""
        if self.before is not None:
            self._merge(self.before)
            self.before = None

    def merge(self, text: str) -> None:
        """Take what a browser kept: of each step the better state, so that two tabs lose nothing."""
        kept = read_progress(text, self.known)
        self._merge(kept.done)
        if not self.placed and kept.at:
            self.at, self.placed = kept.at, True

    def _merge(self, done: dict[str, Done]) -> None:
        for step, other in done.items():
            if other.rank > self.of(step).rank:
                self.done[step] = other

    def text(self) -> str:
        """What a browser keeps, at most `SIZE` characters; where it is more, the answers are left out.

        >>> Progress(("1.1",), {"1.1": Done("right", 2, ("90", "15"))}, at="1.1").text()
        '{"v":1,"steps":{"1.1":["right",2,"90","15"]},"at":"1.1"}'
        """
        whole = self._text(with_answers=True)
        return whole if len(whole) <= SIZE else self._text(with_answers=False)

    def _text(self, *, with_answers: bool) -> str:
        steps = {
            step: [done.state, done.misses, *(done.given if with_answers else ())]
            for step, done in ((step, self.best(step)) for step in sorted({**self.kept, **self.done}))
        }
        return json.dumps({"v": VERSION, "steps": steps, "at": self.at}, separators=(",", ":"), ensure_ascii=False)


def read_progress(text: Any, known: Iterable[str]) -> Progress:
    """Read what `Progress.text` wrote; of any other text, however hostile, nothing.

    >>> read_progress('{"v":1,"steps":{"1.1":["right",0],"9.9":["right",0],"1.2":["best",0]}}', ("1.1", "1.2")).done
    {'1.1': Done(state='right', misses=0, given=())}
    """
    steps = tuple(known)
    progress = Progress(steps)
    if not isinstance(text, str) or len(text) > 4 * SIZE:
        return progress
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError):
        return progress
    if not isinstance(kept, dict) or kept.get("v") != VERSION:
        return progress
    entries = kept.get("steps")
    for step, entry in entries.items() if isinstance(entries, dict) else ():
        done = _done(entry)
        if step in steps and done is not None:
            progress.done[step] = done
    at = kept.get("at")
    progress.at = at if isinstance(at, str) and at in steps else ""
    return progress


def _done(entry: Any) -> Done | None:
    if not isinstance(entry, list) or not 2 <= len(entry) <= 2 + MOST_ANSWERS:
        return None
    state, misses, *given = entry
    if not isinstance(state, str) or state not in STATES or type(misses) is not int or not 0 <= misses <= MOST_MISSES:
        return None
    return Done(state, misses, tuple(given)) if all(map(_is_answer, given)) else None


def _is_answer(text: Any) -> bool:
    # JSON can hold half of a surrogate pair, which no browser can be sent.
    return isinstance(text, str) and len(text) <= 2 * LONGEST and not any("\ud800" <= mark <= "\udfff" for mark in text)

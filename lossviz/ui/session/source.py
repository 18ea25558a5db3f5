"""A batch that was opened: where it came from, its edits and repairs, what its loop printed."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from lossviz.batch import Batch
from lossviz.digits import is_number, numbers_in
from lossviz.edits import Edit, apply_edits, differences
from lossviz.errors import InputError
from lossviz.layouts import Reading
from lossviz.ui.session.repair import Repair, Step, apply_steps

__all__ = ["Source"]


@dataclass(eq=False)
class Source:
    """Where a batch came from, and what was changed since.

    Attributes:
        door: "sample", "file", "typed" or "sentences"; `name`: which one.
        batch: as it came; `made_from`: what was typed for it; `reduction`: that of its model, or "".
        reading: how an opened file was read, with what was assumed; `origin`: the file, to read it otherwise;
            `choices`: how the user said that it is to be read.
        steps: the edits and repairs made, one step an undo; `undone`: the steps taken back.
        printed: what its loop printed, as it was typed on the page Identify; None: nothing was.
        series: of which run it is a step, or "": the steps of a run share the mask and the reduction that are chosen.
    """

    door: str
    name: str
    batch: Batch
    lesson: str = ""
    made_from: Any = None
    reduction: str = ""
    reading: Reading | None = None
    origin: Any = None
    choices: dict[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)
    printed: str | None = None
    series: str = ""
    _told: tuple[str | None, tuple[Repair, ...]] | None = None
    _edited: tuple[Any, Batch] | None = None
    _base: tuple[tuple[Step, ...], Batch] | None = None

    @property
    def edits(self) -> tuple[Edit, ...]:
        """Every edit since the last repair, in the order in which it was made."""
        return tuple(edit for step in self.steps[self._repaired :] if isinstance(step, tuple) for edit in step)

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """Every repair, in the order in which it was made."""
        return tuple(step for step in self.steps if isinstance(step, Repair))

    @property
    def _repaired(self) -> int:
        """One past the last repair among the steps."""
        return max((place for place, step in enumerate(self.steps, 1) if isinstance(step, Repair)), default=0)

    @property
    def base(self) -> Batch:
        """The batch as it came, or as it was repaired last."""
        steps = tuple(self.steps[: self._repaired])
        if self._base is None or self._base[0] != steps:
            self._base = steps, apply_steps(self.batch, steps)
        return self._base[1]

    @property
    def differences(self) -> tuple[Edit, ...]:
        """What differs from the batch as it came, or as it was last repaired."""
        return differences(self.base, self.edits)

    @property
    def current(self) -> Batch:
        """The batch with its repairs and edits, and the number that its loop printed."""
        made_of = tuple(self.steps), self._told
        if self._edited is None or self._edited[0] != made_of:
            self._edited = made_of, self._reporting(apply_edits(self.base, self.edits))
        return self._edited[1]

    def _reporting(self, batch: Batch) -> Batch:
        """The batch with the printed number that the user typed, unless a later repair has made it obsolete."""
        if self._told is None:
            return batch
        number, repairs = self._told
        past = any("reported" in repair.changes for repair in self.repairs[len(repairs) :])
        return batch if past else batch.replace(reported=number)

    def tell(self, text: str) -> None:
        """Keep what the loop printed, as it was typed; a single number becomes the batch's reported number."""
        self.printed, numbers = text, numbers_in(text)
        number = numbers[0] if len(numbers) == 1 and is_number(numbers[0]) else None
        if number != self.current.reported:
            self._told = number, self.repairs

    def was(self, edit: Edit) -> str:
        """What an edited entry held before, in words."""
        array = getattr(self.base, edit.field)
        return "not given" if array is None else f"{float(array[edit.index]):g}"

    def make(self, *edits: Edit) -> None:
        """Make one step of edits; a step that can't be applied raises and leaves everything as it was."""
        apply_edits(self.current, edits)
        self.steps.append(edits)
        self.undone.clear()

    def repair(self, repair: Repair) -> None:
        """Make a repair as one step."""
        apply_steps(self.current, (repair,))
        self.steps.append(repair)
        self.undone.clear()

    def make_possible(self, edits: Iterable[Edit | Repair]) -> None:
        """Make each edit and repair as a step of its own, leaving out those that do not fit the batch."""
        batch = self.current
        for edit in edits:
            step: Step = edit if isinstance(edit, Repair) else (edit,)
            with suppress(InputError):
                batch = apply_steps(batch, (step,))
                self.steps.append(step)

    def undo(self) -> None:
        """Take the last step back."""
        if self.steps:
            self.undone.append(self.steps.pop())

    def redo(self) -> None:
        """Make the last step that was taken back again."""
        if self.undone:
            self.steps.append(self.undone.pop())

    def reset(self) -> None:
        """Take every step back; redo brings them back one by one."""
        while self.steps:
            self.undo()

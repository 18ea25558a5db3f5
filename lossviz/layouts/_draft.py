"""What every layout shares: the fields on their way to a `Batch`, what was assumed, and what the caller said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

__all__ = ["Assumption", "Choices", "Draft", "Layout", "shape_of"]

Array = np.ndarray


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a field; () where it is ragged or no array at all.

    >>> shape_of([[1, 2]]), shape_of([[1, 2], [3]]), shape_of("text")
    ((1, 2), (), ())
    """
    try:
        return tuple(np.shape(value))
    except ValueError:
        return ()


@dataclass(frozen=True)
class Assumption:
    """Something that the file does not say itself.

    Attributes:
        text: one clause, such as "−100 is ignored".
        option: the argument of `interpret` that changes it.
        value: what to give that argument to have it otherwise.
        layout: the layout that assumed it.

    >>> Assumption("labels are unshifted", "shift", False).flag
    '--no-shift'
    """

    text: str
    option: str
    value: Any = None
    layout: str = ""

    @property
    def flag(self) -> str:
        """The flag of the command line that changes it."""
        if self.option == "shift":
            return "--shift" if self.value else "--no-shift"
        return f"--{self.option.replace('_', '-')} {self.value}"

    @property
    def argument(self) -> str:
        """The argument in Python that changes it."""
        if self.option == "names":
            name, _, key = str(self.value).partition("=")
            return f"names={ {name: key} }"
        return f"{self.option}={self.value!r}"


@dataclass(frozen=True)
class Choices:
    """What the caller said, which wins over everything that a layout recognises; None leaves it to the file.

    Attributes:
        layout: the layouts to read with; the others are left out.
        shift: whether the logits are compared with the next label.
        ignore_id: the label that counts nothing; pad_id and eos_id likewise.
        pad_id: the id that fills the rows up.
        eos_id: the id that ends a sequence.
        weights: the file's field that weighs the loss, or "none".
        reduction: "classification" reads one logit as the label of a sequence, any other as one of every timestep.
        reported: the number that the training loop printed.
    """

    layout: tuple[str, ...] | None = None
    shift: bool | None = None
    ignore_id: int | None = None
    pad_id: int | None = None
    eos_id: int | None = None
    weights: str | None = None
    reduction: str | None = None
    reported: str | None = None

    def forces(self, layout: str) -> bool:
        """Whether the caller named this layout."""
        return self.layout is not None and layout in self.layout


@dataclass(frozen=True)
class Draft:
    """Fields on their way to a Batch.

    Attributes:
        fields: by the names that lossviz uses where a field has one, else by the file's own.
        choices: what the caller said.
        origin: the file's own name of each field.
        assumptions: what was assumed so far, in order.
        layouts: the layouts that were applied so far, in order.
    """

    fields: Mapping[str, Any]
    choices: Choices = Choices()
    origin: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[Assumption, ...] = ()
    layouts: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    @property
    def reported(self) -> Any:
        """The number that the training loop printed, as the caller or the file says, or None."""
        return self.choices.reported or self.fields.get("reported")

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def shape(self, name: str) -> tuple[int, ...]:
        """A field's shape; () where there is no such field."""
        return shape_of(self.fields[name]) if name in self.fields else ()

    def called(self, name: str) -> str:
        """What the file calls a field."""
        return self.origin.get(name, name)

    def replacing(self, **changes: Any) -> "Draft":
        """The same draft with other fields; None takes a field away."""
        fields = {**self.fields, **changes}
        return replace(self, fields={name: value for name, value in fields.items() if value is not None})

    def assuming(self, text: str, option: str, value: Any = None) -> "Draft":
        """The same draft with one more assumption."""
        return replace(self, assumptions=(*self.assumptions, Assumption(text, option, value)))


@dataclass(frozen=True)
class Layout:
    """One way in which people lay out a batch.

    Attributes:
        name: the word for it; of its module and test, too.
        title: what it is, in a few words.
        doc: its documentation.
        needs: what a file must hold to be read so, for the message where a caller asked for it in vain.
        read: gives the draft with the layout taken out of it, or None where the fields are not laid out so.
        is_answer: whether it is a server's answer, which holds no arrays to be taken as they are.
    """

    name: str
    title: str
    doc: str
    needs: str
    read: Callable[[Draft], Draft | None]
    is_answer: bool = False

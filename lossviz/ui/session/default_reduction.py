"""With which mask and reduction a batch opens: its own, or its model's; what the user had chosen is kept."""

from dataclasses import dataclass
from typing import NamedTuple

from lossviz.batch import Batch
from lossviz.measuring import usual_settings
from lossviz.settings import Settings

__all__ = ["AS_IT_COMES", "TRAINED_WITH", "Choices", "Opening", "recorded_with", "trained_with"]

TRAINED_WITH = {"language-model": "language_model", "dates": "encoder_decoder", "reviews": "classification"}
"""What each of the models minimises; its samples are called by its name and how far it is trained."""


def trained_with(sample: str) -> str:
    """The reduction that the model of a sample was trained with, or "".

    >>> trained_with("dates-half-trained"), trained_with("golden")
    ('encoder_decoder', '')
    """
    return next((reduction for model, reduction in TRAINED_WITH.items() if sample.startswith(f"{model}-")), "")


def recorded_with(batch: Batch) -> str:
    """The reduction for a batch recorded by a user's training loop: one logit per timestep means a classifier; else "".

    >>> recorded_with(Batch.from_arrays(logits=[[[3.0]]], targets=[[1]]))
    'classification'
    """
    return TRAINED_WITH["reviews"] if usual_settings(batch).is_classifier else ""


class Choices(NamedTuple):
    """What is chosen in the sidebar for a batch, by the names that `Settings` has."""

    mask: str
    reduction: str


AS_IT_COMES = Choices("declared", Settings().reduction)
"""With the mask that the batch declares, and the mean."""


@dataclass(eq=False)
class Opening:
    """How the batch on the screen opened: as its caption says, whatever was chosen for the one before.

    Attributes:
        batch: the door and name of the batch on screen, or None before the first.
        opened: what it opened with.
        own: what the user had chosen before.
        linked: the names of `Choices` that an address says of the next batch.
    """

    batch: tuple[str, str] | None = None
    opened: Choices = AS_IT_COMES
    own: Choices = AS_IT_COMES
    linked: frozenset[str] = frozenset()

    def choices(self, batch: tuple[str, str], reduction: str, now: Choices) -> Choices:
        """What to choose: a new batch brings its own mask and reduction, and what was chosen before is kept.

        Args:
            batch: the door and name of the batch on screen.
            reduction: the one that it was trained with, or "".
            now: what is chosen.

        >>> opening = Opening()
        >>> opening.choices(("sample", "dates-trained"), "encoder_decoder", Choices("none", "sum"))
        Choices(mask='declared', reduction='encoder_decoder')
        >>> opening.own
        Choices(mask='none', reduction='sum')
        """
        if batch == self.batch:
            return now
        self.batch = batch
        if now != self.opened:
            self.own = now
        comes = AS_IT_COMES if not reduction else AS_IT_COMES._replace(reduction=reduction)
        self.opened = Choices(*(getattr(now if name in self.linked else comes, name) for name in Choices._fields))
        if self.linked:
            self.linked, self.own = frozenset(), self.opened
        return self.opened

"""With which reduction a batch opens: that of its model where it has one, else the user's own."""

from dataclasses import dataclass

from lossviz.batch import Batch
from lossviz.measuring import usual_settings

__all__ = ["TRAINED_WITH", "Opening", "recorded_with", "trained_with"]

TRAINED_WITH = {"language-model": "language_model", "dates": "encoder_decoder", "reviews": "classification"}
"""What each of the models minimises; its samples are called by its name and how far it is trained."""


def trained_with(sample: str) -> str:
    """The reduction that the model of a sample was trained with, or "".

    >>> trained_with("dates-half-trained"), trained_with("golden")
    ('encoder_decoder', '')
    """
    return next((reduction for model, reduction in TRAINED_WITH.items() if sample.startswith(f"{model}-")), "")


def recorded_with(batch: Batch) -> str:
    """The reduction of a batch that somebody's loop recorded: one logit a timestep is a classifier's; else "".

    >>> recorded_with(Batch.from_arrays(logits=[[[3.0]]], targets=[[1]]))
    'classification'
    """
    return TRAINED_WITH["reviews"] if usual_settings(batch).is_classifier else ""


@dataclass(eq=False)
class Opening:
    """What a batch that came on the screen did to the choice of the reduction.

    Attributes:
        batch: the door and name of the batch on screen, or None before the first.
        taken: the reduction that it brought, or "".
        own: what the user had chosen before.
        linked: whether an address says the reduction of the next batch.
    """

    batch: tuple[str, str] | None = None
    taken: str = ""
    own: str = "mean"
    linked: bool = False

    def reduction(self, batch: tuple[str, str], wanted: str, now: str) -> str:
        """The reduction to choose: a batch brings its own once, and gives the user's back when it leaves.

        Args:
            batch: the door and name of the batch on screen.
            wanted: the reduction that it was trained with, or "".
            now: the one that is chosen.

        >>> opening = Opening()
        >>> opening.reduction(("sample", "dates-trained"), "encoder_decoder", now="counted")
        'encoder_decoder'
        >>> opening.reduction(("sample", "golden"), "", now="encoder_decoder")
        'counted'
        """
        if batch == self.batch:
            return now
        self.batch = batch
        if self.linked:
            self.linked = False
            self.taken = now if now == wanted else ""
            return now
        if now != self.taken:
            self.own = now
        self.taken = wanted
        return wanted or self.own

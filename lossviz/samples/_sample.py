"""The title and the lesson of a sample."""

from dataclasses import dataclass

__all__ = ["GROUPS", "ODD", "RECORDED", "WORKED", "Sample"]

RECORDED, WORKED, ODD = "Recorded from a model", "Worked by hand", "Wrong on purpose"
GROUPS = (RECORDED, WORKED, ODD)


@dataclass(frozen=True)
class Sample:
    """A batch to open.

    Attributes:
        name: what `load_sample` calls it.
        title: what screens call it.
        lesson: one sentence on what to look at.
        group: one of `GROUPS`.
    """

    name: str
    title: str
    lesson: str
    group: str

    @property
    def file(self) -> str:
        """Its file in `sample_data/`: arrays if it was recorded, readable text if it was written by hand."""
        return f"{self.name}.npz" if self.group == RECORDED else f"{self.name}.json"

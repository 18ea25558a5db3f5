"""The columns of a run: one row a recorded sequence, with a list per timestep. docs/runs.md is generated from here."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

__all__ = ["COLUMNS", "SCHEMA_VERSION", "Column", "arrow_schema"]

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Column:
    """One column of a run.

    Attributes:
        name: the column's name.
        kind: the name of its Arrow type; `[kind]` is a list with one entry per timestep.
        meaning: what it holds, in one sentence.
        optional: whether a row may have none.
    """

    name: str
    kind: str
    meaning: str
    optional: bool = False


COLUMNS: tuple[Column, ...] = (
    Column("step", "int64", "The optimizer step, as the training loop numbers it."),
    Column("micro_batch", "int32", "Which micro-batch of the step, from 0."),
    Column("rank", "int32", "The process that trained on it, from 0."),
    Column("world", "int32", "How many processes trained together."),
    Column("row", "int32", "Where the sequence stood in its micro-batch, from 0."),
    Column("rows", "int32", "How many sequences the micro-batch had; more than were recorded where rows were sampled."),
    Column("targets", "[int64]", "The class that each timestep should have predicted."),
    Column("losses", "[float32]", "The loss of each timestep in nats; null where the loop never computed it."),
    Column("weights", "[float32]", "What each timestep weighs in the loss.", optional=True),
    Column("length", "int64", "How many timesteps of the sequence are real.", optional=True),
    Column("inputs", "[int64]", "What the model read at each timestep.", optional=True),
    Column("segment_ids", "[int64]", "Which packed document each timestep belongs to.", optional=True),
    Column("attention_mask", "[int64]", "Whether the token that is the target is real to the model.", optional=True),
    Column("logits", "[float32]", "The logits, T × V numbers, timestep by timestep.", optional=True),
    Column("classes", "int32", "V, where logits were seen.", optional=True),
    Column("loss", "float64", "What the loss function returned for the whole micro-batch.", optional=True),
    Column("reported", "string", "The number that the training loop printed for the step.", optional=True),
    Column("window", "int32", "Over how many steps that number is a mean, up to this step.", optional=True),
    Column("accumulation", "int32", "How many micro-batches the step adds up.", optional=True),
    Column("num_items", "float64", "The divisor that the trainer handed to the loss function.", optional=True),
    Column("details", "string", "How the loss function was called, and what else is known, as JSON.", optional=True),
)


@cache
def arrow_schema(run: str) -> "pyarrow.Schema":
    """The Arrow schema of a shard, marked with its schema version and the id of its run.

    >>> arrow_schema("a1").field("losses").type
    ListType(list<item: float>)
    """
    import pyarrow

    fields = [pyarrow.field(column.name, _type(column.kind), nullable=column.optional) for column in COLUMNS]
    return pyarrow.schema(fields, metadata={"lossviz.schema": str(SCHEMA_VERSION), "lossviz.run": run})


def _type(kind: str) -> "pyarrow.DataType":
    import pyarrow

    if kind.startswith("["):
        return pyarrow.list_(_type(kind.strip("[]")))
    return pyarrow.type_for_alias(kind)

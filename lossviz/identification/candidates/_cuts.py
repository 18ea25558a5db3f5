"""What a loop may cut a batch into: micro-batches, ranks, chunks of time, chunks of the flat timesteps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lossviz.caching import cached
from lossviz.identification._context import Context
from lossviz.identification._partition import Partition, by_columns, by_rows, in_runs

__all__ = ["DOCUMENTS", "FLAT_CHUNKS", "Cut", "Kind", "cuts"]

Array = np.ndarray
CHUNK_COUNTS = (2, 3, 4, 8, 16)
"""The numbers of chunks tried when none was given (RED-03)."""

ZIGZAG_COUNTS = (2, 4, 8)
"""The numbers of ranks that pair a chunk with its mirror image tried when none was given."""

MICRO_BATCH_SIZES = (2, 4, 8, 16, 32, 64)
"""The sizes of micro-batches that are tried where they don't divide the sequences, if no number was given."""

FLAT_SIZES = tuple(2**k for k in range(3, 13))
"""The sizes of chunks of the flat timesteps that are tried: 8 to 4,096."""


class Kind(NamedTuple):
    """What a batch is cut into.

    Attributes:
        name: in the plural.
        one: a part, in the singular.
        code: the bug of averaging their means.
        option: the option that says how many there are.
        is_of_sequences: whether whole sequences are dealt out.
        cost: how much less usual it is than the others.
    """

    name: str
    one: str
    code: str
    option: str
    is_of_sequences: bool = True
    cost: int = 0


MICRO_BATCHES = Kind("micro-batches", "micro-batch", "RED01", "accumulation_steps")
RANKS = Kind("ranks", "rank", "RED03", "world_size")
MICRO_BATCHES_OF_RANKS = Kind("micro-batches of all ranks", "micro-batch", "RED01", "accumulation_steps")
CHUNKS = Kind("chunks of time", "chunk", "RED03", "world_size", is_of_sequences=False)
CONTEXT_RANKS = Kind("ranks of context parallelism", "rank", "RED03", "world_size", is_of_sequences=False, cost=1)
DOCUMENTS = Kind("documents", "document", "C07", "segment_ids", is_of_sequences=False)
FLAT_CHUNKS = Kind("chunks of the flat timesteps", "chunk", "RED01", "chunks", is_of_sequences=False, cost=1)


class Assignment(NamedTuple):
    """The part that each sequence or timestep goes to, in words too, and whether loops usually do it like that."""

    parts: Array
    how: str
    is_usual: bool = True


@dataclass(frozen=True, eq=False)
class Cut:
    """A batch cut into parts.

    Attributes:
        kind: what the parts are.
        partition: the part of each timestep.
        how: how the timesteps are assigned to the parts, in words: "in order".
        is_usual: whether loops usually assign them like that.
        is_given: whether the number of parts was given.
        empty: the parts in which nothing counts.
        size: of a chunk of the flat timesteps, how many it has; else 0.
    """

    kind: Kind
    partition: Partition
    how: str
    is_usual: bool
    is_given: bool
    empty: tuple[int, ...] = ()
    size: int = 0

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return self.partition.parts

    @cached
    def sizes(self) -> Array:
        """The number of sequences in each part, [parts], where whole sequences are dealt out."""
        return np.bincount(np.zeros(0, int) if self.partition.rows is None else self.partition.rows, None, self.parts)

    @property
    def is_even(self) -> bool:
        """Whether all parts have the same number of sequences, so that weighting by it changes nothing."""
        return self.parts > 0 and bool((self.sizes == self.sizes[:1]).all())

    @property
    def name(self) -> str:
        """For "the 4 micro-batches"."""
        if self.size:
            return f"{self.parts:,} chunks of {self.size:,} of the flat timesteps"
        return f"{self.parts:,} {self.kind.name}"

    def called(self, part: int) -> str:
        """One of the parts: "micro-batch 1 of 2"; the last of them "the last of 2 micro-batches"."""
        return f"the last of {self.name}" if part == self.parts - 1 else f"{self.kind.one} {part} of {self.name}"

    @property
    def key(self) -> str:
        """Distinguishes it from other cuts of the batch."""
        return f"{self.kind.name} {self.size or self.parts} {self.how}"


@cached
def cuts(context: Context) -> tuple[Cut, ...]:
    """The declared cuts, else even ones: of the sequences, of time, and of the timesteps laid out flat."""
    options, sequences = context.options, context.sequences
    steps, ranks = options.accumulation_steps, options.world_size
    found: list[Cut] = []
    if options.groups is not None:
        found += _of_rows(context, MICRO_BATCHES, [Assignment(options.parts(sequences), "as given")])
    for kind, count in ((MICRO_BATCHES, steps), (RANKS, ranks)):
        if count is not None and count <= sequences:
            found += _of_rows(context, kind, _assignments(sequences, count))
    if steps and ranks and 1 < steps * ranks <= sequences and steps > 1 < ranks:
        found += _of_rows(context, MICRO_BATCHES_OF_RANKS, _assignments(sequences, steps * ranks))
    if steps is None and ranks is None and options.groups is None:
        for count in range(2, sequences + 1):
            if sequences % count == 0:
                found += _of_rows(context, MICRO_BATCHES, _assignments(sequences, count), is_given=False)
        found += _of_rows(context, MICRO_BATCHES, _with_remainder(sequences), is_given=False)
    return (*found, *_of_documents(context), *_of_time(context), *_of_flat(context))


def _assignments(sequences: int, parts: int) -> Iterator[Assignment]:
    rows = np.arange(sequences)
    first = np.repeat(np.arange(parts), [len(part) for part in np.array_split(rows, parts)])
    yield Assignment(first, "in order")
    if sequences % parts:
        yield Assignment(parts - 1 - first[::-1], "in order, the larger ones last", is_usual=False)
        size = -(-sequences // parts)
        if rows[-1] // size == parts - 1 and not np.array_equal(rows // size, first):
            yield Assignment(rows // size, "in order, the remainder last", is_usual=False)
    if 1 < parts < sequences:
        yield Assignment(rows % parts, "sequences dealt out in turn", is_usual=False)


def _with_remainder(sequences: int) -> Iterator[Assignment]:
    """Micro-batches of the sizes that loops have, and a smaller last one, as `drop_last=False` leaves it."""
    for size in sorted({*MICRO_BATCH_SIZES, -(-sequences // 2)}):
        if 1 < size < sequences and sequences % size:
            how = f"of {size} sequences each, the remainder last"
            yield Assignment(np.arange(sequences) // size, how, is_usual=False)


def _of_documents(context: Context) -> Iterator[Cut]:
    """The documents of packed rows, as the file's segment ids say."""
    segments = context.analysis.batch.segment_ids
    if segments is None or context.is_classifier or not context.positions:
        return
    begins = np.ones(segments.shape, bool)
    begins[:, 1:] = segments[:, 1:] != segments[:, :-1]
    if begins[:, 1:].any():
        partition = in_runs(context.weights.shape, np.flatnonzero(begins))
        yield _cut(context, DOCUMENTS, partition, "by segment_ids", True, True)


def _of_rows(context: Context, kind: Kind, each: Iterable[Assignment], *, is_given: bool = True) -> Iterator[Cut]:
    for labels, how, is_usual in each:
        yield _cut(context, kind, by_rows(context.weights.shape, labels), how, is_usual, is_given)


def _cut(
    context: Context, kind: Kind, partition: Partition, how: str, is_usual: bool, is_given: bool, size: int = 0
) -> Cut:
    empty = np.flatnonzero(context.weighed.counts(partition) == 0)
    return Cut(kind, partition, how, is_usual, is_given, tuple(empty.tolist()), size)


def _of_time(context: Context) -> Iterator[Cut]:
    given, timesteps = context.options.world_size, context.timesteps
    for count in (given,) if given is not None else CHUNK_COUNTS:
        if 1 < count <= timesteps:
            labels = _even(timesteps, count)
            yield _cut(context, CHUNKS, by_columns(context.weights.shape, labels), "in order", True, given is not None)
    for count in (given,) if given is not None else ZIGZAG_COUNTS:
        if count > 1 and 2 * count <= timesteps:
            pieces = _even(timesteps, 2 * count)
            how = f"rank r holds pieces r and {2 * count - 1} − r of {2 * count}"
            mirrored = np.minimum(pieces, 2 * count - 1 - pieces)
            for labels, words in ((mirrored, how), (np.arange(timesteps) % count, "timesteps dealt out in turn")):
                partition = by_columns(context.weights.shape, labels)
                yield _cut(context, CONTEXT_RANKS, partition, words, words == how, given is not None)


def _even(timesteps: int, count: int) -> Array:
    """The piece of each timestep; where T + 1 divides evenly and T does not, that of the tokens before the shift."""
    wide = timesteps + 1 if timesteps % count and (timesteps + 1) % count == 0 else timesteps
    sizes = [len(part) for part in np.array_split(np.arange(wide), count)]
    return np.repeat(np.arange(count), sizes)[:timesteps]


def _of_flat(context: Context) -> Iterator[Cut]:
    """Chunks of a fixed size of the timesteps laid out flat: of all, of rows one wider, and of those that count."""
    if context.is_classifier or not context.positions:
        return
    shape, width = context.weights.shape, context.timesteps
    for size in FLAT_SIZES:
        if size < context.positions and (size % width or context.sequences % (size // width)):
            starts = np.arange(0, context.positions, size)
            yield _cut(context, FLAT_CHUNKS, in_runs(shape, starts), "row by row", True, False, size)
        if size < context.sequences * (width + 1):
            row, column = np.divmod(np.arange(0, context.sequences * (width + 1), size), width + 1)
            starts = row * width + np.minimum(column, width)
            how = f"rows of {width + 1:,}, of which the last label is ignored"
            yield _cut(context, FLAT_CHUNKS, in_runs(shape, starts), how, False, False, size)
        if size < context.counting < context.positions:
            counted = np.flatnonzero(context.weights)[::size]
            starts = np.concatenate([[0], counted[1:]])
            yield _cut(context, FLAT_CHUNKS, in_runs(shape, starts), "of those that count", False, False, size)

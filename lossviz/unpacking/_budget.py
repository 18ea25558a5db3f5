"""One budget a file: what it unpacks to is counted before it is allocated."""

from lossviz.errors import FormatError

__all__ = ["MIB", "Budget", "size_words"]

MIB = 2**20


def size_words(count: int) -> str:
    """Write a number of bytes as a person would.

    >>> size_words(300 * 2**20)
    '300 MiB'
    >>> size_words(17)
    '17 bytes'
    """
    for unit, size in (("GiB", 1024 * MIB), ("MiB", MIB), ("KiB", 1024)):
        if count >= size:
            return f"{count / size:,.4g} {unit}"
    return f"{count} bytes"


class Budget:
    """The bytes that reading one file may allocate.

    >>> budget = Budget("bomb.npz", size=300, limit=2**30)
    >>> budget.take(2**29, "Save less.")
    >>> budget.take(2**30, "Save less.")
    Traceback (most recent call last):
    lossviz.errors.FormatError: `bomb.npz` is 300 bytes and would unpack to 1.5 GiB; at most 1 GiB are unpacked. \
Save less.
    """

    def __init__(self, name: str, size: int, limit: int) -> None:
        self._name, self._size, self._limit, self._taken = name, size, limit, 0

    def take(self, count: int, way_out: str) -> None:
        """Count bytes that are about to be allocated.

        Raises:
            FormatError: they are more than is left; `way_out` ends the message.
        """
        self._taken += count
        if self._taken > self._limit:
            raise FormatError(
                f"`{self._name}` is {size_words(self._size)} and would unpack to {size_words(self._taken)}; at most "
                f"{size_words(self._limit)} are unpacked. {way_out}"
            )

"""Walking N rows in blocks, by two threads where there is more than one block."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from lossviz.errors import Cancelled

__all__ = ["Progress", "Work", "walk"]

Progress = Callable[[int, int], object]
Work = Callable[[int, int], None]
WORKERS = 2


def walk(
    count: int,
    rows: int,
    worker: Callable[[], AbstractContextManager[Work]],
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Calls `work(start, stop)` for blocks of `rows` rows out of `count`, in two threads.

    Each thread opens its own `worker()` and gets its `work` from it. `progress(done, count)` and `cancelled()` are
    called on the calling thread between blocks. An exception, from one of them or from a worker, stops every worker and
    then reaches the caller.

    Raises:
        Cancelled: `cancelled()` said so.
    """
    starts = range(0, count, rows)
    report = _Report(count, progress, cancelled)
    if len(starts) == 1:
        with worker() as work:
            report(0)
            work(0, count)
            report(count)
        return
    blocks = iter([(start, min(start + rows, count)) for start in starts])
    crew = _Crew(blocks, worker, min(WORKERS, len(starts)))
    try:
        report(0)
        for _ in starts:
            report(crew.finished_rows())
    finally:
        crew.dismiss()


class _Report:
    """Counts the rows that are done, tells `progress`, and asks `cancelled`."""

    def __init__(self, count: int, progress: Progress | None, cancelled: Callable[[], bool] | None) -> None:
        self.done, self.count, self.progress, self.cancelled = 0, count, progress, cancelled

    def __call__(self, rows: int) -> None:
        self.done += rows
        if self.progress is not None:
            self.progress(self.done, self.count)
        if self.cancelled is not None and self.cancelled():
            raise Cancelled(f"The diagnosis was stopped after {self.done} of {self.count} timesteps.")


class _Crew:
    """The threads of one walk."""

    def __init__(
        self, blocks: Iterator[tuple[int, int]], worker: Callable[[], AbstractContextManager[Work]], size: int
    ) -> None:
        self._blocks, self._worker = blocks, worker
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._news: queue.SimpleQueue[int | BaseException] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name=f"lossviz-{i}", daemon=True) for i in range(size)]
        for thread in self._threads:
            thread.start()

    def finished_rows(self) -> int:
        """Waits for the next finished block; raises what its thread raised."""
        news = self._news.get()
        if isinstance(news, BaseException):
            raise news
        return news

    def dismiss(self) -> None:
        """Stops the threads after the block they are at, and waits for them."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        try:
            with self._worker() as work:
                while (block := self._next()) is not None:
                    work(*block)
                    self._news.put(block[1] - block[0])
        except BaseException as error:  # carried out: `finished_rows` raises it on the calling thread
            self._news.put(error)

    def _next(self) -> tuple[int, int] | None:
        with self._lock:
            return None if self._stopped.is_set() else next(self._blocks, None)

"""The rules on a batch, beside the page: visitors share one thread, so that nobody's batch delays another's edit."""

from concurrent.futures import CancelledError, ThreadPoolExecutor, TimeoutError  # noqa: A004
from threading import Event

from lossviz.analysis import Analysis
from lossviz.rules import Diagnosis, diagnose

__all__ = ["Examination"]

_doctor = ThreadPoolExecutor(1, "doctor")


class Examination:
    """An examination that has begun.

    Attributes:
        analysis: what is examined.
    """

    def __init__(self, analysis: Analysis) -> None:
        self.analysis, self._stopped = analysis, Event()
        self._future = _doctor.submit(self._run)

    def _run(self) -> Diagnosis:
        return diagnose(self.analysis, cancelled=self._stopped.is_set)

    def wait(self, seconds: float) -> bool:
        """Whether it ends within that time."""
        try:
            self._future.exception(seconds)
        except (TimeoutError, CancelledError):
            return False
        return True

    @property
    def result(self) -> Diagnosis:
        """What the rules say, once it has ended."""
        return self._future.result()

    @property
    def stopped(self) -> bool:
        """Whether it was cancelled: nobody waits for it any more."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """End it before its next rule: nobody waits for it any more."""
        self._stopped.set()
        self._future.cancel()

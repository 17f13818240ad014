"""The worker: delivers what is due, sleeps until it is woken or something may be due again."""

import logging
import threading
from collections.abc import Callable

from formapp.delivery.deliver import Deliverer
from formapp.submissions.database import DatabaseUnavailable

POLL_SECONDS = 1.0
"""How long a worker sleeps when nothing is due: other processes keep submissions, too."""

_log = logging.getLogger(__name__)


class Worker:
    """Runs a `Deliverer` until it is stopped. `wake` and `stop` may be called from any thread."""

    def __init__(self, deliverer: Deliverer, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._deliverer = deliverer
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._woken = threading.Event()

    def run(self) -> None:
        """Deliver until stopped; the delivery at hand is always finished."""
        unavailable = False
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                busy = self._deliverer.deliver_next()
                unavailable = False
            except DatabaseUnavailable as error:
                if not unavailable:
                    _log.error("deliveries wait: the database %s", error)
                busy, unavailable = False, True
            if not busy:
                self._woken.wait(self._poll_seconds)

    def drain(self, progress: Callable[[int], None] = lambda _count: None) -> int:
        """Deliver all that is due, then return how many were tried.

        Raises:
            DatabaseUnavailable: the ledger can't be read or written.
        """
        count = 0
        while not self._stopping.is_set() and self._deliverer.deliver_next():
            count += 1
            progress(count)
        return count

    def wake(self) -> None:
        """Something may be due: look at once."""
        self._woken.set()

    def stop(self) -> None:
        """End after the delivery at hand."""
        self._stopping.set()
        self._woken.set()

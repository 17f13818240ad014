"""The worker: delivers what is due, sleeps until it is woken or something may be due again."""

import logging
import threading
from collections.abc import Callable, Sequence

from formapp.delivery.deliver import Deliverer
from formapp.submissions.database import DatabaseUnavailable

POLL_SECONDS = 1.0
"""How long a worker sleeps when nothing is due: other processes keep submissions, too."""

_log = logging.getLogger(__name__)


class Worker:
    """Runs a `Deliverer` until it is stopped. `wake` and `stop` may be called from any thread.

    Between two deliveries it calls its chores, each of which knows by itself whether it is time.
    """

    def __init__(
        self,
        deliverer: Deliverer,
        *,
        poll_seconds: float = POLL_SECONDS,
        chores: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._deliverer = deliverer
        self._chores = chores
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._unavailable = False

    def run(self) -> None:
        """Deliver until stopped."""
        while not self._stopping.is_set():
            if not self._step():
                self._woken.wait(self._poll_seconds)
                # Before the next look and before `stop` is asked for: neither can be missed.
                self._woken.clear()

    def _step(self) -> bool:
        """Deliver one lead; False if there was none, or something is wrong. Never raises."""
        try:
            self._do_chores()
            busy = self._deliverer.deliver_next()
        except DatabaseUnavailable as error:
            if not self._unavailable:
                _log.error("deliveries wait: the database %s", error)
            self._unavailable = True
            return False
        except Exception as error:  # noqa: BLE001 - a worker that has died delivers nothing
            _log.error("a worker met a defect of formapp: %s", type(error).__name__)
            return False
        if self._unavailable:
            _log.warning("the database is back")
        self._unavailable = False
        return busy

    def _do_chores(self) -> None:
        for chore in self._chores:
            try:
                chore()
            except DatabaseUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - leads come first
                _log.error("a chore met a defect of formapp: %s", type(error).__name__)

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
        """End after the call in flight; what is unfinished is given back."""
        self._deliverer.interrupt()
        self._stopping.set()
        self._woken.set()

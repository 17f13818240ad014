"""Workers: each does what is due of one kind, and sleeps until it is woken or polls again."""

import logging
import threading
from collections.abc import Callable, Sequence

from formapp.submissions.database import DatabaseUnavailable

POLL_SECONDS = 1.0
"""How long a worker sleeps when nothing is due: other processes keep submissions, too."""

Work = Callable[[], bool]
"""Does the next thing that is due; False if there was none."""

_log = logging.getLogger(__name__)


class Worker:
    """Works until it is stopped. `wake` and `stop` may be called from any thread.

    Args:
        work: such as `Deliverer.deliver_next`.
        interrupt: makes the work in hand end soon, giving back what is unfinished.
        poll_seconds: how long to sleep when nothing is due.
        chores: called in between; each knows by itself whether it is time.
    """

    def __init__(
        self,
        work: Work,
        *,
        interrupt: Callable[[], None] = lambda: None,
        poll_seconds: float = POLL_SECONDS,
        chores: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._work = work
        self._interrupt = interrupt
        self._chores = chores
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._unavailable = False

    def run(self) -> None:
        """Work until stopped."""
        while not self._stopping.is_set():
            if not self._step():
                self._woken.wait(self._poll_seconds)
                # Before the next look and before `stop` is asked for: neither can be missed.
                self._woken.clear()

    def _step(self) -> bool:
        """Do one thing; False if there was none, or something is wrong. Never raises."""
        try:
            self._do_chores()
            busy = self._work()
        except DatabaseUnavailable as error:
            if not self._unavailable:
                _log.error("work waits: the database %s", error)
            self._unavailable = True
            return False
        except Exception as error:  # noqa: BLE001 - a worker that has died does nothing
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
        """Do all that is due, then return how many things were tried.

        Raises:
            DatabaseUnavailable: the ledger can't be read or written.
        """
        count = 0
        while not self._stopping.is_set() and self._work():
            count += 1
            progress(count)
        return count

    def wake(self) -> None:
        """Something may be due: look at once."""
        self._woken.set()

    def stop(self) -> None:
        """End after the call in flight; what is unfinished is given back."""
        self._interrupt()
        self._stopping.set()
        self._woken.set()


class Crew:
    """Several workers as one: each runs in a thread of its own, so that none waits for another."""

    def __init__(self, *workers: Worker) -> None:
        self._workers = workers

    def run(self) -> None:
        """Run all until they are stopped."""
        threads = [threading.Thread(target=worker.run) for worker in self._workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def drain(self, progress: Callable[[int], None] = lambda _count: None) -> int:
        """Do all that is due, one worker after the other; return how many things were tried.

        Raises:
            DatabaseUnavailable: the ledger can't be read or written.
        """
        return sum(worker.drain(progress) for worker in self._workers)

    def wake(self) -> None:
        """Something may be due: look at once."""
        for worker in self._workers:
            worker.wake()

    def stop(self) -> None:
        """End after what is in hand."""
        for worker in self._workers:
            worker.stop()

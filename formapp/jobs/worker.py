"""Workers: each does what is due of one kind, and sleeps until it is woken or polls again."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from formapp.db.database import DatabaseUnavailableError

POLL_SECONDS = 1.0
"""How long a worker sleeps when nothing is due: other processes keep submissions, too."""

MOST_DEFECTS = 100
"""After so many in a row nothing good comes of going on to drain."""

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

    Attributes:
        defects: how many it met while it drained.
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
        self.defects = 0

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
        except DatabaseUnavailableError as error:
            if not self._unavailable:
                _log.error("work waits: the database %s", error)
            self._unavailable = True
            return False
        except Exception as error:  # noqa: BLE001 - a worker that has died does nothing
            _tell(error)
            return False
        if self._unavailable:
            _log.warning("the database is back")
        self._unavailable = False
        return busy

    def _do_chores(self) -> None:
        for chore in self._chores:
            try:
                chore()
            except DatabaseUnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - leads come first
                _log.error("a chore met a defect of formapp: %s", type(error).__name__)

    def drain(self, progress: Callable[[int], None] = lambda _count: None) -> int:
        """Do all that is due, then return how many things were tried.

        Raises:
            DatabaseUnavailableError: the ledger can't be read or written.
        """
        count = in_a_row = 0
        while not self._stopping.is_set() and in_a_row < MOST_DEFECTS:
            try:
                if not self._work():
                    break
                in_a_row = 0
            except DatabaseUnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - what else is due shall not suffer from it
                _tell(error)
                in_a_row += 1
                self.defects += 1
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


def _tell(error: Exception) -> None:
    # Its type alone: the text may hold an answer.
    _log.error("a worker met a defect of formapp: %s", type(error).__name__)


class Tried(NamedTuple):
    """How many things a crew tried: deliveries and errands. One tried twice counts twice."""

    deliveries: int
    errands: int


class WorkerGroup:
    """Several workers as one: each runs in a thread of its own, so that none waits for another.

    Args:
        deliveries: who delivers.
        errands: who runs errands.
    """

    def __init__(self, deliveries: Worker, *errands: Worker) -> None:
        self._deliveries = deliveries
        self._errands = errands
        self._workers = (deliveries, *errands)

    @property
    def defects(self) -> int:
        """How many its workers met while they drained."""
        return sum(worker.defects for worker in self._workers)

    def run(self) -> None:
        """Run all until they are stopped."""
        threads = [threading.Thread(target=worker.run) for worker in self._workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def drain(self, progress: Callable[[int], None] = lambda _count: None) -> Tried:
        """Do all that is due, one worker after the other; return how many things were tried.

        Leads come first: no slow mail server keeps them waiting. What an errand lets through is
        delivered in the same go.

        Raises:
            DatabaseUnavailableError: the ledger can't be read or written.
        """
        first = self._deliveries.drain(progress)
        errands = sum(worker.drain(progress) for worker in self._errands)
        return Tried(first + self._deliveries.drain(progress), errands)

    def wake(self) -> None:
        """Something may be due: look at once."""
        for worker in self._workers:
            worker.wake()

    def stop(self) -> None:
        """End after what is in hand."""
        for worker in self._workers:
            worker.stop()

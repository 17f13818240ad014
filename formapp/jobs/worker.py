"""Workers: each does the due work of one sort, and sleeps until it is woken or polls again."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from formapp.db.database import DatabaseUnavailableError

POLL_SECONDS = 1.0
"""How long a worker sleeps when nothing is due: other processes store work, too."""

MOST_DEFECTS = 100
"""Draining ends after so many in a row."""

Work = Callable[[], int]
"""Does the next thing that is due, or several at once; returns how many, 0 if there was none."""

_log = logging.getLogger(__name__)


@dataclass
class PeriodicTask:
    """Runs a task from time to time, between two pieces of a worker's work.

    The task receives the time, and returns whether it has more to do at once.
    """

    task: Callable[[datetime], object]
    every: timedelta
    clock: Callable[[], datetime]

    def __post_init__(self) -> None:
        self._next = self.clock()

    def __call__(self) -> None:
        """Run the task if it is time to; one that fails waits as well."""
        now = self.clock()
        # A clock that was put back must not stop it for longer than planned.
        if self._next - self.every <= now < self._next:
            return
        self._next = now + self.every
        if self.task(now):
            self._next = now


class Worker:
    """Works until it is stopped. `wake` and `stop` may be called from any thread.

    `interrupt` makes the work in hand end soon, `periodic` is called between two pieces of work.
    When it sleeps and is woken, it looks after `wake_delay_seconds`, once for all calls of `wake`.
    `defects` counts the exceptions that it met while it drained.
    """

    def __init__(
        self,
        work: Work,
        *,
        interrupt: Callable[[], None] = lambda: None,
        poll_seconds: float = POLL_SECONDS,
        wake_delay_seconds: float = 0.0,
        periodic: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._work = work
        self._interrupt = interrupt
        self._periodic = periodic
        self._poll_seconds = poll_seconds
        self._wake_delay_seconds = wake_delay_seconds
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._unavailable = False
        self.defects = 0

    def run(self) -> None:
        while not self._stopping.is_set():
            if not self._step():
                if self._woken.wait(self._poll_seconds):
                    self._stopping.wait(self._wake_delay_seconds)
                # Before the next look and before `stop` is checked: neither can be missed.
                self._woken.clear()

    def _step(self) -> int:
        """Do what is next; 0 if there was nothing, or it failed. Never raises."""
        try:
            self._run_periodic()
            busy = self._work()
        except DatabaseUnavailableError as error:
            if not self._unavailable:
                _log.error("work waits: the database %s", error)
            self._unavailable = True
            return 0
        except Exception as error:  # noqa: BLE001 - the worker must go on
            _log_defect(error)
            return 0
        if self._unavailable:
            _log.warning("the database is back")
        self._unavailable = False
        return busy

    def _run_periodic(self) -> None:
        for task in self._periodic:
            try:
                task()
            except DatabaseUnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - it must not delay a lead
                _log.error("a periodic task met a defect of formapp: %s", type(error).__name__)

    def drain(self, progress: Callable[[int], None] = lambda _count: None) -> int:
        """Do all that is due, then return how many things were tried."""
        count = in_a_row = 0
        while not self._stopping.is_set() and in_a_row < MOST_DEFECTS:
            done = 1
            try:
                done = self._work()
                in_a_row = 0
            except DatabaseUnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - other due work must be done
                _log_defect(error)
                in_a_row += 1
                self.defects += 1
            if not done:
                break
            for _ in range(done):
                count += 1
                progress(count)
        return count

    def wake(self) -> None:
        """Look soon: something may be due."""
        self._woken.set()

    def stop(self) -> None:
        """End after the call in flight; unfinished work is given back."""
        self._interrupt()
        self._stopping.set()
        self._woken.set()


def _log_defect(error: Exception) -> None:
    # Its type alone: the text may hold an answer.
    _log.error("a worker met a defect of formapp: %s", type(error).__name__)


class WorkerGroup:
    """Several workers as one, each in its own thread, so that none waits for another."""

    def __init__(self, deliveries: Sequence[Worker], *jobs: Worker) -> None:
        self._deliveries = deliveries
        self._jobs = jobs
        self._workers = (*deliveries, *jobs)

    @property
    def defects(self) -> int:
        return sum(worker.defects for worker in self._workers)

    def run(self) -> None:
        threads = [threading.Thread(target=worker.run) for worker in self._workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def drain(self, progress: Callable[[int], None] = lambda _count: None) -> tuple[int, int]:
        """Do all that is due, one worker after the other; return the tried deliveries and jobs.

        Deliveries run first, so that they don't wait for a slow mail server, and again at the end:
        a job may release a submission.
        """
        first = _drain(self._deliveries, progress)
        jobs = _drain(self._jobs, progress)
        return first + _drain(self._deliveries, progress), jobs

    def wake(self) -> None:
        for worker in self._workers:
            worker.wake()

    def stop(self) -> None:
        for worker in self._workers:
            worker.stop()


def _drain(workers: Sequence[Worker], progress: Callable[[int], None]) -> int:
    return sum(worker.drain(progress) for worker in workers)

"""Processes side by side: forked from this one, started again when one dies, ended together.

They are forked, so that they inherit what they share: the listening socket, memory, pipes. This
process has a single thread and does nothing else.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess

from formapp.cli.wiring import END_SIGNALS, exit_on_signals, on_signals

END_SECONDS = 27.0
"""How long processes may take to end, of the 30 s that they have together."""

STEADY_SECONDS = 10.0
"""A process that has run for so long is started again at once, else after a growing pause."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0

_fork = multiprocessing.get_context("fork")
_log = logging.getLogger(__name__)


@dataclass
class _Child:
    """One of the processes: `run` is what it does until SIGTERM."""

    name: str
    run: Callable[[], None]
    process: ForkProcess | None = None
    since: float = 0.0
    start_at: float = 0.0
    pause: float = 0.0

    def pause_before_start(self, now: float, *, is_steady: bool = False) -> None:
        """Have it started after the next pause, or at once."""
        self.pause = 0.0 if is_steady else min(max(2 * self.pause, FIRST_PAUSE), LONGEST_PAUSE)
        self.start_at = now + self.pause


class Supervisor:
    """Runs each of the tasks (name to function) in a process of its own.

    A task ends at SIGTERM, which it gets as well if this process is killed.
    """

    def __init__(self, tasks: Sequence[tuple[str, Callable[[], None]]]) -> None:
        self._children = [_Child(name, run) for name, run in tasks]
        self._stopping = False
        self._signalled, self._signal = _fork.Pipe(duplex=False)
        self._lifeline = _fork.Pipe(duplex=False)

    def run(self) -> bool:
        """Run until a signal comes; returns whether all ended well then."""
        on_signals(self._stop)
        try:
            while not self._stopping:
                for child in self._children:
                    self._keep_running(child)
                self._wait(min(child.start_at for child in self._children) - time.monotonic())
        finally:
            # After a defect as well: this process would wait for ever for its children.
            ended_well = self._end_all()
        return ended_well

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._signal.send_bytes(b"stop")  # wakes `_wait`

    def _keep_running(self, child: _Child) -> None:
        """Start the process if it is to run and doesn't."""
        now, process = time.monotonic(), child.process
        if process and process.exitcode is not None:
            child.process = None
            child.pause_before_start(now, is_steady=now - child.since >= STEADY_SECONDS)
            _log.error(
                "%s (process %s) ended with %s; it is started again in %.1f s",
                child.name, process.pid, process.exitcode, child.pause,
            )  # fmt: skip
        if child.process is None and child.start_at <= now:
            child.since, child.start_at = now, float("inf")
            try:
                child.process = self._start(child)
            except OSError as error:  # the system has no memory or number for a process
                child.pause_before_start(now)
                _log.error(
                    "%s can't be started (%s); it is tried again in %.1f s",
                    child.name, error.strerror, child.pause,
                )  # fmt: skip

    def _start(self, child: _Child) -> ForkProcess:
        process = _fork.Process(target=_run, args=(child.run, *self._lifeline), name=child.name)
        # Until the new process has a handler of its own, a signal waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)
        _log.info("%s is process %s", child.name, process.pid)
        return process

    def _wait(self, seconds: float) -> None:
        """Wait until a process ends, a signal comes, or the time is over."""
        ends = [child.process.sentinel for child in self._children if child.process]
        timeout = None if seconds == float("inf") else max(0.0, seconds)
        connection.wait([self._signalled, *ends], timeout)

    def _end_all(self) -> bool:
        running = [child.process for child in self._children if child.process]
        for process in running:
            process.terminate()
        until = time.monotonic() + END_SECONDS
        for process in running:
            process.join(max(0.0, until - time.monotonic()))
            if process.exitcode is None:
                _log.error("%s (process %s) doesn't end: it is killed", process.name, process.pid)
                process.kill()
                process.join()
        return not any(process.exitcode for process in running)


def _run(task: Callable[[], None], lifeline: Connection, held: Connection) -> None:
    """Do the task in its new process.

    The supervisor alone holds the end `held` of the lifeline open. (`multiprocessing` has a pipe
    for that, too, but later processes inherit it: each would wait for the end of those.)
    """
    exit_on_signals()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)
    held.close()
    threading.Thread(
        target=_end_with_supervisor, args=(lifeline,), daemon=True, name="supervisor"
    ).start()
    task()


def _end_with_supervisor(lifeline: Connection) -> None:
    """Wait for the end of the supervisor, which nothing but SIGKILL ends before its processes."""
    connection.wait([lifeline])
    os.kill(os.getpid(), signal.SIGTERM)

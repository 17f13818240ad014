"""Requests that share a thread: while one waits, the others go on.

Handing a request to another thread takes about as long as answering it. So the server answers what
needs little but a commit in the thread that reads the requests. Each of these is a greenlet there:
a function that may pause in the middle, as a coroutine does, but called like any other, so that
Flask and its views are the same in a thread of their own, under any server.

Two rules hold for what may run in one: it holds no lock while it waits, and it waits by the
functions of this module alone, since all other requests of the thread wait with it otherwise.
"""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")


class Hub:
    """Runs the greenlets of one thread, which calls `run` over and over.

    Args:
        wake: makes that thread call `run` soon; other threads call it.
        threads: how many may do for greenlets what has to wait (`in_thread`).
    """

    def __init__(self, wake: Callable[[], None], threads: int) -> None:
        self.pool = ThreadPoolExecutor(threads, "waiting")
        self.afterwards: dict[Callable[[], None], None] = {}
        self._wake = wake
        self._is_woken = False
        self._ready: deque[greenlet] = deque()

    def run(self, begin: Iterable[Callable[[], object]] = ()) -> None:
        """Go on with those that have waited long enough, and begin these; each ends or waits.

        Raises what one of those to begin raises.
        """
        # Before the deque is read: whatever comes after that wakes the thread again.
        self._is_woken = False
        while self._ready:
            self._ready.popleft().switch()
        for function in begin:
            _Greenlet(function, self).switch()
        starts, self.afterwards = self.afterwards, {}
        for start in starts:
            start()

    def resume(self, waiting: greenlet) -> None:
        """Have `run` go on with it; from any thread."""
        self._ready.append(waiting)
        if not self._is_woken:
            self._is_woken = True
            self._wake()


class _Greenlet(greenlet):
    def __init__(self, function: Callable[[], object], hub: Hub) -> None:
        self._thread = getcurrent()
        super().__init__(function, self._thread)
        self.hub = hub

    def wait_for(self, future: "Future[Any]") -> None:
        future.add_done_callback(lambda _: self.hub.resume(self))
        self._thread.switch()


def wait_for(future: Future[T]) -> T:
    """Return `future.result()`."""
    here = getcurrent()
    if isinstance(here, _Greenlet) and not future.done():
        here.wait_for(future)
    return future.result()


def in_thread(work: Callable[[], T]) -> T:
    """Return what `work` returns or raise what it raises: for what may have to wait."""
    here = getcurrent()
    if isinstance(here, _Greenlet):
        return wait_for(here.hub.pool.submit(copy_context().run, work))
    return work()


def before_waiting(start: Callable[[], None]) -> None:
    """Call `start` once before the thread waits, when all of its requests had their turn.

    Without a greenlet that is now.
    """
    here = getcurrent()
    if isinstance(here, _Greenlet):
        here.hub.afterwards[start] = None
    else:
        start()


def is_in_greenlet() -> bool:
    """Return whether the caller shares its thread with other requests."""
    return isinstance(getcurrent(), _Greenlet)

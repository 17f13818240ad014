"""How requests wait: for work that is done for several at once, while those of a thread go on.

Handing a request to another thread takes about as long as answering it. So the server answers what
needs little but a commit in the thread that reads the requests. Each of these is a greenlet there:
a function that may pause in the middle, as a coroutine does, but called like any other, so that
Flask and its views are the same in a thread of their own, under any server.

Two rules hold for what may run in one: it waits by the functions of this module alone, since all
other requests of the thread wait with it otherwise, and while it waits it holds no lock that
another may want.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from selectors import DefaultSelector
from typing import Any, Generic, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

_MAX_IDLE = 64
"""Greenlets that are kept, of 16 KiB each."""


class Hub:
    """Runs the greenlets of one thread, which polls for events and calls `run` before each poll.

    Args:
        wake: ends that thread's poll; other threads call it.
        in_thread: calls a function in another thread.

    Attributes:
        callbacks: to be called before the next poll, or the one after it.
        idle: greenlets whose function has returned.
        sockets: those that greenlets wait for; where its own file can be read, call `look`.
    """

    def __init__(
        self, wake: Callable[[], object], in_thread: Callable[[Callable[[], None]], object]
    ) -> None:
        self.in_thread = in_thread
        self.callbacks: dict[Callable[[], None], None] = {}
        self.idle: list[_Greenlet] = []
        self.sockets = DefaultSelector()
        self._wake = wake
        self._is_woken = False
        self._ready: deque[Callable[[], object]] = deque()

    def run(self, functions: Iterable[Callable[[], object]] = (), *, gathers: bool = False) -> None:
        """Resume the greenlets that have what they waited for, and have these functions called.

        Returns when each has ended or waits, and raises what one of them raises. With `gathers`,
        callbacks are left to the next call.
        """
        # Before the deque is read: whatever comes after that wakes the thread again.
        self._is_woken = False
        self._resume_all()
        for function in functions:
            self._start(function)
        self._resume_all()
        while self.callbacks and not gathers:
            callbacks, self.callbacks = self.callbacks, {}
            for callback in callbacks:
                self._start(callback)
            self._resume_all()

    def close(self) -> None:
        """End the idle greenlets; by the hub's own thread. Those that wait are never resumed."""
        while self.idle:
            self.idle.pop().switch()
        self.sockets.close()

    def _start(self, function: Callable[[], object]) -> None:
        if self.idle:
            self.idle.pop().start(function)
        else:
            _Greenlet(self).start(function)

    def _resume_all(self) -> None:
        while self._ready:
            self._ready.popleft()()

    def look(self) -> None:
        """Have the next `run` resume the greenlets whose socket is ready."""
        for key, events in self.sockets.select(0):
            self.sockets.unregister(key.fd)
            self._ready.append(partial(key.data.switch, events))

    def resume(self, waiting: greenlet) -> None:
        """Have `run` resume it; from any thread."""
        self._ready.append(waiting.switch)
        here = getcurrent()
        # What a greenlet resumes goes on before `run` returns.
        if not self._is_woken and not (isinstance(here, _Greenlet) and here.hub is self):
            self._is_woken = True
            self._wake()


class _Greenlet(greenlet):
    """Calls one function after another, since making a greenlet costs 8 µs.

    It ends where it is resumed without a function.
    """

    def __init__(self, hub: Hub) -> None:
        self._thread = getcurrent()
        super().__init__(parent=self._thread)
        self.hub = hub
        self._function: Callable[[], object] | None = None

    def start(self, function: Callable[[], object]) -> None:
        """Call it; returns when that returns or waits."""
        self._function = function
        self.switch()

    def run(self) -> None:
        while self._function:
            self._function()
            self._function = None
            # The next one finds an empty context, as in a new thread.
            self.gr_context = None
            if len(self.hub.idle) < _MAX_IDLE:
                self.hub.idle.append(self)
                self._thread.switch()

    def wait_for(self, future: "Future[Any]") -> None:
        future.add_done_callback(lambda _: self.hub.resume(self))
        self._thread.switch()

    def wait_for_socket(self, descriptor: int, events: int) -> int:
        self.hub.sockets.register(descriptor, events, self)
        return int(self._thread.switch())


def wait_for(future: Future[T]) -> T:
    """Return `future.result()`."""
    here = getcurrent()
    if isinstance(here, _Greenlet) and not future.done():
        here.wait_for(future)
    return future.result()


def in_thread(work: Callable[[], T]) -> T:
    """Return what `work` returns or raise what it raises: for what may have to wait.

    By a thread that all requests share.
    """
    here = getcurrent()
    return _by_another(work, here.hub.in_thread) if isinstance(here, _Greenlet) else work()


def in_own_thread(work: Callable[[], T]) -> T:
    """Do as `in_thread`, by a new thread: where the shared ones may all wait for the caller."""
    return _by_another(work, _start_thread) if shares_thread() else work()


def _by_another(work: Callable[[], T], begin: Callable[[Callable[[], None]], object]) -> T:
    future: Future[T] = Future()
    context = copy_context()

    def call() -> None:
        try:
            result = context.run(work)
        except BaseException as error:  # noqa: BLE001 - its caller raises it again
            future.set_exception(error)
        else:
            future.set_result(result)

    begin(call)
    return wait_for(future)


def _start_thread(call: Callable[[], None]) -> None:
    try:
        threading.Thread(target=call, daemon=True, name="own").start()
    except RuntimeError:
        call()  # the system gives no more threads


def wait_for_socket(descriptor: int, events: int) -> int:
    """Return which of these events have come (`selectors.EVENT_READ`, `EVENT_WRITE`).

    Only for a caller that shares its thread. The socket stays open meanwhile. Raises OSError where
    the system can't watch one more.
    """
    here = getcurrent()
    if not isinstance(here, _Greenlet):
        raise RuntimeError("no other request shares this thread")  # noqa: TRY004 - not of a type
    return here.wait_for_socket(descriptor, events)


def before_poll(callback: Callable[[], None]) -> None:
    """Call this once, by a greenlet, when all requests of the thread wait, or after one more poll.

    At once where none shares it.
    """
    here = getcurrent()
    if isinstance(here, _Greenlet):
        here.hub.callbacks[callback] = None
    else:
        callback()


def shares_thread() -> bool:
    """Return whether the caller is a request that shares its thread with others."""
    return isinstance(getcurrent(), _Greenlet)


class _Batch(Generic[Item, Result]):
    """Items that are processed together, and their answers once they are."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.answers: Future[Sequence[Result | Exception]] = Future()


class Group(Generic[Item, Result]):
    """Processes together the items that several requests hand in at once.

    First what was handed in first, then what came meanwhile. Requests that share a thread all hand
    in their items before it begins.

    Args:
        work: takes items in the order in which they came, and returns as many answers: a result, or
            an exception that is raised to the caller with that item. What it raises itself is
            raised to all of them, and to all that wait.
        most: items at a time.
        blocks: whether `work` blocks its thread: then it always has a thread of its own, else only
            where no requests share theirs. All requests may wait for it, so it must wait for none
            of their threads (`in_own_thread`).
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        most: int,
        *,
        blocks: bool = True,
    ) -> None:
        self._work = work
        self._most = most
        self._blocks = blocks
        self._mutex = threading.Lock()
        self._waiting: deque[_Batch[Item, Result]] = deque()
        self._is_at_work = False
        self._is_due = threading.Event()
        self._thread: threading.Thread | None = None

    def do(self, item: Item) -> Result:
        """Have this item processed, with others that wait; raises what the work found for it."""
        with self._mutex:
            if not self._waiting or len(self._waiting[-1].items) == self._most:
                self._waiting.append(_Batch())
            batch = self._waiting[-1]
            place = len(batch.items)
            batch.items.append(item)
        before_poll(self._begin)
        answer = wait_for(batch.answers)[place]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _begin(self) -> None:
        """Begin, unless one is at work: it goes on with what waits."""
        is_own = shares_thread() and not self._blocks
        with self._mutex:
            if self._is_at_work:
                return
            self._is_at_work = True
            if self._thread is None and not is_own:
                self._thread = self._new_thread()
        if self._thread and not is_own:
            self._is_due.set()
        else:
            self._work_off()

    def _new_thread(self) -> threading.Thread | None:
        """Start the thread, with the first item: a fork has none of its parent's threads."""
        thread = threading.Thread(target=self._run, daemon=True, name="commit")
        try:
            thread.start()
        except RuntimeError:
            # The system gives no more threads: what is handed in must be stored all the same.
            return None
        return thread

    def _run(self) -> None:
        while self._is_due.wait():
            self._is_due.clear()
            self._work_off()

    def _work_off(self) -> None:
        while batch := self._take():
            try:
                answers = self._work(batch.items)
                if len(answers) != len(batch.items):
                    raise ValueError(f"{len(batch.items)} items have {len(answers)} answers")  # noqa: TRY301 - raised to all
            except BaseException as error:  # noqa: BLE001 - each caller raises it again
                # What waits has waited as long: were each batch tried in turn, the last would wait
                # many times as long for a database that hangs.
                for each in (batch, *self._take_all()):
                    each.answers.set_exception(error)
            else:
                batch.answers.set_result(answers)

    def _take_all(self) -> list[_Batch[Item, Result]]:
        with self._mutex:
            batches = list(self._waiting)
            self._waiting.clear()
            return batches

    def _take(self) -> _Batch[Item, Result] | None:
        """Return the first batch that waits; None, and no longer at work, where none does."""
        with self._mutex:
            self._is_at_work = bool(self._waiting)
            return self._waiting.popleft() if self._waiting else None

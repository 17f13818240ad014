"""A thread whose work is done by greenlets, as the server's is."""

import select
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from formapp.waiting import Hub

T = TypeVar("T")


class _CountingHub(Hub):
    """Knows how many greenlets have not ended: one may work for those of other threads."""

    active = 0

    def _start(self, function: Callable[[], object]) -> None:
        def counted() -> None:
            try:
                function()
            finally:
                self.active -= 1

        self.active += 1
        super()._start(counted)


def in_greenlet(work: Callable[[], T]) -> T:
    """Return what this returns or raise what it raises, done by a greenlet of this thread."""
    [result] = in_greenlets([work])
    if isinstance(result, BaseException):
        raise result
    return result


def in_greenlets(works: Sequence[Callable[[], T]], seconds: float = 20) -> list[T | BaseException]:
    """Return what each of these returns or raises; they share this thread."""
    woken, wakes = socket.socketpair()
    pool = ThreadPoolExecutor(4)
    hub = _CountingHub(lambda: wakes.send(b"."), pool.submit)
    results: dict[int, T | BaseException] = {}

    def do(number: int) -> None:
        try:
            results[number] = works[number]()
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            results[number] = error

    hub.run([partial(do, number) for number in range(len(works))])
    while hub.active:
        files: list[Any] = [woken, hub.sockets]
        ready, _, _ = select.select(files, [], [], seconds)
        assert ready, f"{hub.active} still wait"
        if woken in ready:
            woken.recv(1)
        hub.look()
        hub.run()
    # Only now may they be closed: a thread of the pool may still be about to wake this one.
    pool.shutdown()
    for each in (woken, wakes, hub):
        each.close()
    return [results[number] for number in range(len(works))]

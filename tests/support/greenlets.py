"""A thread whose work is done by greenlets, as the server's is."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from formapp.waiting import Hub

T = TypeVar("T")


def in_greenlet(work: Callable[[], T]) -> T:
    """Return what this returns or raise what it raises, done by a greenlet of this thread."""
    [result] = in_greenlets([work])
    if isinstance(result, BaseException):
        raise result
    return result


def in_greenlets(works: Sequence[Callable[[], T]], seconds: float = 20) -> list[T | BaseException]:
    """Return what each of these returns or raises; they share this thread."""
    woken = threading.Event()
    pool = ThreadPoolExecutor(4)
    hub = Hub(woken.set, pool.submit)
    results: dict[int, T | BaseException] = {}

    def do(number: int) -> None:
        try:
            results[number] = works[number]()
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            results[number] = error

    hub.run([partial(do, number) for number in range(len(works))])
    while len(results) < len(works):
        assert woken.wait(seconds), f"{len(works) - len(results)} still wait"
        woken.clear()
        hub.run()
    pool.shutdown()
    return [results[number] for number in range(len(works))]

"""Requests that share a thread: who goes on, who waits, and in which thread."""

import threading
import time
from concurrent.futures import Future
from contextvars import ContextVar
from functools import partial

import pytest

from formapp.waiting import Hub, before_poll, in_thread, shares_thread, wait_for
from tests.support.greenlets import in_greenlet, in_greenlets

NAME: ContextVar[str] = ContextVar("NAME")


def _fail() -> None:
    raise ZeroDivisionError


def test_outside_a_greenlet_all_is_as_if_there_were_none() -> None:
    done: Future[int] = Future()
    threading.Timer(0.01, done.set_result, [7]).start()
    assert wait_for(done) == 7
    assert in_thread(threading.get_ident) == threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        in_thread(_fail)
    begun: list[str] = []
    before_poll(lambda: begun.append("now"))
    assert begun == ["now"]
    assert not shares_thread()


def test_while_one_waits_the_others_go_on_in_the_same_thread() -> None:
    seen: list[str] = []
    slow: Future[str] = Future()

    def first() -> str:
        seen.append("first begins")
        answer = wait_for(slow)
        seen.append(f"first has {answer}")
        return answer

    def second() -> int:
        seen.append("second")
        slow.set_result("it")
        return threading.get_ident()

    assert in_greenlets([first, second]) == ["it", threading.get_ident()]
    assert seen == ["first begins", "second", "first has it"]


def test_what_has_to_wait_is_done_by_another_thread_in_the_same_context() -> None:
    def ask() -> tuple[str, bool]:
        NAME.set("Ada")
        assert in_thread(threading.get_ident) != threading.get_ident()
        return in_thread(NAME.get), in_thread(shares_thread)

    assert in_greenlet(ask) == ("Ada", False)
    with pytest.raises(ZeroDivisionError):
        in_greenlet(partial(in_thread, _fail))


def test_each_has_a_context_of_its_own() -> None:
    def name(mine: str) -> str:
        before = NAME.get("nobody")
        NAME.set(mine)
        in_thread(partial(time.sleep, 0.01))
        return f"{before}, {NAME.get()}"

    NAME.set("the thread")
    assert in_greenlets([partial(name, "Ada"), partial(name, "Bob")]) == [
        "nobody, Ada",
        "nobody, Bob",
    ]
    assert NAME.get() == "the thread"


def test_before_poll_is_once_and_after_all_had_their_turn() -> None:
    seen: list[str] = []
    begun: Future[None] = Future()

    def begin() -> None:
        seen.append("begin")
        begun.set_result(None)

    def ask(name: str) -> None:
        before_poll(begin)
        seen.append(name)
        wait_for(begun)

    in_greenlets([partial(ask, "one"), partial(ask, "two")])
    assert seen == ["one", "two", "begin"]


def test_a_future_that_is_done_or_fails_needs_no_wait() -> None:
    done: Future[int] = Future()
    done.set_result(1)
    failed: Future[int] = Future()
    failed.set_exception(KeyError("x"))
    assert in_greenlet(partial(wait_for, done)) == 1
    with pytest.raises(KeyError):
        in_greenlet(partial(wait_for, failed))


def test_the_thread_is_woken_once_for_what_ends_together() -> None:
    wakes: list[None] = []
    hub = Hub(lambda: wakes.append(None), lambda work: work())
    together: Future[int] = Future()
    answers: list[int] = []
    hub.run([lambda: answers.append(wait_for(together))] * 5)
    assert answers == []
    together.set_result(3)
    assert (answers, wakes) == ([], [None])
    hub.run()
    assert answers == [3] * 5


def test_many_lose_no_wake_up() -> None:
    def ask(number: int) -> int:
        for _ in range(20):
            assert in_thread(lambda: number) == number
        return number

    assert in_greenlets([partial(ask, number) for number in range(100)]) == list(range(100))

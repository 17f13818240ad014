"""Requests that share a thread: who goes on, who waits, and in which thread."""

import socket
import threading
import time
import weakref
from concurrent.futures import Future
from contextvars import ContextVar
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from greenlet import getcurrent

from formapp.waiting import (
    Hub,
    before_poll,
    in_own_thread,
    in_thread,
    shares_thread,
    wait_for,
    wait_for_socket,
)
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


def test_what_is_called_before_the_poll_can_be_left_to_the_next_run() -> None:
    hub = Hub(lambda: None, lambda work: work())
    seen: list[str] = []
    hub.run([partial(before_poll, partial(seen.append, "called"))] * 2, gathers=True)
    assert seen == []
    hub.run([partial(seen.append, "next")])
    assert seen == ["next", "called"]
    hub.run()
    assert seen == ["next", "called"]
    hub.close()


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


def test_while_one_waits_for_a_socket_the_others_go_on() -> None:
    seen: list[str] = []
    mine, other = socket.socketpair()

    def read() -> bytes:
        assert wait_for_socket(mine.fileno(), EVENT_READ | EVENT_WRITE) == EVENT_WRITE
        assert wait_for_socket(mine.fileno(), EVENT_READ) == EVENT_READ
        seen.append("read")
        return mine.recv(9)

    def write() -> int:
        in_thread(partial(time.sleep, 0.01))
        seen.append("write")
        return other.send(b"Ada")

    with mine, other:
        assert in_greenlets([read, write]) == [b"Ada", 3]
    assert seen == ["write", "read"]


def test_a_socket_that_ends_or_fails_ends_the_wait() -> None:
    mine, other = socket.socketpair()
    with mine:
        other.close()
        events = in_greenlet(partial(wait_for_socket, mine.fileno(), EVENT_READ | EVENT_WRITE))
        assert events & EVENT_READ


def test_only_who_shares_a_thread_may_wait_for_a_socket() -> None:
    mine, other = socket.socketpair()
    with mine, other, pytest.raises(RuntimeError):
        wait_for_socket(mine.fileno(), EVENT_READ)


def test_what_is_called_before_the_poll_may_wait_too() -> None:
    begun: Future[bool] = Future()

    def begin() -> None:
        begun.set_result(in_thread(shares_thread) is False and shares_thread())

    def ask() -> bool:
        before_poll(begin)
        return wait_for(begun)

    assert in_greenlet(ask) is True


def test_what_a_greenlet_resumes_goes_on_at_once_and_wakes_no_thread() -> None:
    wakes: list[None] = []
    hub = Hub(lambda: wakes.append(None), lambda work: work())
    done: Future[int] = Future()
    answers: list[int] = []
    hub.run([lambda: answers.append(wait_for(done)), lambda: done.set_result(3)])
    assert (answers, wakes) == ([3], [])


def test_another_threads_greenlet_is_woken() -> None:
    done: Future[int] = Future()

    def resolve() -> None:
        time.sleep(0.02)  # the other waits by then
        in_greenlet(partial(done.set_result, 3))

    thread = threading.Thread(target=resolve)
    thread.start()
    assert in_greenlet(partial(wait_for, done)) == 3
    thread.join()


def test_a_greenlet_serves_again_with_an_empty_context_unless_its_function_fails() -> None:
    hub = Hub(lambda: None, lambda work: work())
    seen: list[tuple[int, str]] = []

    def name(mine: str) -> None:
        seen.append((id(getcurrent()), NAME.get("nobody")))
        NAME.set(mine)

    hub.run([partial(name, "Ada")])
    hub.run([partial(name, "Bob"), partial(name, "Eve")])
    assert {number for number, _ in seen} == {id(hub.idle[0])}
    assert [before for _, before in seen] == ["nobody"] * 3
    with pytest.raises(ZeroDivisionError):
        hub.run([_fail])
    assert hub.idle == []
    hub.run([partial(name, "Jon")])
    assert seen[-1][1] == "nobody"


def test_of_many_greenlets_few_are_kept() -> None:
    hub = Hub(lambda: None, lambda work: work())
    together: Future[None] = Future()
    hub.run([partial(wait_for, together)] * 200)
    together.set_result(None)
    hub.run()
    assert len(hub.idle) == 64


def test_an_idle_greenlet_keeps_nothing_of_what_it_called() -> None:
    class Answers:
        pass

    hub = Hub(lambda: None, lambda work: work())
    kept: list[weakref.ref[Answers]] = []
    given: ContextVar[Answers] = ContextVar("given")

    def visit() -> None:
        answers = Answers()
        given.set(answers)
        kept.append(weakref.ref(answers))

    hub.run([visit])
    assert len(hub.idle) == 1
    assert kept[0]() is None


def test_a_hub_that_is_closed_ends_its_greenlets() -> None:
    hub = Hub(lambda: None, lambda work: work())
    hub.run([partial(time.sleep, 0)])
    [idle] = hub.idle
    hub.close()
    assert (hub.idle, idle.dead) == ([], True)


def test_own_threads_are_new_and_where_there_are_none_the_caller_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert in_own_thread(threading.get_ident) == threading.get_ident()
    assert in_greenlet(partial(in_own_thread, threading.get_ident)) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        in_greenlet(partial(in_own_thread, _fail))

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert in_greenlet(partial(in_own_thread, threading.get_ident)) == threading.get_ident()

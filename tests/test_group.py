"""Group commit's turns: who works, who waits, who is told what."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from formapp.waiting import Group, in_own_thread, in_thread
from tests.support.greenlets import in_greenlet, in_greenlets
from tests.support.processes import eventually

Answers = Sequence[int | Exception]


class Doubling:
    """Doubles numbers; its first turn lasts until it is let go."""

    def __init__(self, work: Callable[[Sequence[int]], Answers] | None = None) -> None:
        self.turns: list[list[int]] = []
        self.workers: list[int] = []
        self.let_go = threading.Event()
        self.began = threading.Event()
        self._work = work or (lambda numbers: [2 * number for number in numbers])
        self.group = Group[int, int](self.work, 32)

    def work(self, numbers: Sequence[int]) -> Answers:
        self.turns.append(list(numbers))
        self.workers.append(threading.get_ident())
        if len(self.turns) == 1:
            self.began.set()
            assert self.let_go.wait(10)
            return [2 * number for number in numbers]
        return self._work(numbers)

    def crowd(self, pool: ThreadPoolExecutor, numbers: range) -> list[Future[int]]:
        """Hand the first number in, and the others while it is at work."""
        first = pool.submit(self.group.do, numbers[0])
        assert self.began.wait(10)
        others = [pool.submit(self.group.do, number) for number in numbers[1:]]
        waiting = self.group._waiting
        eventually(lambda: sum(len(each.items) for each in waiting) == len(others))
        self.let_go.set()
        return [first, *others]


def test_whoever_comes_alone_is_done_at_once_by_the_same_thread() -> None:
    doubling = Doubling()
    doubling.let_go.set()
    assert [doubling.group.do(number) for number in range(3)] == [0, 2, 4]
    assert doubling.turns == [[0], [1], [2]]
    assert len(set(doubling.workers)) == 1
    assert threading.get_ident() not in doubling.workers


def test_greenlets_of_a_thread_all_hand_in_before_the_work_begins() -> None:
    doubling = Doubling(lambda numbers: [KeyError(n) if n == 3 else 2 * n for n in numbers])
    doubling.let_go.set()
    assert in_greenlet(partial(doubling.group.do, 9)) == 18
    asked = [partial(doubling.group.do, number) for number in range(5)]
    answers = in_greenlets(asked)
    assert [answers[number] for number in (0, 1, 2, 4)] == [0, 2, 4, 8]
    assert isinstance(answers[3], KeyError)
    assert doubling.turns == [[9], [0, 1, 2, 3, 4]]


def test_greenlets_and_threads_share_the_work() -> None:
    doubling = Doubling()
    with ThreadPoolExecutor(8) as pool:
        futures = doubling.crowd(pool, range(4))
        asked = [partial(doubling.group.do, number) for number in range(10, 14)]
        assert in_greenlets(asked) == [20, 22, 24, 26]
        assert [future.result(10) for future in futures] == [0, 2, 4, 6]


def test_work_that_blocks_nothing_is_done_in_the_thread_of_the_greenlets() -> None:
    turns: list[list[int]] = []

    def work(numbers: Sequence[int]) -> Answers:
        in_own_thread(partial(time.sleep, 0.01))
        turns.append([threading.get_ident(), *numbers])
        return [2 * number for number in numbers]

    group = Group[int, int](work, 3, blocks=False)
    own = threading.get_ident()
    asked = [partial(group.do, number) for number in range(5)]
    assert in_greenlets(asked) == [0, 2, 4, 6, 8]
    assert turns == [[own, 0, 1, 2], [own, 3, 4]]


def test_without_greenlets_such_work_has_a_thread_which_also_serves_greenlets() -> None:
    doubling = Doubling()
    doubling.group = Group[int, int](doubling.work, 32, blocks=False)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(doubling.group.do, 7)
        assert doubling.began.wait(10)
        go_on = partial(in_thread, doubling.let_go.set)
        assert in_greenlets([partial(doubling.group.do, 8), go_on])[0] == 16
        assert other.result(10) == 14
    assert doubling.turns == [[7], [8]]
    assert threading.get_ident() not in doubling.workers


def test_all_threads_of_the_pool_may_wait_for_work_of_greenlets() -> None:
    shared: list[int] = []

    def work(numbers: Sequence[int]) -> Answers:
        eventually(lambda: len(shared) == 4)  # all of the pool wait, or are about to
        return in_own_thread(lambda: [2 * number for number in numbers])

    group = Group[int, int](work, 3, blocks=False)

    def wait_in_pool(number: int) -> int:
        def do() -> int:
            shared.append(number)
            return group.do(number)

        return in_thread(do)

    asked = [partial(group.do, 9), *(partial(wait_in_pool, number) for number in range(4))]
    assert in_greenlets(asked) == [18, 0, 2, 4, 6]


def test_where_work_of_greenlets_fails_all_that_wait_fail_and_the_next_goes_on() -> None:
    def work(numbers: Sequence[int]) -> Answers:
        in_own_thread(partial(time.sleep, 0.01))
        if 0 in numbers:
            raise ZeroDivisionError
        return [2 * number for number in numbers]

    group = Group[int, int](work, 3, blocks=False)
    errors = in_greenlets([partial(group.do, number) for number in range(5)])
    assert [type(error) for error in errors] == [ZeroDivisionError] * 5
    assert in_greenlet(partial(group.do, 4)) == 8


def test_without_a_thread_the_own_one_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    doubling = Doubling()
    doubling.let_go.set()
    assert [doubling.group.do(number) for number in range(3)] == [0, 2, 4]
    assert set(doubling.workers) == {threading.get_ident()}
    monkeypatch.undo()
    assert doubling.group.do(3) == 6


def test_all_who_come_meanwhile_are_done_in_one_turn_and_get_their_own_answers() -> None:
    doubling = Doubling()
    with ThreadPoolExecutor(8) as pool:
        futures = doubling.crowd(pool, range(8))
        assert [future.result(10) for future in futures] == list(range(0, 16, 2))
    assert [sorted(turn) for turn in doubling.turns] == [[0], list(range(1, 8))]


def test_an_exception_among_the_answers_is_raised_to_its_own_caller_alone() -> None:
    doubling = Doubling(lambda numbers: [KeyError(n) if n == 3 else 2 * n for n in numbers])
    with ThreadPoolExecutor(5) as pool:
        futures = doubling.crowd(pool, range(5))
        errors = [future.exception(10) for future in futures]
    assert [type(error) for error in errors] == [type(None)] * 3 + [KeyError] + [type(None)]


def _broken(_numbers: Sequence[int]) -> Answers:
    raise ZeroDivisionError


def _forgetful(numbers: Sequence[int]) -> Answers:
    return [0] * (len(numbers) - 1)


@pytest.mark.parametrize(
    ("work", "error"), [(_broken, ZeroDivisionError), (_forgetful, ValueError)]
)
def test_work_that_fails_is_told_to_all_and_the_next_turn_goes_on(
    work: Callable[[Sequence[int]], Answers], error: type[Exception]
) -> None:
    doubling = Doubling(work)
    with ThreadPoolExecutor(4) as pool:
        first, *others = doubling.crowd(pool, range(4))
        assert first.result(10) == 0
        assert [type(other.exception(10)) for other in others] == [error] * 3
    doubling._work = list
    assert doubling.group.do(7) == 7


def test_no_batch_has_more_than_the_most() -> None:
    doubling = Doubling()
    doubling.let_go.set()
    asked = [partial(doubling.group.do, number) for number in range(100)]
    assert in_greenlets(asked) == list(range(0, 200, 2))
    assert [len(turn) for turn in doubling.turns] == [32, 32, 32, 4]


def test_where_work_fails_all_that_wait_hear_it_at_once() -> None:
    calls: list[int] = []

    def fail(numbers: Sequence[int]) -> Answers:
        calls.append(len(numbers))
        raise ZeroDivisionError

    group = Group[int, int](fail, 32)
    errors = in_greenlets([partial(group.do, number) for number in range(100)])
    assert [type(error) for error in errors] == [ZeroDivisionError] * 100
    assert calls == [32]


def test_many_threads_lose_nothing_and_mix_nothing_up() -> None:
    group = Group[int, int](lambda numbers: [2 * number for number in numbers], 32)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(group.do, range(5000))) == list(range(0, 10_000, 2))

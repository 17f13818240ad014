"""Counts in memory that several processes share: exact, bounded, and of windows that end."""

import mmap
import multiprocessing
from collections.abc import Iterator

import pytest

from formapp.web import shared_counts
from formapp.web.shared_counts import PART, SharedCounts
from tests.support.clock import NOON, TurnedClock

KEY = b"k" * 32
fork = multiprocessing.get_context("fork")


@pytest.fixture
def words() -> Iterator[memoryview]:
    """The memory of two processes."""
    memory = mmap.mmap(-1, 2 * PART * 8)
    view = memoryview(memory).cast("Q")
    yield view
    view.release()


def test_two_count_as_one(words: memoryview) -> None:
    clock = TurnedClock(NOON)
    first, second = (SharedCounts(words, number, KEY, clock.seconds) for number in (0, 1))
    counted = [first.incr("a", 60), second.incr("a", 60), second.incr("a", 60, 2)]
    assert counted == [1, 2, 4]
    assert [first.incr("a", 60, 0), second.incr("b", 60), first.incr("a", 3600)] == [4, 1, 1]


def test_a_window_ends_for_both(words: memoryview) -> None:
    clock = TurnedClock(NOON)
    first, second = (SharedCounts(words, number, KEY, clock.seconds) for number in (0, 1))
    assert [first.incr("a", 60), second.incr("a", 60)] == [1, 2]
    clock.turn(60)
    assert [second.incr("a", 60), first.incr("a", 60)] == [1, 2]


def test_a_successor_goes_on_with_the_counts_of_its_number(words: memoryview) -> None:
    clock = TurnedClock(NOON)
    SharedCounts(words, 1, KEY, clock.seconds).incr("a", 60, 5)
    assert SharedCounts(words, 1, KEY, clock.seconds).incr("a", 60) == 6


def _count(words: memoryview, number: int, times: int) -> None:
    counts = SharedCounts(words, number, KEY)
    for _ in range(times):
        counts.incr("a", 10**9)


def test_processes_that_count_at_once_lose_nothing(words: memoryview) -> None:
    processes = [fork.Process(target=_count, args=(words, number, 2000)) for number in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert SharedCounts(words, 0, KEY).incr("a", 10**9, 0) == 4000


def test_many_addresses_push_out_no_count_that_is_high(
    words: memoryview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_counts, "_BUCKETS", 4)
    clock = TurnedClock(NOON)
    counts = SharedCounts(words, 0, KEY, clock.seconds)
    counts.incr("form", 60, 30)
    for number in range(1000):
        counts.incr(f"address {number}", 60)
    assert counts.incr("form", 60) == 31
    clock.turn(60)
    assert counts.incr("address 1", 60) == 1

"""The rate budget in the database: one window for all workers."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from formapp.db.database import Database
from formapp.delivery.sites import MINUTE, WINDOW, Budget
from tests.support.clock import NOON


def test_calls_are_let_through_up_to_the_limit_and_again_when_the_window_has_moved_on(
    database: Database,
) -> None:
    budget = Budget(database, 3)
    for second in range(3):
        assert budget.take("main", NOON + timedelta(seconds=second)) is None
    late = NOON + timedelta(seconds=10)
    assert budget.take("main", late) == NOON + WINDOW
    assert budget.take("main", NOON + WINDOW - timedelta(seconds=0.001)) == NOON + WINDOW
    assert budget.take("main", NOON + WINDOW) is None
    assert budget.take("main", NOON + WINDOW) == NOON + WINDOW + timedelta(seconds=1)


def test_the_window_is_no_shorter_than_wixs_minute() -> None:
    assert timedelta(seconds=60) <= WINDOW <= timedelta(seconds=62)


def test_a_call_that_took_long_counts_from_a_second_before_its_end(database: Database) -> None:
    budget = Budget(database, 1)
    budget.take("main", NOON)
    budget.ended("main", NOON, NOON + timedelta(seconds=8))
    # Wix may have seen it at its end.
    free_at = NOON + timedelta(seconds=8) + MINUTE
    assert budget.take("main", NOON + WINDOW) == free_at
    assert budget.take("main", free_at) is None


def test_a_call_that_took_no_second_counts_from_its_beginning(database: Database) -> None:
    budget = Budget(database, 1)
    budget.take("main", NOON)
    budget.ended("main", NOON, NOON + timedelta(seconds=0.9))
    assert budget.take("main", NOON + WINDOW) is None


def test_of_calls_that_were_counted_at_once_only_one_took_long(database: Database) -> None:
    budget = Budget(database, 2)
    for site in ("main", "main", "second"):
        budget.take(site, NOON)
    budget.ended("main", NOON, NOON + timedelta(seconds=8))
    assert budget.take("main", NOON + WINDOW) is None
    assert budget.take("main", NOON + WINDOW) == NOON + timedelta(seconds=8) + MINUTE
    assert budget.room_at("second", NOON + WINDOW, 2) is None


def test_a_clock_that_was_put_back_during_a_call_changes_nothing(database: Database) -> None:
    budget = Budget(database, 1)
    budget.take("main", NOON)
    budget.ended("main", NOON, NOON - timedelta(hours=1))
    assert budget.take("main", NOON) == NOON + WINDOW


def test_a_refused_call_is_not_counted(database: Database) -> None:
    budget = Budget(database, 1)
    budget.take("main", NOON)
    for _ in range(5):
        budget.take("main", NOON)
    assert budget.take("main", NOON + WINDOW) is None


def test_room_is_told_for_several_calls_and_nothing_is_taken(database: Database) -> None:
    budget = Budget(database, 3)
    assert budget.room_at("main", NOON, 3) is None
    budget.take("main", NOON)
    budget.take("main", NOON + timedelta(seconds=5))
    at = NOON + timedelta(seconds=6)
    for _ in range(2):
        assert budget.room_at("main", at, 1) is None
        assert budget.room_at("main", at, 2) == NOON + WINDOW
        assert budget.room_at("main", at, 3) == NOON + timedelta(seconds=5) + WINDOW


def test_more_room_than_the_limit_is_never_waited_for(database: Database) -> None:
    budget = Budget(database, 2)
    assert budget.room_at("main", NOON, 50) is None
    budget.take("main", NOON)
    assert budget.room_at("main", NOON, 50) == NOON + WINDOW


def test_sites_have_budgets_of_their_own(database: Database) -> None:
    budget = Budget(database, 1)
    assert budget.take("main", NOON) is None
    assert budget.take("second", NOON) is None
    assert budget.take("main", NOON) is not None


def test_workers_that_ask_at_once_share_one_budget(database: Database) -> None:
    limit, start = 15, threading.Barrier(4)

    def ask(_: int) -> int:
        start.wait(20)
        budget = Budget(database, limit)
        return sum(budget.take("main", NOON) is None for _ in range(10))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(4))) == limit


def test_calls_of_a_clock_that_was_a_day_ahead_take_no_room(database: Database) -> None:
    budget = Budget(database, 1)
    assert budget.take("main", NOON + timedelta(days=1)) is None
    assert budget.room_at("main", NOON, 1) is None
    assert budget.take("main", NOON) is None
    assert budget.take("main", NOON) == NOON + WINDOW

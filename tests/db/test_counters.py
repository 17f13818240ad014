"""Counts that processes share, and what may be taken a few times only."""

import threading
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from formapp.db.counters import (
    UsageLimit,
    count_up,
    sweep,
)
from formapp.db.database import Database
from formapp.db.tables import counts, deliveries, jobs, submissions
from formapp.jobs.queue import Job
from formapp.leads.accept import Receipt, Status, keep
from formapp.signing import COUNTED, Keyring
from tests.support.clock import NOON
from tests.support.leads import lead, submission

KEY = "0" * 64
MINUTE = timedelta(minutes=1)


def up(database: Database, at: timedelta = timedelta(), amount: int = 1) -> int:
    with database.write() as connection:
        now = NOON + at
        return count_up(connection, KEY, now + MINUTE, now, amount)


def number(database: Database, table: object) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type] # a table


def test_a_count_grows_until_its_end_and_begins_again(database: Database) -> None:
    assert [up(database), up(database, timedelta(seconds=59), 3)] == [1, 4]
    assert up(database, MINUTE) == 1
    assert up(database, MINUTE * 2 - timedelta(seconds=1)) == 2


def test_what_was_counted_by_a_clock_that_was_ahead_is_over_once_it_is_put_right(
    database: Database,
) -> None:
    assert [up(database, timedelta(days=1)), up(database, timedelta(days=1))] == [1, 2]
    assert [up(database), up(database)] == [1, 2]
    assert up(database, MINUTE - timedelta(seconds=1)) == 3
    assert up(database, MINUTE) == 1


def test_processes_whose_clocks_differ_a_little_share_a_count(database: Database) -> None:
    ahead = [timedelta(0), timedelta(seconds=30), timedelta(0), timedelta(seconds=10)]
    assert [up(database, each) for each in ahead] == [1, 2, 3, 4]
    up(database, MINUTE * 5)
    assert up(database, MINUTE) == 2


def test_many_at_once_miss_nobody(database: Database) -> None:
    found: list[int] = []

    def work() -> None:
        found.extend(up(database) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 21))


def test_what_has_ended_is_deleted(database: Database) -> None:
    up(database)
    sweep(database, NOON + MINUTE - timedelta(seconds=1))
    assert number(database, counts) == 1
    sweep(database, NOON + MINUTE)
    assert number(database, counts) == 0


def test_hashes_of_counts_are_not_those_of_erasures() -> None:
    secret = ["a key that is long enough"]
    assert Keyring(secret, COUNTED).sign("x") != Keyring(secret).sign("x")


# Rations


def usage_limit(amount: int = 1, name: str | None = "contact") -> UsageLimit:
    return UsageLimit(KEY, amount, NOON + MINUTE, "beyond the quota", name)


def post(database: Database, address: str, amount: int = 1, **more: Any) -> Receipt:
    given = submission(lead(address), usage_limits=(usage_limit(amount),), **more)
    return keep(database, given)


def test_what_is_beyond_a_ration_is_held_back_and_leaves_no_work(database: Database) -> None:
    errand = (Job("confirm"),)
    receipts = [
        post(database, f"{n}@example.com", 2, jobs=errand, meta={"suspect": ["fast"]})
        for n in range(4)
    ]
    assert [receipt.status for receipt in receipts] == [Status.ACCEPTED] * 2 + [
        Status.QUARANTINED
    ] * 2
    assert [receipt.leaves_work for receipt in receipts] == [True, True, False, False]
    # Once an incident: the owner is told by the first one beyond.
    assert [receipt.used_up for receipt in receipts] == [(), (), ("contact",), ()]
    assert (number(database, deliveries), number(database, jobs)) == (2, 2)
    with database.read() as connection:
        rows = connection.execute(select(submissions).order_by(submissions.c.id)).all()
    assert [row.status for row in rows] == ["accepted"] * 2 + ["quarantined"] * 2
    assert rows[1].meta == {"suspect": ["fast"]}
    assert rows[3].meta == {"suspect": ["fast", "beyond the quota"]}


def test_a_repeated_post_takes_nothing(database: Database) -> None:
    receipts = [post(database, "a@example.com", 2, key="token:1") for _ in range(5)]
    assert [receipt.repeated for receipt in receipts] == [False] + [True] * 4
    assert post(database, "b@example.com", 2).status is Status.ACCEPTED
    assert post(database, "c@example.com", 2).status is Status.QUARANTINED


def test_of_many_at_once_only_as_many_pass_as_may(database: Database) -> None:
    receipts: list[Receipt] = []

    def work(name: str) -> None:
        receipts.extend(post(database, f"{name}{n}@example.com", 7) for n in range(5))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(receipt.status is Status.ACCEPTED for receipt in receipts) == 7
    assert sum(bool(receipt.used_up) for receipt in receipts) == 1
    assert number(database, submissions) == 20

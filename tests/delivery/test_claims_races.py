"""Claims of workers that act in the same instant."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from formapp.db.database import Database
from formapp.db.tables import attempts, deliveries
from formapp.delivery import claims
from formapp.delivery.claims import LEASE, Claim, ClaimLostError
from formapp.delivery.find import KeyCache
from formapp.delivery.results import Attempt, Result, finish, put_back
from formapp.delivery.sites import Pauses
from formapp.leads.accept import _insert, _rows_of, keep
from tests.support.claiming import claim_next
from tests.support.clock import NOON, TurnedClock
from tests.support.leads import SITE, lead, phone, submission

WAIT = 20


class Paused:
    """Stops the first claim inside its transaction, after its lease was written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.inside, self.go_on = threading.Event(), threading.Event()
        self._first = True
        original = claims._claim

        def pause(*args: Any) -> list[Claim]:
            claimed = original(*args)
            if self._first:
                self._first = False
                self.inside.set()
                assert self.go_on.wait(WAIT)
            return claimed

        monkeypatch.setattr(claims, "_claim", pause)


def _waits_for_a_lock(database: Database) -> bool:
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with database.read() as connection:
        return bool(connection.execute(text(query)).scalar())


def _until_settled(database: Database, future: Future[Any]) -> None:
    """Until the claim has ended, or stands before a lock."""
    deadline = time.monotonic() + WAIT
    while not future.done() and not _waits_for_a_lock(database):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _set_state(database: Database, submission_id: str, state: str) -> None:
    with database.write() as connection:
        mine = deliveries.c.submission_id == submission_id
        connection.execute(update(deliveries).where(mine).values(state=state))


def test_an_older_lead_that_comes_back_while_a_younger_one_is_claimed_must_wait(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither claim sees what the other has not committed: only one may look at a time."""
    older = keep(postgresql, submission(lead())).id
    keep(postgresql, submission(lead()))
    _set_state(postgresql, older, "failed")
    paused = Paused(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(claim_next, postgresql, [SITE], NOON)
        assert paused.inside.wait(WAIT)
        _set_state(postgresql, older, "pending")
        second = pool.submit(claim_next, postgresql, [SITE], NOON)
        _until_settled(postgresql, second)
        paused.go_on.set()
        claimed = [each for each in (first.result(WAIT), second.result(WAIT)) if each]
    assert len(claimed) == 1


def test_a_lead_that_is_committed_after_a_younger_one_was_claimed_must_wait(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids are given out in order, but transactions may end in another."""
    paused = Paused(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        with postgresql.engine.begin() as slow:
            # As `keep` does it, with the commit still to come.
            older = _rows_of(submission(lead()), is_sqlite=False)
            _insert(slow.exec_driver_sql, [older], is_sqlite=False)
            younger = keep(postgresql, submission(lead())).id
            first = pool.submit(claim_next, postgresql, [SITE], NOON)
            assert paused.inside.wait(WAIT)
        second = pool.submit(claim_next, postgresql, [SITE], NOON)
        _until_settled(postgresql, second)
        paused.go_on.set()
        claim = first.result(WAIT)
        assert claim is not None
        assert claim.submission_id == younger
        assert second.result(WAIT) is None
    assert older.id < younger


class Monitor:
    """Notes who works for whom, and whether two ever do at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self.clashes: list[str] = []
        self.order: list[int] = []

    def begin(self, claim: Claim) -> list[str]:
        who = [each for each in (claim.lead.email_identity, claim.lead.phone_identity) if each]
        with self._lock:
            self.clashes += [each for each in who if each in self._busy]
            self._busy.update(who)
            self.order.append(claim.delivery_id)
        return who

    def end(self, who: list[str]) -> None:
        with self._lock:
            self._busy.difference_update(who)


@pytest.mark.slow
def test_workers_never_hold_the_same_delivery_nor_the_same_person(database: Database) -> None:
    persons, leads = 6, 90
    for number in range(leads):
        email = f"person{number % persons}@example.com" if number % 3 else None
        keep(
            database,
            submission(lead(email, phones=(phone(f"+4420794600{number % persons:02d}"),))),
        )
    watch, clock = Monitor(), TurnedClock()

    def work() -> int:
        done = 0
        while True:
            claim = claim_next(database, [SITE], clock())
            if claim is None:
                if _all_done(database):
                    return done
                time.sleep(0.002)
                continue
            who = watch.begin(claim)
            time.sleep(0.001)
            watch.end(who)
            attempt = Attempt(clock(), "delivered", 1)
            finish(database, claim, attempt, Result("created", "an-id"))
            done += 1

    with ThreadPoolExecutor(4) as pool:
        counts = [future.result(120) for future in [pool.submit(work) for _ in range(4)]]
    assert watch.clashes == []
    assert sum(counts) == leads == len(set(watch.order))
    for person in range(persons):
        mine = [
            submission_id
            for submission_id in watch.order
            if (submission_id - 1) % persons == person
        ]
        assert mine == sorted(mine)


def _all_done(database: Database) -> bool:
    pending = select(deliveries.c.id).where(deliveries.c.state == "pending").limit(1)
    with database.read() as connection:
        return connection.execute(pending).first() is None


def test_of_two_who_finish_the_same_delivery_one_is_told_that_it_lost(database: Database) -> None:
    keep(database, submission(lead()))
    earlier = claim_next(database, [SITE], NOON)
    later = claim_next(database, [SITE], NOON + LEASE)
    assert earlier
    assert later
    start = threading.Barrier(2)

    def end(claim: Claim) -> bool:
        start.wait(WAIT)
        try:
            put_back(
                database,
                claim,
                Attempt(NOON, "retry", 1),
                due_at=NOON + timedelta(hours=claim.fence),
                reason=None,
            )
        except ClaimLostError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(end, [earlier, later])) == [False, True]
    with database.read() as connection:
        assert len(connection.execute(select(attempts)).all()) == 1
        row = connection.execute(select(deliveries)).one()
    assert row.due_at == NOON + timedelta(hours=2)


def test_two_that_learn_the_same_at_once_do_not_collide(database: Database) -> None:
    keys, pauses = KeyCache(database), Pauses(database)
    start = threading.Barrier(4)

    def learn(number: int) -> None:
        start.wait(WAIT)
        for each in range(10):
            keys.remember_key(SITE, "label", f"Label {each}", f"custom.label-{number}")
            pauses.pause(f"site {each}", NOON, "why")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(learn, range(4)))
    assert len(keys.cached(SITE)) == 10
    assert {pauses.failures(f"site {each}") for each in range(10)} == {4}

"""Submissions of several requests at once: one commit, and nobody pays for anybody else."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial

import pytest
from msgspec.structs import replace
from sqlalchemy import event, func, select

from formapp.db.counters import UsageLimit
from formapp.db.database import Database, DatabaseUnavailableError, Execute
from formapp.db.tables import deliveries, jobs, submissions
from formapp.jobs.queue import Job
from formapp.leads.accept import GroupCommit, KeyReusedError, Receipt, Status, Submission
from tests.support.clock import NOON
from tests.support.greenlets import in_greenlets
from tests.support.leads import lead, submission
from tests.support.processes import eventually

Futures = list[Future[Receipt]]


class Door:
    """Hands submissions in from threads of their own, and counts the commits that it takes."""

    def __init__(self, database: Database, pool: ThreadPoolExecutor) -> None:
        self.database = database
        self.commit = GroupCommit(database)
        self.commits = 0
        self._pool = pool
        self._by_driver = database.write_by_driver
        event.listen(database.engine, "commit", self._count)
        database.write_by_driver = self._counted  # type: ignore[method-assign] # events see none of these

    @contextmanager
    def _counted(self) -> Iterator[Execute]:
        with self._by_driver() as execute:
            yield execute
        self._count()

    def _count(self, _connection: object = None) -> None:
        # Workers are woken by another thread afterwards, by a transaction of its own.
        if threading.current_thread().name != "notifier":
            self.commits += 1

    def at_once(self, *sent: Submission) -> Futures:
        """Hand in one that has to wait for the database, and these while it does."""
        with _held(self.database):
            first = self._pool.submit(self.commit.keep, submission(lead("first@example.com")))
            group = self.commit._group
            eventually(lambda: group._is_at_work and not group._waiting)
            futures = [self._pool.submit(self.commit.keep, each) for each in sent]
            eventually(lambda: sum(len(each.items) for each in group._waiting) == len(sent))
            self.commits = 0
        assert not first.result(10).repeated
        return futures


@contextmanager
def _held(database: Database) -> Iterator[None]:
    """Nobody else can insert a submission meanwhile."""
    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("LOCK TABLE submissions IN EXCLUSIVE MODE")
        yield


@pytest.fixture
def door(database: Database) -> Iterator[Door]:
    with ThreadPoolExecutor(16) as pool:
        yield Door(database, pool)


def _sent(number: int, **more: object) -> Submission:
    given = submission(lead(f"lead{number}@example.com"), key=f"nonce {number}")
    return replace(given, **more)


def _number(database: Database, what: object = deliveries) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(what)).scalar_one()  # type: ignore[arg-type] # a table


def test_what_comes_at_once_is_kept_by_one_commit(door: Door, database: Database) -> None:
    receipts = [each.result(10) for each in door.at_once(*map(_sent, range(10)))]
    assert door.commits == 3, "the holder's, the first one's, and one for all others"
    assert len({receipt.id for receipt in receipts}) == 10
    with database.read() as connection:
        rows = connection.execute(
            select(submissions.c.id, submissions.c.key, deliveries.c.email)
            .join_from(submissions, deliveries)
            .where(submissions.c.key.is_not(None))
        ).all()
    assert {row.id: (row.key, row.email) for row in rows} == {
        receipt.id: (f"nonce {number}", f"lead{number}@example.com")
        for number, receipt in enumerate(receipts)
    }


def test_everybody_has_the_receipt_of_the_own_submission(door: Door, database: Database) -> None:
    held = _sent(1, status=Status.QUARANTINED)
    asked = _sent(2, status=Status.QUARANTINED, jobs=(Job("challenge", {"token": "t"}),))
    futures = door.at_once(_sent(0), held, asked, _sent(3, status=Status.SPAM))
    found = [each.result(10) for each in futures]
    assert [(receipt.status, receipt.leaves_work) for receipt in found] == [
        (Status.ACCEPTED, True),
        (Status.QUARANTINED, False),
        (Status.QUARANTINED, True),
        (Status.SPAM, False),
    ]
    assert _number(database, jobs) == 1
    with database.read() as connection:
        due = connection.execute(select(deliveries.c.submission_id)).scalars().all()
    assert len(due) == 2
    assert found[0].id in due


def test_one_nonce_many_times_at_once_is_one_submission_and_costs_nobody_else(
    door: Door, database: Database
) -> None:
    futures = door.at_once(*[_sent(7)] * 8, _sent(1), _sent(2))
    receipts = [each.result(10) for each in futures]
    assert len({receipt.id for receipt in receipts[:8]}) == 1
    assert [receipt.repeated for receipt in receipts].count(False) == 3
    assert _number(database) == 4


def test_a_key_with_other_answers_is_refused_to_its_sender_alone(
    door: Door, database: Database
) -> None:
    door.commit.keep(_sent(5))
    futures = door.at_once(_sent(1), _sent(5, answers={"email": "else@example.com"}), _sent(2))
    errors = [each.exception(10) for each in futures]
    assert [type(error) for error in errors] == [type(None), KeyReusedError, type(None)]
    assert _number(database) == 4


def test_content_that_the_database_refuses_costs_nobody_else(postgresql: Database) -> None:
    with ThreadPoolExecutor(16) as pool:
        futures = Door(postgresql, pool).at_once(_sent(1), _sent(2, form="f" * 65), _sent(3))
        errors = [each.exception(10) for each in futures]
    assert [error is None for error in errors] == [True, False, True]
    assert isinstance(errors[1], DatabaseUnavailableError)
    assert "lead2" not in str(errors[1])
    assert _number(postgresql) == 3


@pytest.fixture
def impatient(database: Database) -> Iterator[Database]:
    """The same database, which waits half a second for a lock."""
    url = database.url.render_as_string(hide_password=False)
    with closing(Database(url, busy_seconds=0.5)) as impatient:
        yield impatient


def test_a_database_that_stays_locked_refuses_all_at_once_and_keeps_nothing(
    database: Database, impatient: Database
) -> None:
    commit = GroupCommit(impatient)
    with ThreadPoolExecutor(6) as pool, _held(database):
        futures = [pool.submit(commit.keep, _sent(number)) for number in range(6)]
        errors = [each.exception(10) for each in futures]
    assert {type(error) for error in errors} == {DatabaseUnavailableError}
    assert _number(database) == 0
    assert not commit.keep(_sent(1)).repeated


def test_a_database_that_stays_locked_keeps_many_waiting_no_longer_than_one(
    database: Database, impatient: Database
) -> None:
    keep = GroupCommit(impatient).keep
    with _held(database):
        began = time.monotonic()
        errors = in_greenlets([partial(keep, _sent(number)) for number in range(200)])
        assert time.monotonic() - began < 2.5, "each batch waited in turn"
    assert {type(error) for error in errors} == {DatabaseUnavailableError}
    assert _number(database) == 0


def test_what_takes_a_ration_is_kept_by_itself(door: Door) -> None:
    quota = UsageLimit("a" * 64, 2, NOON + timedelta(days=1), "beyond the quota", "contact")
    sent = [_sent(number, usage_limits=(quota,)) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(door.commit.keep, sent))
    assert door.commits == 4
    statuses = [receipt.status for receipt in receipts]
    assert (statuses.count(Status.ACCEPTED), statuses.count(Status.QUARANTINED)) == (2, 2)
    assert [receipt.used_up for receipt in receipts].count(("contact",)) == 1


def test_on_sqlite_whoever_waits_for_another_thread_is_woken_and_not_left_to_look_again(
    sqlite: Database,
) -> None:
    began, waited = threading.Event(), threading.Event()

    def write() -> None:
        began.set()
        with sqlite.write():
            waited.set()

    begun = 0

    def count(_connection: object) -> None:
        nonlocal begun
        begun += 1

    thread = threading.Thread(target=write)
    with sqlite.write():
        event.listen(sqlite.engine, "begin", count)
        thread.start()
        assert began.wait(10)
        # It hasn't asked SQLite for its lock, whose waiting is looking again ever more rarely.
        assert not waited.wait(0.2)
        assert begun == 0
    thread.join(10)
    assert waited.is_set()

"""JobRunner are kept with the submission, run once where all goes well, and again where not."""

import threading
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, func, insert, select

from formapp.db.database import Database
from formapp.db.tables import deliveries, jobs, submissions
from formapp.jobs.queue import (
    LEASE,
    ClaimedJob,
    Job,
    JobRunner,
    RetryLaterError,
    add_job,
    claim_job,
    finish_job,
)
from formapp.leads.accept import KeyReusedError, Status, keep
from formapp.leads.anonymize import anonymize
from formapp.leads.held import accept_held
from tests.support.clock import NOON
from tests.support.leads import EMAIL, lead, submission
from tests.support.plans import statements

ERRAND = Job("mail", {"what": "it needs"})
KINDS = {"mail"}
LATER = NOON + timedelta(hours=1)


def kept(database: Database, *, key: str | None = None, status: Status = Status.UNCONFIRMED) -> str:
    return keep(database, submission(lead(), NOON, status=status, key=key, jobs=(ERRAND,))).id


def number(database: Database, table: object) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type] # a table


def strike_out(database: Database, errand: ClaimedJob) -> bool:
    with database.write() as connection:
        return finish_job(connection, errand)


def test_an_errand_comes_with_what_it_is_about(database: Database) -> None:
    submission_id = kept(database)
    errand = claim_job(database, NOON, KINDS)
    assert errand is not None
    assert (errand.kind, errand.content, errand.attempt) == ("mail", {"what": "it needs"}, 1)
    assert errand.since == NOON
    assert errand.submission["id"] == submission_id
    assert errand.submission["status"] == "unconfirmed"
    assert errand.submission["lead"]["email"]["address"] == EMAIL
    assert EMAIL not in repr(errand)


def test_nothing_is_claimed_before_its_time(database: Database) -> None:
    kept(database)
    assert claim_job(database, NOON - timedelta(seconds=1), KINDS) is None


def test_a_claimed_errand_is_nobody_elses_until_the_lease_ends(database: Database) -> None:
    kept(database)
    first = claim_job(database, NOON, KINDS)
    assert first
    assert claim_job(database, NOON, KINDS) is None
    second = claim_job(database, NOON + LEASE, KINDS)
    assert second
    assert second.attempt == 2
    # The first one is too late to say that it is done.
    assert not strike_out(database, first)
    assert strike_out(database, second)
    assert number(database, jobs) == 0


def test_the_next_errand_is_never_taken_for_one_that_is_gone(database: Database) -> None:
    """SQLite gives it the same number, once the former one was erased in its worker's hands."""
    submission_id = kept(database)
    first = claim_job(database, NOON, KINDS)
    assert first
    with database.write() as connection:
        anonymize(connection, [submission_id], NOON)
    other = kept(database)
    second = claim_job(database, NOON, KINDS)
    assert second
    assert second.submission["id"] == other
    assert not strike_out(database, first)
    assert strike_out(database, second)


def test_a_clock_that_was_a_day_ahead_holds_no_errand_up(database: Database) -> None:
    kept(database)
    assert claim_job(database, NOON - timedelta(days=1), KINDS)


def test_many_workers_run_an_errand_once(database: Database) -> None:
    for _ in range(5):
        kept(database)
    ran: list[int] = []

    def work() -> None:
        while errand := claim_job(database, NOON, KINDS):
            ran.append(errand.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ran) == len(set(ran)) == 5


def test_who_was_overtaken_takes_the_next_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker claims between the look and the claim, when that is sure to happen."""
    kept(database)
    kept(database)
    write, quicker = database.write, list[ClaimedJob | None]()

    def overtaken() -> AbstractContextManager[Connection]:
        monkeypatch.undo()
        quicker.append(claim_job(database, NOON, KINDS))
        return write()

    monkeypatch.setattr(database, "write", overtaken)
    mine = claim_job(database, NOON, KINDS)
    [other] = quicker
    assert mine
    assert other
    assert mine.id != other.id


def test_a_repeated_post_leaves_no_second_errand(database: Database) -> None:
    kept(database, key="token:1")
    kept(database, key="token:1")
    other = submission(lead("b@example.com"), NOON, key="token:1", jobs=(ERRAND,))
    with pytest.raises(KeyReusedError):
        keep(database, other)
    assert number(database, jobs) == 1


def test_an_erased_submission_has_no_errand_left(database: Database) -> None:
    submission_id = kept(database)
    with database.write() as connection:
        anonymize(connection, [submission_id], NOON)
    assert number(database, jobs) == 0


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


def test_what_can_not_be_run_yet_is_tried_again_ever_more_seldom(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    kept(database)
    clock, seen = Clock(), list[int]()

    def fail(errand: ClaimedJob) -> None:
        seen.append(errand.attempt)
        raise RetryLaterError("the server said no")

    runner = JobRunner(database, {"mail": fail}, clock=clock)
    for seconds in (5, 10, 20):
        assert runner.run_next()
        clock.at += timedelta(seconds=seconds - 1)
        assert not runner.run_next()
        clock.at += timedelta(seconds=1)
    assert seen == [1, 2, 3]
    assert "job 1 (mail) is retried later: the server said no" in caplog.text


def test_an_errand_that_meets_a_defect_is_tried_again_ever_more_seldom_too(
    database: Database,
) -> None:
    kept(database)
    clock = Clock()

    def broken(_errand: ClaimedJob) -> None:
        raise ZeroDivisionError

    runner = JobRunner(database, {"mail": broken}, clock=clock)
    for seconds in (5, 10):
        with pytest.raises(ZeroDivisionError):
            runner.run_next()
        clock.at += timedelta(seconds=seconds - 1)
        assert not runner.run_next()
        clock.at += timedelta(seconds=1)


def test_an_errand_is_left_to_whoever_can_run_its_kind(database: Database) -> None:
    kept(database)
    done: list[int] = []

    def run(errand: ClaimedJob) -> None:
        assert strike_out(database, errand)
        done.append(errand.attempt)

    assert not JobRunner(database, {}, clock=lambda: NOON).run_next()
    assert not JobRunner(database, {"challenge": run}, clock=lambda: NOON).run_next()
    assert JobRunner(database, {"mail": run}, clock=lambda: NOON).run_next()
    # None of its tries was spent by those who could not run it.
    assert done == [1]
    assert not JobRunner(database, {"mail": run}, clock=lambda: LATER).run_next()


def test_a_look_that_finds_nothing_is_short_however_many_kinds_there_are(
    database: Database,
) -> None:
    """Each post wakes all workers, whose looks delay its delivery."""
    kept(database)
    kinds = {f"kind {number}" for number in range(12)} | KINDS
    with statements(database) as asked:
        assert claim_job(database, NOON - timedelta(seconds=1), kinds) is None
    looks = [statement for statement, _ in asked if statement.startswith("SELECT")]
    assert len(looks) == 2, "one for jobs that are due, one for those of a wrong clock"
    assert claim_job(database, NOON, kinds)


def test_errands_may_be_claimed_from_some_age_on(database: Database) -> None:
    kept(database)
    hour = LATER - NOON
    assert claim_job(database, LATER - timedelta(seconds=1), KINDS, age=hour) is None
    assert claim_job(database, LATER, KINDS, age=hour)


def test_a_job_needs_no_submission(database: Database) -> None:
    with database.write() as connection:
        assert add_job(connection, Job("mail", {"to": "the owner"}), NOON)
    job = claim_job(database, NOON, KINDS)
    assert job
    assert (job.content, job.submission) == ({"to": "the owner"}, {})
    assert strike_out(database, job)
    assert number(database, jobs) == 0


def test_one_job_of_a_kind_waits_per_key(database: Database) -> None:
    with database.write() as connection:
        assert add_job(connection, Job("mail", key="a"), NOON)
        assert not add_job(connection, Job("mail", {"other": 1}, key="a"), NOON)
        assert add_job(connection, Job("mail", key="b"), NOON)
        assert add_job(connection, Job("sync", key="a"), NOON)
        assert add_job(connection, Job("mail"), NOON)
        assert add_job(connection, Job("mail"), NOON)
    assert number(database, jobs) == 5
    job = claim_job(database, NOON, KINDS)
    assert job
    assert job.content == {}
    assert strike_out(database, job)
    with database.write() as connection:
        assert add_job(connection, Job("mail", key="a"), NOON)


# Letting through what was held back


def let_in(database: Database, submission_id: str) -> bool:
    with database.write() as connection:
        return accept_held(
            connection, submission_id, {Status.UNCONFIRMED}, LATER, meta={"noted": True}
        )


def test_what_was_held_back_gets_one_delivery_however_often_it_is_let_through(
    database: Database,
) -> None:
    submission_id = kept(database)
    results: list[bool] = []
    threads = [
        threading.Thread(target=lambda: results.append(let_in(database, submission_id)))
        for _ in "1234"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, False, True]
    with database.read() as connection:
        row = connection.execute(select(submissions, deliveries).join(deliveries)).mappings().one()
    assert (row["status"], row["state"], row["meta"]) == ("accepted", "pending", {"noted": True})
    assert (row["email"], row["form"]) == (EMAIL, lead().form)
    assert row["due_at"] == LATER
    assert row["received_at"] == NOON


def test_what_has_another_status_stays_as_it_is(database: Database) -> None:
    submission_id = kept(database, status=Status.QUARANTINED)
    assert not let_in(database, submission_id)
    assert not let_in(database, "nobody")
    assert number(database, deliveries) == 0


def test_what_was_erased_is_not_let_through(database: Database) -> None:
    submission_id = kept(database)
    with database.write() as connection:
        anonymize(connection, [submission_id], NOON)
    assert not let_in(database, submission_id)


def test_a_look_reads_no_jobs_of_other_kinds_or_for_later(postgresql: Database) -> None:
    """PostgreSQL would rather read the table, if it may take any job that is due."""
    rows = [
        {"kind": kind, "content": {}, "created_at": NOON, "due_at": due_at}
        for kind, due_at in (("mail", LATER), ("other", NOON))
        for _ in range(3000)
    ]
    with postgresql.write() as connection:
        connection.execute(insert(jobs), rows)
        connection.exec_driver_sql("ANALYZE jobs")
    with statements(postgresql) as asked:
        assert claim_job(postgresql, NOON, ["mail", "challenge"]) is None
    plans: list[str] = []
    with postgresql.engine.connect() as connection:
        for statement, parameters in asked:
            plans += connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars()
    assert any("Index" in line for line in plans)
    assert not any("Seq Scan on jobs" in line for line in plans)

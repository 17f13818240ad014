"""The durable queue: jobs that a worker runs later, by the handler of their kind.

A job is stored in the transaction that causes it, such as a confirmation mail with its submission.
A claim first postpones the next try, so that another worker takes over if this one dies. A job may
run twice: its handler must allow for that.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    bindparam,
    delete,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from formapp.db.database import Database, DatabaseUnavailableError, UtcDateTime, is_over
from formapp.db.tables import jobs, submissions
from formapp.jobs.backoff import FIRST, LONGEST_WAIT, doubled

LEASE = timedelta(minutes=2)
"""How long one try may take before another worker takes over."""

REASON = "reason"
"""In a job's content: why it waits, or has failed."""

_log = logging.getLogger(__name__)
_SUBMISSION = ("id", "form", "status", "answers", "meta", "lead", "received_at")


@dataclass(frozen=True, slots=True, repr=False)
class Job:
    """Something to do: `kind` names the handler, `content` is what the handler needs, as JSON.

    At most one waiting job of a kind has the same `key`.
    """

    kind: str
    content: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class ClaimedJob:
    """A job that this worker runs; `attempt` counts from 1, `since` is when it was stored.

    `submission` has the columns `_SUBMISSION` of the submission that it is about; empty if none.
    """

    id: int
    kind: str
    content: dict[str, Any]
    attempt: int
    since: datetime
    submission: dict[str, Any]


def add_job(
    connection: Connection,
    job: Job,
    now: datetime,
    submission_id: str | None = None,
    *,
    due_at: datetime | None = None,
) -> bool:
    """Store a job in the caller's transaction; due at once, and deleted with its submission.

    One with a `due_at` beyond `LONGEST_WAIT` needs a `JobRunner` with a longer `longest_wait`.
    Returns False, and stores nothing, if one of its kind and key waits already.
    """
    values = {
        "submission_id": submission_id,
        "kind": job.kind,
        "key": job.key,
        "content": dict(job.content),
        "created_at": now,
        "due_at": due_at or now,
    }
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = build(jobs).values(values).on_conflict_do_nothing(index_elements=["kind", "key"])
    return connection.execute(statement.returning(jobs.c.id)).first() is not None


def claim_job(
    database: Database,
    now: datetime,
    kinds: Collection[str],
    *,
    age: timedelta = timedelta(0),
    longest_wait: timedelta = LONGEST_WAIT,
) -> ClaimedJob | None:
    """Claim the job of these kinds, at least of this `age`, that has been due longest."""
    times = {"now": now, "far": now + longest_wait, "before": now - age}
    while True:
        with database.read() as connection:
            job_id = _oldest(connection, tuple(kinds), times, by_age=bool(age))
        if job_id is None:
            return None
        wanted = is_over(jobs.c.due_at, now, longest_wait) & jobs.c.kind.in_(kinds)
        if age:
            wanted &= jobs.c.created_at <= now - age
        with database.write() as connection:
            claim = update(jobs).where(wanted & (jobs.c.id == job_id))
            claim = claim.values(due_at=now + LEASE, attempts=jobs.c.attempts + 1)
            if connection.execute(claim).rowcount == 1:
                return _read(connection, job_id)
        # Another worker has claimed it in between; others may be due.


def _oldest(
    connection: Connection, kinds: tuple[str, ...], times: Mapping[str, datetime], *, by_age: bool
) -> int | None:
    """Find the job that has been due longest; those that a wrong clock stored come last."""
    for by_wrong_clock in (False, True) if kinds else ():
        query = _oldest_of_each(kinds, by_wrong_clock=by_wrong_clock, by_age=by_age)
        if found := connection.execute(query, times).all():
            oldest: int = min((row.due_at, row.id) for row in found)[1]
            return oldest
    return None


@cache
def _oldest_of_each(
    kinds: tuple[str, ...], *, by_wrong_clock: bool, by_age: bool
) -> CompoundSelect[Any]:
    """Return the query for the oldest job of each kind, which reads one index entry for each.

    It reads no more, however many jobs of other kinds or for later there are. It is one query, made
    once: each post wakes all workers, and their queries take time from deliveries.
    """
    due_at, far = jobs.c.due_at, bindparam("far", type_=UtcDateTime)
    wanted = due_at > far if by_wrong_clock else due_at <= bindparam("now", type_=UtcDateTime)
    if by_age:
        wanted &= jobs.c.created_at <= bindparam("before", type_=UtcDateTime)
    oldest = [
        select(due_at, jobs.c.id)
        .where(wanted, jobs.c.kind == kind)
        .order_by(due_at, jobs.c.id)
        .limit(1)
        .subquery()
        for kind in kinds
    ]
    return union_all(*map(select, oldest))


def _read(connection: Connection, job_id: int) -> ClaimedJob:
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one()
    columns = (submissions.c[name] for name in _SUBMISSION)
    query = select(*columns).where(submissions.c.id == row.submission_id)
    about = connection.execute(query).mappings().first()
    return _claimed(row, dict(about or {}))


def _claimed(row: Row[Any], submission: dict[str, Any]) -> ClaimedJob:
    return ClaimedJob(
        id=row.id,
        kind=row.kind,
        content=row.content,
        attempt=row.attempts,
        since=row.created_at,
        submission=submission,
    )


def claim_more(
    database: Database, job: ClaimedJob, now: datetime, alike: ColumnElement[bool], limit: int
) -> list[ClaimedJob]:
    """Claim further jobs of its kind, to be done together with it; of submissions the id alone.

    `alike` are conditions on `jobs`, the time when they are due included.
    """
    wanted = (jobs.c.kind == job.kind) & alike
    # Two workers at once never wait for each other: each takes what the other hasn't.
    free = select(jobs.c.id).where(wanted).order_by(jobs.c.id).limit(limit)
    claim = (
        update(jobs)
        .where(jobs.c.id.in_(free.with_for_update(skip_locked=True)))
        .values(due_at=now + LEASE, attempts=jobs.c.attempts + 1)
        .returning(jobs)
    )
    with database.write() as connection:
        rows = connection.execute(claim).all()
    return [_claimed(row, {"id": row.submission_id}) for row in rows]


def finish_job(connection: Connection, job: ClaimedJob) -> bool:
    """Delete it in the caller's transaction; False if another worker has taken it over."""
    return connection.execute(delete(jobs).where(_held(job))).rowcount == 1


def postpone_job(
    database: Database, job: ClaimedJob, until: datetime, reason: str | None = None
) -> None:
    """Have it tried again later, unless another worker has taken it over.

    The reason, for the owner, becomes part of its content.
    """
    content = {**job.content, REASON: reason} if reason else job.content
    with database.write() as connection:
        connection.execute(
            update(jobs).where(_held(job)).values(due_at=until, content=content),
        )


def _held(job: ClaimedJob) -> ColumnElement[bool]:
    return (
        (jobs.c.id == job.id)
        & (jobs.c.attempts == job.attempt)
        # SQLite gives the id of a deleted job to the next one.
        & (jobs.c.created_at == job.since)
        & jobs.c.submission_id.is_not_distinct_from(job.submission.get("id"))
    )


# Running jobs


class RetryLaterError(Exception):
    """The job can't be done yet; the text is the reason, without answers and secrets.

    `wait` is how long, if that is known; then its handler has reported it already.
    """

    def __init__(self, reason: str, wait: timedelta | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


Handler = Callable[[ClaimedJob], None]
"""Runs one job and deletes it (`finish_job`), or raises `RetryLaterError`. It decides by
`ClaimedJob.since` when it has tried for long enough."""


@dataclass
class JobRunner:
    """Runs one due job at a time.

    Attributes:
        handlers: by kind. Jobs of other kinds are left to other workers.
        age: the least time since a job was stored; younger ones are left to other workers, too.
        longest_wait: how far ahead a job may be due; one beyond was stored by a wrong clock.
    """

    database: Database
    handlers: Mapping[str, Handler]
    clock: Callable[[], datetime]
    age: timedelta = timedelta(0)
    longest_wait: timedelta = LONGEST_WAIT

    def run_next(self) -> bool:
        """Run one job; False if none is due. Raises a defect; that job is tried again, too."""
        now, longest_wait = self.clock(), self.longest_wait
        job = claim_job(self.database, now, self.handlers, age=self.age, longest_wait=longest_wait)
        if job is None:
            return False
        try:
            self.handlers[job.kind](job)
        except RetryLaterError as error:
            if error.wait is None:
                _log.warning("job %d (%s) is retried later: %s", job.id, job.kind, error)
            self._postpone(job, error.wait, str(error))
        except DatabaseUnavailableError:
            raise
        except Exception:
            self._postpone(job)
            raise
        return True

    def _postpone(
        self, job: ClaimedJob, wait: timedelta | None = None, reason: str | None = None
    ) -> None:
        wait = doubled(FIRST, job.attempt - 1) if wait is None else wait
        postpone_job(self.database, job, self.clock() + wait, reason)

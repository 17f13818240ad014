"""The durable queue: work that a worker does later, once unless it fails.

A job is stored in the transaction that causes it, such as a confirmation mail with its submission.
A claim first postpones the next try, so that another worker takes over if this one dies. A job may
run twice: its handler must allow for that.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from formapp.db.database import Database
from formapp.db.tables import jobs, submissions
from formapp.jobs.backoff import LONGEST_WAIT

LEASE = timedelta(minutes=2)
"""How long one try may take before another worker takes over."""


@dataclass(frozen=True, slots=True, repr=False)
class Job:
    """Something to do.

    Attributes:
        kind: names the handler.
        content: what the handler needs; JSON.
        key: where given, at most one waiting job of this kind has it.
    """

    kind: str
    content: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class ClaimedJob:
    """A job that this worker runs.

    Attributes:
        attempt: 1 for the first.
        since: when it was stored.
        submission: `id`, `form`, `status`, `answers`, `meta`, `lead` and `received_at` of the
            submission that it is about; empty where it is about none.
    """

    id: int
    kind: str
    content: dict[str, Any]
    attempt: int
    since: datetime
    submission: dict[str, Any]


def add_job(
    connection: Connection, job: Job, now: datetime, submission_id: str | None = None
) -> bool:
    """Store a job in the caller's transaction; due at once.

    Args:
        connection: of the transaction.
        job: what to do.
        now: the time.
        submission_id: the submission that it is about: the job is deleted with it.

    Returns:
        False if one of its kind and key waits already; then nothing was stored.
    """
    values = {
        "submission_id": submission_id,
        "kind": job.kind,
        "key": job.key,
        "content": dict(job.content),
        "created_at": now,
        "due_at": now,
    }
    if job.key is None:
        connection.execute(insert(jobs), values)
        return True
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = build(jobs).values(values).on_conflict_do_nothing(index_elements=["kind", "key"])
    return connection.execute(statement.returning(jobs.c.id)).first() is not None


def claim_job(
    database: Database, now: datetime, kinds: Collection[str], *, age: timedelta = timedelta(0)
) -> ClaimedJob | None:
    """Claim the job of these kinds that has been due longest; None: none is due.

    Args:
        database: of the queue.
        now: the time.
        kinds: those that the caller has a handler for.
        age: the least time since it was stored.
    """
    wanted = _due(now) & jobs.c.kind.in_(kinds)
    if age:
        wanted &= jobs.c.created_at <= now - age
    oldest = select(jobs.c.id).where(wanted).order_by(jobs.c.due_at, jobs.c.id).limit(1)
    while True:
        with database.read() as connection:
            job_id = connection.execute(oldest).scalar()
        if job_id is None:
            return None
        with database.write() as connection:
            claim = update(jobs).where(wanted & (jobs.c.id == job_id))
            claim = claim.values(due_at=now + LEASE, attempts=jobs.c.attempts + 1)
            if connection.execute(claim).rowcount == 1:
                return _read(connection, job_id)
        # Another worker has claimed it in between; others may be due.


def _due(now: datetime) -> ColumnElement[bool]:
    # A time further ahead than any wait was stored by a wrong clock.
    return (jobs.c.due_at <= now) | (jobs.c.due_at > now + LONGEST_WAIT)


def _read(connection: Connection, job_id: int) -> ClaimedJob:
    names = ("form", "status", "answers", "meta", "lead", "received_at")
    row = connection.execute(
        select(jobs, *(submissions.c[name] for name in names))
        .outerjoin(submissions, submissions.c.id == jobs.c.submission_id)
        .where(jobs.c.id == job_id)
    ).one()
    about = {"id": row.submission_id, **{name: getattr(row, name) for name in names}}
    return ClaimedJob(
        id=row.id,
        kind=row.kind,
        content=row.content,
        attempt=row.attempts,
        since=row.created_at,
        submission=about if row.submission_id else {},
    )


def finish_job(connection: Connection, job: ClaimedJob) -> bool:
    """Delete it in the caller's transaction; False if another worker has taken it over."""
    return connection.execute(delete(jobs).where(_held(job))).rowcount == 1


def postpone_job(database: Database, job: ClaimedJob, until: datetime) -> None:
    """Have it tried again later, unless another worker has taken it over."""
    with database.write() as connection:
        connection.execute(update(jobs).where(_held(job)).values(due_at=until))


def _held(job: ClaimedJob) -> ColumnElement[bool]:
    return (
        (jobs.c.id == job.id)
        & (jobs.c.attempts == job.attempt)
        # SQLite gives the id of a deleted job to the next one.
        & (jobs.c.created_at == job.since)
        & jobs.c.submission_id.is_not_distinct_from(job.submission.get("id"))
    )

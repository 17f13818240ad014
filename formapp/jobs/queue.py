"""Errands: what is to be done about a submission besides its delivery.

A confirmation is to be sent, a challenge to be checked with the service that set it. The web side
never calls out: it writes the errand down with the submission, in one transaction, and a worker
runs it. A claim puts the time of the next try off first, so that a worker that dies in the middle
leaves the errand to another. It may run twice; whoever runs it must bear that.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from formapp.db.database import Database
from formapp.db.due import LONGEST_WAIT
from formapp.db.tables import errands, submissions

LEASE = timedelta(minutes=2)
"""How long one try may take before another worker takes over."""


@dataclass(frozen=True, slots=True, repr=False)
class Job:
    """Something to do about a submission.

    Attributes:
        kind: who runs it.
        content: what it needs beside the submission; JSON.
    """

    kind: str
    content: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Claimed:
    """An errand that this worker runs.

    Attributes:
        attempt: 1 for the first.
        since: when it was written down.
        submission: what it is about, as far as it's needed: `id`, `form`, `status`, `answers`,
            `meta`, `lead`, `received_at`.
    """

    id: int
    kind: str
    content: dict[str, Any]
    attempt: int
    since: datetime
    submission: dict[str, Any]


def add_errand(connection: Connection, submission_id: str, errand: Job, now: datetime) -> None:
    """Write an errand down in the caller's transaction; due at once."""
    connection.execute(
        insert(errands),
        {
            "submission_id": submission_id,
            "kind": errand.kind,
            "content": errand.content,
            "created_at": now,
            "due_at": now,
        },
    )


def claim_errand(
    database: Database, now: datetime, kinds: Collection[str], *, age: timedelta = timedelta(0)
) -> Claimed | None:
    """Claim the errand of these kinds that has been due longest; None: nothing is due.

    Args:
        database: where they are written down.
        now: the time.
        kinds: those that the caller can run. All others are left to whoever can.
        age: how long ago it was written down at least.

    Raises:
        DatabaseUnavailableError: try again later.
    """
    wanted = _due(now) & errands.c.kind.in_(kinds)
    if age:
        wanted &= errands.c.created_at <= now - age
    oldest = select(errands.c.id).where(wanted).order_by(errands.c.due_at, errands.c.id).limit(1)
    while True:
        with database.read() as connection:
            submission_id = connection.execute(oldest).scalar()
        if submission_id is None:
            return None
        with database.write() as connection:
            put_off = update(errands).where(wanted & (errands.c.id == submission_id))
            put_off = put_off.values(due_at=now + LEASE, attempts=errands.c.attempts + 1)
            if connection.execute(put_off).rowcount == 1:
                return _read(connection, submission_id)
        # Another worker was quicker: that one isn't due any more, but others may be.


def _due(now: datetime) -> Any:
    # What lies further ahead than anything is put off was written by a clock that was wrong.
    return (errands.c.due_at <= now) | (errands.c.due_at > now + LONGEST_WAIT)


def _read(connection: Connection, submission_id: int) -> Claimed:
    about = [
        submissions.c[name] for name in ("form", "status", "answers", "meta", "lead", "received_at")
    ]
    row = connection.execute(
        select(errands, *about)
        .join(submissions, submissions.c.id == errands.c.submission_id)
        .where(errands.c.id == submission_id)
    ).one()
    return Claimed(
        id=row.id,
        kind=row.kind,
        content=row.content,
        attempt=row.attempts,
        since=row.created_at,
        submission={column.name: row._mapping[column.name] for column in about}  # noqa: SLF001 - public, despite its name
        | {"id": row.submission_id},
    )


def end_errand(connection: Connection, errand: Claimed) -> bool:
    """Strike it out in the caller's transaction; False if another worker has taken it over."""
    return connection.execute(delete(errands).where(_held(errand))).rowcount == 1


def put_off_errand(database: Database, errand: Claimed, until: datetime) -> None:
    """Try it again later, unless another worker has taken it over.

    Raises:
        DatabaseUnavailableError: it is tried again when the lease ends.
    """
    with database.write() as connection:
        connection.execute(update(errands).where(_held(errand)).values(due_at=until))


def _held(errand: Claimed) -> Any:
    return (
        (errands.c.id == errand.id)
        & (errands.c.attempts == errand.attempt)
        # SQLite gives the number of one that is struck out to the next.
        & (errands.c.submission_id == errand.submission["id"])
        & (errands.c.created_at == errand.since)
    )

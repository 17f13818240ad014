"""Retention: answers are erased by themselves, a set time after they were of use.

A delivered lead's after `keep_days` (the form's own, as its file said when the lead came, so that
it holds even if the file is gone; else the setting). A failed one's as long after it failed, and
never before 30 days: its owner must have had time to correct and replay it. Spam, quarantined and
unconfirmed ones' 30 days after they came at the latest. A pending lead is never erased. The record
of consents stays: it holds nothing that was typed, and says why the contact at Wix may be held.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from formapp.db.database import Database
from formapp.db.tables import deliveries, submissions
from formapp.leads.anonymize import anonymize, lock

BATCH = 100
"""Rows that are erased in one transaction: some milliseconds."""

EVERY = timedelta(hours=1)
"""How often a worker looks."""

_A_MONTH = 30
_log = logging.getLogger(__name__)


def due_submissions(
    connection: Connection,
    keep_days: int,
    now: datetime,
    *,
    among: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[str]:
    """Ids of submissions whose time is over.

    Args:
        connection: of the caller's transaction.
        keep_days: where the submission doesn't say.
        now: the time.
        among: look at these only.
        limit: at most so many.
    """
    kept = select(submissions.c.keep_days).where(submissions.c.erased_at.is_(None)).distinct()
    conditions = [_over(days, keep_days, now) for days in connection.execute(kept).scalars()]
    if not conditions:
        return []
    query = (
        select(submissions.c.id)
        .outerjoin(deliveries, deliveries.c.submission_id == submissions.c.id)
        .where(submissions.c.erased_at.is_(None), or_(*conditions))
        .limit(limit)
    )
    if among is not None:
        query = query.where(submissions.c.id.in_(among))
    return list(connection.execute(query).scalars())


def hidden_until(database: Database, submission_id: str, keep_days: int) -> datetime | None:
    """When the answers of a submission go that nobody lets through; None: they are gone.

    Args:
        database: where it is.
        submission_id: the submission's id.
        keep_days: where the submission doesn't say.

    Raises:
        DatabaseUnavailableError: it can't be read.
    """
    query = select(submissions.c.received_at, submissions.c.keep_days)
    mine = (submissions.c.id == submission_id) & submissions.c.erased_at.is_(None)
    with database.read() as connection:
        row = connection.execute(query.where(mine)).first()
    return row.received_at + _hidden(row.keep_days, keep_days) if row else None


def _hidden(kept: int | None, default: int) -> timedelta:
    return timedelta(days=min(default if kept is None else kept, _A_MONTH))


def _over(kept: int | None, default: int, now: datetime) -> ColumnElement[bool]:
    mine = submissions.c.keep_days.is_(None) if kept is None else submissions.c.keep_days == kept
    days = default if kept is None else kept
    return and_(
        mine,
        # No lead ends before it came: what is younger needn't be looked at.
        submissions.c.received_at <= now - _hidden(kept, default),
        or_(
            submissions.c.status != "accepted",
            and_(
                deliveries.c.state == "delivered",
                deliveries.c.finished_at <= now - timedelta(days=days),
            ),
            and_(
                deliveries.c.state == "failed",
                deliveries.c.finished_at <= now - timedelta(days=max(days, _A_MONTH)),
            ),
        ),
    )


def expire(database: Database, keep_days: int, now: datetime, limit: int = BATCH) -> int:
    """Erase one batch of what is due; returns how many, 0 when nothing is left.

    Raises:
        DatabaseUnavailableError: nothing was erased.
    """
    # Looked for without the write lock, which is then held for a batch only.
    with database.read() as connection:
        found = due_submissions(connection, keep_days, now, limit=limit)
    if not found:
        return 0
    with database.write() as connection:
        lock(connection, found)
        # The owner may have sent one on its way again meanwhile.
        still_due = due_submissions(connection, keep_days, now, among=found)
        return len(anonymize(connection, still_due, now))


class Expiry:
    """What a worker calls now and then: one batch at a time, and nothing for an hour after."""

    def __init__(self, database: Database, keep_days: int, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._keep_days = keep_days
        self._clock = clock
        self._next = clock()

    def run(self) -> None:
        """Erase a batch if it is time to.

        Raises:
            DatabaseUnavailableError: nothing was erased; it is tried again in an hour.
        """
        now = self._clock()
        # A clock that was put back must not stop it for longer than planned.
        if self._next - EVERY <= now < self._next:
            return
        self._next = now + EVERY
        count = expire(self._database, self._keep_days, now)
        if count:
            _log.info("the answers of %d submissions were erased: their time was over", count)
            self._next = now

"""Retention: answers are erased a set time after they were of use.

A delivered lead's answers expire after `keep_days`: those of the form file when the lead was
received, even if the file is gone since, else the setting. A failed lead's answers expire as long
after the failure, but never before 30 days, so that its owner has time to correct and retry it.
Those of spam, quarantined and unconfirmed submissions expire at most 30 days after receipt. A
pending lead is never erased. The record of consents stays: it contains nothing that was typed, and
shows why the contact may be stored.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, text

from formapp.db.database import Database
from formapp.db.tables import deliveries, submissions
from formapp.leads.anonymize import anonymize, lock, truncate_log

BATCH = 100
"""Rows that are erased in one transaction, which takes some milliseconds."""

EVERY = timedelta(hours=1)
"""How often a worker looks for expired answers."""

_A_MONTH = 30
# As literal text, here and below: of partial indexes, databases use none for a parameter.
_KEPT = text("submissions.erased_at IS NULL")
_log = logging.getLogger(__name__)


def count_expired(database: Database, keep_days: int, now: datetime) -> int:
    """How many submissions `expire_all` would erase; `keep_days` where one has none of its own."""
    with database.read() as connection:
        return len(find_expired(connection, keep_days, now))


def expire_all(database: Database, keep_days: int, now: datetime) -> int:
    """Erase all answers that have expired, batch by batch; returns how many submissions."""
    count = 0
    while erased := expire(database, keep_days, now):
        count += erased
    truncate_log(database)
    return count


def expire(database: Database, keep_days: int, now: datetime, limit: int = BATCH) -> int:
    """Erase one batch of expired answers; returns how many submissions, 0 when none is left.

    As a periodic task it is run again at once until then.
    """
    # The search needs no write lock, which is held for the batch only.
    with database.read() as connection:
        found = find_expired(connection, keep_days, now, limit=limit)
    if not found:
        return 0
    with database.write() as connection:
        lock(connection, found)
        # The owner may have retried one meanwhile.
        still_expired = find_expired(connection, keep_days, now, among=found)
        count = len(anonymize(connection, still_expired, now))
    _log.info("erased the answers of %d submissions that had expired", count)
    return count


def unaccepted_expiry(database: Database, submission_id: str, keep_days: int) -> datetime | None:
    """When the answers of a submission expire that is never accepted; None: they are erased."""
    query = select(submissions.c.received_at, submissions.c.keep_days).where(
        submissions.c.id == submission_id, submissions.c.erased_at.is_(None)
    )
    with database.read() as connection:
        row = connection.execute(query).first()
    return row.received_at + _unaccepted_life(row.keep_days, keep_days) if row else None


def find_expired(
    connection: Connection,
    default_days: int,
    now: datetime,
    *,
    among: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[str]:
    """Find expired submissions, by indexes that begin with the oldest that is kept."""
    found: list[str] = []
    for own_days in _kept_days(connection):
        kept = and_(_KEPT, submissions.c.keep_days == own_days)
        for is_over in (
            _is_unaccepted(own_days, default_days, now),
            _is_done(own_days, default_days, now),
        ):
            query = (
                select(submissions.c.id)
                .outerjoin(deliveries, deliveries.c.submission_id == submissions.c.id)
                .where(kept, is_over)
                .order_by(submissions.c.keep_days, submissions.c.received_at)
                .limit(limit and limit - len(found))
            )
            if among is not None:
                query = query.where(submissions.c.id.in_(among))
            found += connection.scalars(query)
            if len(found) == limit:
                return found
    return found


def _kept_days(connection: Connection) -> list[int | None]:
    """Find the different `keep_days` of submissions that aren't erased, one look for each."""
    found: list[int | None] = [None]
    query = select(func.min(submissions.c.keep_days)).where(_KEPT)
    days: int | None = connection.scalar(query)
    while days is not None:
        found.append(days)
        days = connection.scalar(query.where(submissions.c.keep_days > days))
    return found


def _is_unaccepted(own_days: int | None, default_days: int, now: datetime) -> ColumnElement[bool]:
    latest = now - _unaccepted_life(own_days, default_days)
    return and_(text("submissions.status <> 'accepted'"), submissions.c.received_at <= latest)


def _is_done(own_days: int | None, default_days: int, now: datetime) -> ColumnElement[bool]:
    days = default_days if own_days is None else own_days
    delivered, failed = now - timedelta(days=days), now - timedelta(days=max(days, _A_MONTH))
    state, finished_at = deliveries.c.state, deliveries.c.finished_at
    return and_(
        text("submissions.status = 'accepted'"),
        # No lead finishes before it is received: younger rows needn't be read.
        submissions.c.received_at <= delivered,
        or_(
            and_(state == "delivered", finished_at <= delivered),
            and_(state == "failed", finished_at <= failed),
        ),
    )


def _unaccepted_life(own_days: int | None, default_days: int) -> timedelta:
    return timedelta(days=min(default_days if own_days is None else own_days, _A_MONTH))

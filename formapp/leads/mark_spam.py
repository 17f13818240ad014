"""Marking a submission as spam: nothing more of it goes to Wix, or out as a mail."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from formapp.db.database import Database
from formapp.db.tables import deliveries, jobs, submissions
from formapp.leads import audit
from formapp.leads.accept import Status
from formapp.leads.errors import AlreadyDeliveredError
from formapp.leads.held import lock_kept
from formapp.notifications.plan import CHANNELS, FAILED, NOTIFY

MARKED = "a person marked it as spam"
"""The reason that is stored with it, beside those of the checks."""


def mark_spam(database: Database, submission_id: str, now: datetime, *, by: str) -> None:
    """Put a submission into quarantine, for good unless it is released; cancel what waits.

    It stays in quarantine rather than with the honeypot's catches, whose answers were never read.
    Raises LeadError, and changes nothing, if it is unknown, erased or delivered.
    """
    with database.write() as connection:
        sending = deliveries.c.submission_id == submission_id
        # A delivery before its submission, as a retry and an erasure lock them.
        delivery = connection.execute(
            select(deliveries.c.state, deliveries.c.intent).where(sending).with_for_update()
        ).first()
        row = lock_kept(connection, submission_id)
        # A write to Wix of unknown outcome may have made a contact.
        if delivery and (delivery.state == "delivered" or delivery.intent):
            raise AlreadyDeliveredError(submission_id)
        reasons = [each for each in row.meta.get("suspect", ()) if each != MARKED]
        meta = row.meta | {"suspect": [*reasons, MARKED], "marked_at": now.isoformat()}
        if row.status == Status.ACCEPTED:
            # A release goes on where this ends: what was sent isn't sent again.
            meta[NOTIFY] = _waiting(connection, submission_id)
        changed = {"status": Status.QUARANTINED, "meta": meta}
        this = submissions.c.id == submission_id
        connection.execute(update(submissions).where(this).values(changed))
        connection.execute(delete(deliveries).where(sending))
        connection.execute(delete(jobs).where(jobs.c.submission_id == submission_id))
        audit.record(connection, by, "spam", [submission_id], now)


def _waiting(connection: Connection, submission_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Return kind and content of the notifications that wait, and of those that have failed."""
    query = select(jobs.c.kind, jobs.c.content).where(
        jobs.c.submission_id == submission_id, jobs.c.kind.in_({NOTIFY, FAILED, *CHANNELS})
    )
    return [(row.kind, row.content) for row in connection.execute(query.order_by(jobs.c.id))]

"""What the database holds about a confirmation.

A submission that waits has the status `unconfirmed` and no delivery. Its `meta` holds the request
(`confirmation`, see `request_meta`), what happened to the mail (`mail`), and when it was confirmed
(`confirmed`). Lock the row before changing `meta`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from formapp.db.database import Database
from formapp.db.notify import notify
from formapp.db.tables import errands, submissions
from formapp.jobs.queue import Claimed, Job, add_errand, end_errand

CONFIRMATION_MAIL = "confirm"
"""The kind of the job that sends the mail."""

UNCONFIRMED = "unconfirmed"
REQUEST = "confirmation"
MAIL = "mail"
CONFIRMED = "confirmed"


def schedule_mail(connection: Connection, submission_id: str, now: datetime) -> None:
    """Add the job that sends the mail, in place of an earlier one."""
    cancel_mail(connection, submission_id)
    add_errand(connection, submission_id, Job(CONFIRMATION_MAIL), now)
    notify(connection)


def cancel_mail(connection: Connection, submission_id: str) -> None:
    """Remove the job that sends the mail."""
    mine = (errands.c.submission_id == submission_id) & (errands.c.kind == CONFIRMATION_MAIL)
    connection.execute(delete(errands).where(mine))


def record_sent(database: Database, job: Claimed, until: datetime, now: datetime) -> None:
    """End the job and record that the mail was sent, with a link that is valid until then."""

    def sent(mail: Mapping[str, Any]) -> dict[str, Any]:
        times = [*(mail.get("sent_at") or ()), now.isoformat()]
        return {**mail, "until": until.isoformat(), "unsent": None, "sent_at": times}

    _end(database, job, sent)


def record_unsent(database: Database, job: Claimed, reason: str) -> None:
    """End the job and record why no mail was sent."""
    _end(database, job, lambda mail: {**mail, "unsent": reason})


def discard(database: Database, job: Claimed) -> None:
    """End the job of a submission that doesn't wait for a confirmation."""
    with database.write() as connection:
        end_errand(connection, job)


def _end(database: Database, job: Claimed, change: Any) -> None:
    this = (submissions.c.id == job.submission["id"]) & submissions.c.erased_at.is_(None)
    query = select(submissions.c.meta).where(this).with_for_update(key_share=True)
    with database.write() as connection:
        meta = connection.execute(query).scalar()
        end_errand(connection, job)
        if meta is not None:
            changed = {**meta, MAIL: change(meta.get(MAIL) or {})}
            connection.execute(update(submissions).where(this).values(meta=changed))

"""What the database holds about a confirmation.

A submission that waits has the status `unconfirmed` and no delivery. Its `meta` holds the request
(`confirmation`, see `make_request`), what happened to the mail (`mail`), and when it was confirmed
(`confirmed`). Lock the row before changing `meta`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from formapp.db.database import Database, is_over
from formapp.db.notify import notify
from formapp.db.tables import jobs, submissions
from formapp.jobs.backoff import LONGEST_WAIT
from formapp.jobs.queue import REASON, ClaimedJob, Job, add_job, finish_job

CONFIRMATION_MAIL = "confirm"
"""The kind of the job that sends the mail."""

UNCONFIRMED = "unconfirmed"
REQUEST = "confirmation"
MAIL = "mail"
CONFIRMED = "confirmed"


def schedule_mail(connection: Connection, submission_id: str, now: datetime) -> None:
    """Add the job that sends the mail, in place of an earlier one."""
    cancel_mail(connection, submission_id)
    add_job(connection, Job(CONFIRMATION_MAIL), now, submission_id)
    notify(connection)


def cancel_mail(connection: Connection, submission_id: str) -> None:
    mine = (jobs.c.submission_id == submission_id) & (jobs.c.kind == CONFIRMATION_MAIL)
    connection.execute(delete(jobs).where(mine))


def postpone_alike(  # noqa: PLR0913 - what identifies the mails, by keyword
    database: Database,
    now: datetime,
    until: datetime,
    reason: str,
    *,
    form: str | None,
    address: str | None,
) -> int:
    """Postpone all due mails of a form, or to an address, or of a form to an address; count them.

    What the first of them met, they would all meet, and keep other mails waiting.
    """
    sent = select(submissions.c.id)
    if form is not None:
        sent = sent.where(submissions.c.form == form)
    if address is not None:
        sent = sent.where(submissions.c.lead["email"]["address"].as_string() == address)
    due = is_over(jobs.c.due_at, now, LONGEST_WAIT) & (jobs.c.kind == CONFIRMATION_MAIL)
    waiting = update(jobs).where(due & jobs.c.submission_id.in_(sent))
    postponed = waiting.values(due_at=until, content={REASON: reason})
    with database.write() as connection:
        return connection.execute(postponed).rowcount


def record_mail(
    database: Database, job: ClaimedJob, *, sent_at: datetime | None = None, **more: Any
) -> None:
    """End the job, and store with its submission when the mail was sent, or why not (`unsent`)."""
    this = (submissions.c.id == job.submission["id"]) & submissions.c.erased_at.is_(None)
    query = select(submissions.c.meta).where(this).with_for_update(key_share=True)
    with database.write() as connection:
        meta = connection.execute(query).scalar()
        finish_job(connection, job)
        if meta is None:
            return
        mail = {**(meta.get(MAIL) or {}), **more}
        if sent_at:
            mail["sent_at"] = [*(mail.get("sent_at") or ()), sent_at.isoformat()]
        connection.execute(update(submissions).where(this).values(meta={**meta, MAIL: mail}))

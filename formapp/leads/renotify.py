"""Notifying of a lead again, by hand."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select

from formapp.db.database import Database
from formapp.db.tables import jobs, submissions
from formapp.leads import audit
from formapp.leads.accept import Status
from formapp.leads.errors import NotAcceptedError
from formapp.leads.held import lock_kept
from formapp.notifications.plan import CHANNELS, FAILED, schedule

ALL = tuple(sorted(set(CHANNELS.values()) - {"reply"}))
"""The channels that are used unless others are named: a visitor needs no second reply."""


def renotify(
    database: Database,
    submission_id: str,
    channels: Collection[str],
    now: datetime,
    *,
    by: str = audit.COMMAND_LINE,
) -> tuple[str, ...]:
    """Notify of a lead once more, by these channels; returns them.

    Without any, by those that have failed, or else by all but the reply. A digest becomes a mail.
    What had failed on them is forgotten. Raises LeadError, and changes nothing, if the lead is
    unknown, erased or not accepted.
    """
    theirs = (jobs.c.submission_id == submission_id) & (jobs.c.kind == FAILED)
    with database.write() as connection:
        row = lock_kept(connection, submission_id)
        if row.status != Status.ACCEPTED:
            raise NotAcceptedError(submission_id)
        failures = connection.execute(select(jobs.c.id, jobs.c.content).where(theirs)).all()
        failed = {each.content["channel"] for each in failures}
        chosen = tuple(sorted(set(channels) or failed or ALL))
        mended = [each.id for each in failures if each.content["channel"] in chosen]
        connection.execute(delete(jobs).where(jobs.c.id.in_(mended)))
        schedule(connection, submission_id, now, {"channels": list(chosen)})
        audit.record(connection, by, "notify", [submission_id], now)
    return chosen


def find_failed(database: Database, form: str | None = None) -> list[str]:
    """Return the ids of leads whose notifications have failed, oldest first."""
    query = (
        select(submissions.c.id)
        .join(jobs, jobs.c.submission_id == submissions.c.id)
        .where(jobs.c.kind == FAILED)
        .distinct()
        .order_by(submissions.c.id)
    )
    if form:
        query = query.where(submissions.c.form == form)
    with database.read() as connection:
        return [*connection.scalars(query)]

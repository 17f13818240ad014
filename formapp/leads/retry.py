"""Trying a lead again, after the owner has corrected what was wrong."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from formapp.db.database import Database
from formapp.db.tables import deliveries, submissions
from formapp.lead import Lead
from formapp.leads.accept import Status
from formapp.leads.report import UnknownSubmissionError

Remap = Callable[[str, Mapping[str, Any]], Lead | None]
"""From a form's name and kept answers to a lead by the form file of today; None: no such form."""


class ErasedError(Exception):
    """The answers were erased: nothing is left to deliver."""


class UnconfirmedError(Exception):
    """The submission waits for its sender's confirmation, which nobody else can give."""


class AlreadyDeliveredError(Exception):
    """The submission needs no retry, or has no delivery to retry."""


def failed_submissions(database: Database, form: str | None = None) -> list[str]:
    """Ids of submissions whose delivery failed, oldest first."""
    query = (
        select(submissions.c.id)
        .join(deliveries, deliveries.c.submission_id == submissions.c.id)
        .where(deliveries.c.state == "failed", submissions.c.erased_at.is_(None))
        .order_by(deliveries.c.id)
    )
    if form:
        query = query.where(submissions.c.form == form)
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def retry_submission(database: Database, submission_id: str, remap: Remap, now: datetime) -> None:
    """Make the delivery due at once, with the lead mapped anew from the kept answers.

    Raises:
        UnknownSubmissionError: there is none with this id.
        UnconfirmedError: its sender has not confirmed it.
        AlreadyDeliveredError: there is nothing to retry.
        ErasedError: its answers are gone.
        DatabaseUnavailableError: nothing was changed.
    """
    with database.write() as connection:
        row = _retriable(connection, submission_id)
        lead = remap(row.form, row.answers)
        if not _make_due(connection, row, lead, now):
            raise AlreadyDeliveredError(submission_id)
        # Whoever erased it meanwhile held the delivery, and has let go of it by here.
        if _is_erased(connection, submission_id):
            raise ErasedError(submission_id)
        if lead and row.state == "failed":
            connection.execute(
                update(submissions)
                .where(submissions.c.id == submission_id)
                .values(lead=lead.to_json()),
            )


def _retriable(connection: Connection, submission_id: str) -> Any:
    """The submission with its delivery, if there is something to retry."""
    row = connection.execute(
        select(
            submissions.c.form,
            submissions.c.answers,
            submissions.c.status,
            submissions.c.erased_at,
            deliveries.c.id,
            deliveries.c.state,
        )
        .outerjoin(deliveries, deliveries.c.submission_id == submissions.c.id)
        .where(submissions.c.id == submission_id),
    ).first()
    if row is None:
        raise UnknownSubmissionError(submission_id)
    if row.status == Status.UNCONFIRMED and not row.erased_at:
        raise UnconfirmedError(submission_id)
    if row.state not in {"failed", "pending"}:
        raise AlreadyDeliveredError(submission_id)
    if row.erased_at:
        raise ErasedError(submission_id)
    return row


def _is_erased(connection: Connection, submission_id: str) -> bool:
    query = select(submissions.c.erased_at).where(submissions.c.id == submission_id)
    return connection.execute(query).scalar() is not None


def _make_due(connection: Connection, row: Any, lead: Lead | None, now: datetime) -> bool:
    """False if a worker has finished it since the row was read."""
    values: dict[str, Any] = {"state": "pending", "due_at": now, "finished_at": None}
    if row.state == "failed":
        values |= {"attempts": 0, "created_at": now, "reason": None}
        values |= _addressed(lead) if lead else {}
    unchanged = (deliveries.c.id == row.id) & (deliveries.c.state == row.state)
    done = connection.execute(update(deliveries).where(unchanged).values(**values))
    return done.rowcount == 1


def _addressed(lead: Lead) -> dict[str, Any]:
    return {"site": lead.site, "email": lead.email_identity, "phone": lead.phone_identity}
